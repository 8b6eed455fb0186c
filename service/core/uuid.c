/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* UUIDs as people write them. */

#include "core/uuid.h"
#include <string.h>

bool uuid_parse(const char *text, char ret_uuid[static UUID_STRING_MAX])
{
        char uuid[UUID_STRING_MAX];
        unsigned n = 0;

        for (; *text; text++) {
                if (*text == '-')
                        continue;
                if (!g_ascii_isxdigit(*text) || n >= UUID_STRING_MAX - 1)
                        return false;
                uuid[n++] = g_ascii_tolower(*text);
                if (n == 8 || n == 13 || n == 18 || n == 23)
                        uuid[n++] = '-';
        }
        if (n != UUID_STRING_MAX - 1)
                return false;
        uuid[n] = '\0';
        memcpy(ret_uuid, uuid, sizeof uuid);
        return true;
}
