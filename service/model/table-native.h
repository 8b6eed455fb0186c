/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading native values: single values (table-native.c) for structures (table-from-variant.c). */

#include "model/table-private.h"

/* Where in the value we are, for errors. */
typedef struct NativePlace {
        const struct NativePlace *above;
        const char *key; /* NULL: an item of the list above */
        size_t index;
        unsigned depth; /* NATIVE_DEPTH_... */
} NativePlace;

/* "devices.disks[1].bus: " and what is wrong there. */
int native_refuse(const NativePlace *place, Error *error, const char *what);
int native_wrong_type(const NativePlace *place, Error *error, GVariant *value, const char *expected);
/* A rule that reading from XML has, too, was not kept. */
int native_pass_refusal(const NativePlace *place, Error *cause, Error *error);

/* Whether a document can have the text: control characters have no way to be written in XML. */
bool native_is_writable(const char *text);

/* What is in the variant, and in the variant in it: takes the reference and gives one. */
GVariant *native_unwrap(GVariant *value);

/* Any field but structures and lists of them. */
int native_value_read(const NativePlace *place, const Field *field, GVariant *value, void *object,
                      Error *error);
