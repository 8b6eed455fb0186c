/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the engine share. */

#include "model/table.h"

#define FIELD_AT(object, field, Type) ((Type *)(void *)((char *)(object) + (field)->offset))
#define CONST_FIELD_AT(object, field, Type)                                                                 \
        ((const Type *)(const void *)((const char *)(object) + (field)->offset))

/* What a FIELD_STRINGS holds, for reading. */
typedef const char *const *FieldStrings;

/* Containers within each other in a native value. The bus takes 64, and drops whoever sends more; the rest
 * is for what stands around a definition in a message. Only a chain of backing images comes near. */
enum {
        NATIVE_DEPTH_MAX = 52,
        NATIVE_DEPTH_OF_ROOT = 2,  /* array, entry */
        NATIVE_DEPTH_OF_CHILD = 3, /* variant, array, entry */
        NATIVE_DEPTH_OF_ITEM = 4,  /* variant, array, array, entry */
};

/* The bytes of the next part of a path: "source[mode=bind]" of "source[mode=bind]/@host". */
size_t path_part_length(const char *path);

/* Whether the row counts for this object: by its `when`. */
bool field_exists(const void *object, const Field *field);
/* Numbers of any width, enums among them; the sign is kept for FIELD_SIGNED. */
uint64_t field_number(const void *object, const Field *field);
void field_set_number(void *object, const Field *field, uint64_t value);
bool field_has(const void *object, const Field *field);
void field_set_has(void *object, const Field *field, bool has);
/* Whether it holds anything but what an absent one holds. */
bool field_is_set(const void *object, const Field *field);
/* Whether it is written: it is set, or it is a number that counts as such even if it is 0. */
bool field_is_due(const void *object, const Field *field);
/* Of a row with a single value that both objects have. */
bool field_values_equal(const Field *field, const void *a, const void *b);
/* Whether the element is the one that the first part of a path names: "name", "qemu:name",
 * "name[mode=bind]". */
bool node_matches(const XmlNode *node, const char *path);
/* Sets what an absent field holds; the object is zeroed. */
void struct_initialise(const StructType *type, void *object);
/* Releases what the object owns, not the object. */
void struct_clear(const StructType *type, void *object);

/* Reads a value that stands in a text; `unit` of a size may be NULL. -EINVAL with what would be right, a
 * clause that "expected" follows, which the caller frees. */
int field_from_text(void *object, const Field *field, const char *text, const char *unit,
                    char **ret_expected);
/* The same clause for a number out of range; -EINVAL. */
int field_expect_number(const Field *field, char **ret_expected);
/* All elements in an element as they were written, for FIELD_RAW; NULL if there are none. */
char *raw_from_element(const XmlNode *element);

/* A number in text: of the field's base and range. -EINVAL, -ERANGE. */
int number_from_text(const Field *field, const char *text, uint64_t *ret_value);
/* "KiB" ...: bytes; 0 if there is no such unit. */
uint64_t unit_from_text(const char *unit);
const char *unit_to_text(uint64_t bytes);
/* value * unit bytes in units of field->scale bytes; -ERANGE. */
int size_scale(const Field *field, uint64_t value, uint64_t unit, uint64_t *ret_value);
bool mac_parse(const char *text, char ret_mac[static 18]);
