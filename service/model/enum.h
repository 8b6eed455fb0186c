/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Enumerations of the XML language: one list of (constant, word) makes the C type, the table of words and
 * x_to_string(). The first entry is what an absent attribute means and is never written; it has the word
 * that people may write for it, or NULL. */

#include "core/cleanup.h"

typedef struct EnumTable {
        const char *const *words;
        unsigned count;
        bool is_boolean; /* entries 1 and 2 stand for true and false in native values */
} EnumTable;

/* NULL if value is none of the table's, or has no word. */
const char *enum_to_string(const EnumTable *table, unsigned value);
/* -EINVAL if there is no such word. */
int enum_from_string(const EnumTable *table, const char *word);

#define ENUM_CONSTANT_(constant, word) constant,
#define ENUM_WORD_(constant, word)     [constant] = (word),

#define DECLARE_ENUM(Type, name, LIST)                                                                      \
        typedef enum __attribute__((packed)) Type { LIST(ENUM_CONSTANT_) } Type;                            \
        extern const EnumTable name##_table;                                                                \
        static inline const char *name##_to_string(Type value)                                              \
        {                                                                                                   \
                return enum_to_string(&name##_table, value);                                                \
        }

#define DEFINE_ENUM(name, LIST, ...)                                                                        \
        static const char *const name##_words[] = { LIST(ENUM_WORD_) };                                     \
        const EnumTable name##_table = { .words = name##_words,                                             \
                                         .count = G_N_ELEMENTS(name##_words),                               \
                                         __VA_ARGS__ }

/* yes/no and on/off: an attribute that is absent leaves the choice to the hypervisor. */
#define YES_NO(E) E(YES_NO_ABSENT, NULL) E(YES, "yes") E(NO, "no")
DECLARE_ENUM(YesNo, yes_no, YES_NO)
#define ON_OFF(E) E(ON_OFF_ABSENT, NULL) E(ON, "on") E(OFF, "off")
DECLARE_ENUM(OnOff, on_off, ON_OFF)
