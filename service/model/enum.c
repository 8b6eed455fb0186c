/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words of the XML language. */

#include "model/enum.h"
#include <errno.h>
#include <string.h>

DEFINE_ENUM(yes_no, YES_NO, .is_boolean = true);
DEFINE_ENUM(on_off, ON_OFF, .is_boolean = true);

const char *enum_to_string(const EnumTable *table, unsigned value)
{
        return value < table->count ? table->words[value] : NULL;
}

int enum_from_string(const EnumTable *table, const char *word)
{
        for (unsigned i = 0; i < table->count; i++)
                if (table->words[i] && strcmp(table->words[i], word) == 0)
                        return (int)i;
        return -EINVAL;
}
