/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The engine under every definition. A StructType lists the fields of one C structure: where each stands in
 * the XML, of what kind it is, at which offset. Parser, formatter, copy, comparison, release and the native
 * a{sv} form are loops over such lists, so a new element is a new row (docs/model.md).
 *
 * A path is relative to the structure's element: "@type" an attribute, "driver/@cache" one of a child,
 * "title" the text of a child, "." the element's own text, "source[mode=bind]/@host" a child chosen by an
 * attribute. Elements on the way are written when the first of their fields is, so the order of rows is the
 * order of the output. */

#include "core/error.h"
#include "core/xml.h"
#include "model/enum.h"

typedef enum __attribute__((packed)) FieldKind {
        FIELD_STRING,   /* char *; absent: NULL */
        FIELD_ENUM,     /* packed enum; absent: 0 */
        FIELD_FLAG,     /* bool: the element is there */
        FIELD_UNSIGNED, /* uint8_t ... uint64_t by size; absent: 0, or has_x */
        FIELD_SIGNED,   /* int32_t, int64_t */
        FIELD_SIZE,     /* uint64_t with a unit attribute; `scale` bytes each in memory and when written */
        FIELD_UUID,     /* char[37], canonical; absent: "" */
        FIELD_MAC,      /* char[18], lower case; absent: "" */
        FIELD_CPUSET,   /* char *, canonical "0-3,7": model/cpuset.h */
        FIELD_STRUCT,   /* T *: the element exists */
        FIELD_INLINE,   /* T in place, at path or ("") on the same element */
        FIELD_LIST,     /* LIST(T): one item for each element of the path's last name */
        FIELD_STRINGS, /* char **, NULL-terminated; one for each element or attribute of the path's last name
                        */
        FIELD_RAW,     /* char *: all that stands in the element, byte for byte */
} FieldKind;

enum {
        FIELD_REQUIRED = 1 << 0, /* of a text: not "" either, unless that is a value of its own; of a number:
                                    0 is written */
        FIELD_ALWAYS = 1 << 1,   /* written even if 0; for numbers and words */
        FIELD_HEX = 1 << 2,      /* written as 0x... with `width` digits */
        FIELD_ANY_BASE = 1 << 3, /* 0x10 and 010 are understood */
        FIELD_SECRET = 1 << 4,   /* only with DEFINITION_SECURE */
        FIELD_LIVE = 1 << 5,     /* only without DEFINITION_INACTIVE; not read with it */
        FIELD_NOT_EMPTY = 1 << 6, /* "" is refused; otherwise "" is absent */
        FIELD_KEEP_EMPTY =
                1 << 7, /* the element is written even without content; for inline and list items */
        FIELD_REPEATED_OK = 1 << 8, /* further elements are ignored instead of refused */
        FIELD_ROUND_UP = 1 << 9,    /* a size is rounded up to `scale`; otherwise down */
        FIELD_NO_UNIT = 1 << 10,    /* a size that is written without unit attribute */
        FIELD_LENIENT = 1 << 11,    /* a word that is not in the table is ignored */
        FIELD_EMPTY_WORD = 1 << 12, /* "" is a value of its own, kept and written */
        FIELD_NO_NATIVE = 1 << 13,  /* has no key of its own in the native form */
        FIELD_NO_ABI = 1 << 14,     /* the guest does not see it: definition_abi_difference() skips it */
        FIELD_OCTAL = 1 << 15,      /* read and written in base 8, with `width` digits */
        FIELD_UPPER = 1 << 16,      /* hexadecimal digits are written in upper case */
        FIELD_MINUS_ONE = 1 << 17,  /* "-1" is absent */
        FIELD_TUNABLE = 1 << 18,    /* may change while the machine runs; of a list: items come and go */
        FIELD_IDENTITY = 1 << 19,   /* tells one item of a list from the others */
};

/* What a definition is read or written for; the numbers of virDomainXMLFlags, and ours above them. */
enum {
        DEFINITION_SECURE = 1 << 0,
        DEFINITION_INACTIVE = 1 << 1,
        DEFINITION_UPDATE_CPU = 1 << 2,
        DEFINITION_MIGRATABLE = 1 << 3,
        DEFINITION_STATUS = 1 << 16, /* the daemon's own file about a running machine: everything is kept */
        DEFINITION_NATIVE = 1 << 17, /* for `shown` only: asked for the native form */
        DEFINITION_WANTED = 1 << 18, /* of a device that is looked for: as little as tells it from others */
};

typedef struct StructType StructType;

typedef struct Field {
        const char *path;
        const char *key;                                   /* in the native form: the member's name */
        const void *type;                                  /* EnumTable or StructType */
        bool (*shown)(const void *object, unsigned flags); /* NULL: always */
        uint64_t when_mask; /* the field exists only while bit `value at when_offset` is set; 0: always */
        uint32_t when_offset;
        uint32_t offset;
        uint32_t has_offset; /* of a bool; 0: none (no structure starts with one) */
        uint32_t flags;
        uint32_t initial; /* value of an absent number or enum */
        uint32_t scale;   /* bytes */
        uint8_t size, width;
        FieldKind kind;
} Field;

struct StructType {
        const char *name; /* for errors: "disk" */
        uint32_t size;
        const Field *fields;
        uint32_t count;
        /* Rules of one element, after its fields are read. `node` is NULL when it comes from native values.
         */
        int (*check)(void *object, const XmlNode *node, unsigned flags, Error *error);
        /* Whether an inline element or item says anything worth writing; NULL: yes if a field is set. */
        bool (*shown)(const void *object, unsigned flags);
};

/* A list of owned, heap-allocated items. */
#define LIST(Type)                                                                                          \
        struct {                                                                                            \
                Type **items;                                                                               \
                uint32_t count;                                                                             \
        }
typedef LIST(void) AnyList;

void list_append(void *list, void *item);
void list_insert(void *list, uint32_t index, void *item);
/* Takes the item out without releasing it. */
void *list_remove(void *list, uint32_t index);

#define LIST_FOREACH(item, list)                                                                            \
        for (typeof(*(list).items) item = NULL, *item##_at = (list).items;                                  \
             (list).count > 0 && item##_at < (list).items + (list).count && ((item = *item##_at), true);    \
             item##_at++)

/* `flags`: DEFINITION_*. The object is zeroed first, released by struct_free() also after a failure. */
int struct_parse(const StructType *type, const XmlNode *node, unsigned flags, void **ret_object,
                 Error *error);
/* The same for a document whose root must be `element`. */
int struct_parse_document(const StructType *type, const char *element, const char *xml, size_t size,
                          unsigned flags, void **ret, Error *error);
/* Writes the element `element` (or only its content, if NULL) into the open writer. */
void struct_format(const StructType *type, const void *object, const char *element, XmlWriter *writer,
                   unsigned flags);
char *struct_to_xml(const StructType *type, const void *object, const char *element, unsigned flags);
void *struct_new(const StructType *type);
void *struct_copy(const StructType *type, const void *object);
void *struct_free(const StructType *type, void *object);
/* NULL if both say the same, else the native path of the first difference ("disks[1].source.file"), which
 * the caller frees. With abi_only, fields that the guest cannot see are not compared. */
char *struct_difference(const StructType *type, const void *a, const void *b, bool abi_only);
/* The same as a question; both may be NULL. */
bool struct_is_same(const StructType *type, const void *a, const void *b);
/* All differences, of which the first CHANGES_MAX are told; returns how many there are. Paths are native
 * ones, valid during the visit only. Secrets that both have are not compared. */
typedef enum ChangeKind {
        CHANGE_VALUE,
        CHANGE_ADDED,
        CHANGE_REMOVED,
} ChangeKind;
typedef struct StructChange {
        const char *path;
        ChangeKind kind;
        bool is_tunable, is_abi; /* FIELD_TUNABLE; without FIELD_NO_ABI */
} StructChange;
typedef void (*StructChangeVisit)(const StructChange *change, void *data);
#define CHANGES_MAX 1000
unsigned struct_changes(const StructType *type, const void *a, const void *b, StructChangeVisit visit,
                        void *data);
/* Elements and attributes that no row asks for: slips of the pen, or of a newer language. Of namespaces that
 * are not the language's nothing is told. At most UNKNOWN_MAX. `what` is "line 3: <disk>: ..." */
#define UNKNOWN_MAX 100
typedef void (*StructUnknownVisit)(const char *what, void *data);
void struct_unknown(const StructType *type, const XmlNode *node, StructUnknownVisit visit, void *data);
/* Fields that are absent have no entry, and secrets never have one. What is nested too deeply for the bus,
 * which only long chains of backing images are, is cut. The result is floating. */
GVariant *struct_to_variant(const StructType *type, const void *object);
/* Reads as with DEFINITION_INACTIVE: what belongs to a running machine is let pass. Numbers may be of any
 * integer type or text, dictionaries and lists with variants or without; a key that the object cannot have
 * is refused. */
int struct_from_variant(const StructType *type, GVariant *variant, void **ret_object, Error *error);
/* What was read from values has been written as this document: values that no document can say are refused,
 * as the next daemon could not read them. */
int struct_check_document(const StructType *type, const char *element, const char *xml, unsigned flags,
                          Error *error);

/* Rows. THIS is the structure that the rows are about; further designated initialisers may follow. */
#define FIELD_(field_kind, field_path, member, ...)                                                         \
        {                                                                                                   \
                .path = (field_path), .key = #member, .kind = (field_kind),                                 \
                .offset = offsetof(THIS, member), .size = (uint8_t)sizeof(((THIS *)0)->member), __VA_ARGS__ \
        }
#define STRING(path, member, ...)     FIELD_(FIELD_STRING, path, member, __VA_ARGS__)
#define ENUM(path, member, name, ...) FIELD_(FIELD_ENUM, path, member, .type = &name##_table, __VA_ARGS__)
#define YESNO(path, member, ...)      ENUM(path, member, yes_no, __VA_ARGS__)
#define ONOFF(path, member, ...)      ENUM(path, member, on_off, __VA_ARGS__)
#define FLAG(path, member, ...)       FIELD_(FIELD_FLAG, path, member, __VA_ARGS__)
#define UNSIGNED(path, member, ...)   FIELD_(FIELD_UNSIGNED, path, member, __VA_ARGS__)
#define OPTIONAL_UNSIGNED(path, member, ...)                                                                \
        FIELD_(FIELD_UNSIGNED, path, member, .has_offset = offsetof(THIS, has_##member), __VA_ARGS__)
#define SIGNED(path, member, ...) FIELD_(FIELD_SIGNED, path, member, __VA_ARGS__)
#define OPTIONAL_SIGNED(path, member, ...)                                                                  \
        FIELD_(FIELD_SIGNED, path, member, .has_offset = offsetof(THIS, has_##member), __VA_ARGS__)
#define HEX(path, member, digits, ...)                                                                      \
        FIELD_(FIELD_UNSIGNED, path, member, .width = (digits), .flags = FIELD_HEX | FIELD_ANY_BASE,        \
               __VA_ARGS__)
#define HEX_ALWAYS(path, member, digits, ...)                                                               \
        FIELD_(FIELD_UNSIGNED, path, member, .width = (digits),                                             \
               .flags = FIELD_HEX | FIELD_ANY_BASE | FIELD_ALWAYS, __VA_ARGS__)
#define SIZE_KIB(path, member, ...)     FIELD_(FIELD_SIZE, path, member, .scale = 1024, __VA_ARGS__)
#define SIZE_MIB(path, member, ...)     FIELD_(FIELD_SIZE, path, member, .scale = 1024 * 1024, __VA_ARGS__)
#define SIZE_BYTES(path, member, ...)   FIELD_(FIELD_SIZE, path, member, .scale = 1, __VA_ARGS__)
#define UUID(path, member, ...)         FIELD_(FIELD_UUID, path, member, __VA_ARGS__)
#define MAC(path, member, ...)          FIELD_(FIELD_MAC, path, member, __VA_ARGS__)
#define CPUSET(path, member, ...)       FIELD_(FIELD_CPUSET, path, member, __VA_ARGS__)
#define STRUCT(path, member, name, ...) FIELD_(FIELD_STRUCT, path, member, .type = &name##_type, __VA_ARGS__)
#define INLINE(path, member, name, ...) FIELD_(FIELD_INLINE, path, member, .type = &name##_type, __VA_ARGS__)
#define ITEMS(path, member, name, ...)  FIELD_(FIELD_LIST, path, member, .type = &name##_type, __VA_ARGS__)
#define STRINGS(path, member, ...)      FIELD_(FIELD_STRINGS, path, member, __VA_ARGS__)
#define RAW(path, member, ...)          FIELD_(FIELD_RAW, path, member, __VA_ARGS__)
/* The row exists only while `member` has one of the values BIT(x) | BIT(y). */
#define WHEN(member, mask) .when_offset = offsetof(THIS, member), .when_mask = (mask)
#define BIT(value)         (UINT64_C(1) << (value))

#define DEFINE_STRUCT(type_name, Type, ...)                                                                 \
        const StructType type_name##_type = { .name = #type_name,                                           \
                                              .size = sizeof(Type),                                         \
                                              .fields = type_name##_fields,                                 \
                                              .count = G_N_ELEMENTS(type_name##_fields),                    \
                                              __VA_ARGS__ }
