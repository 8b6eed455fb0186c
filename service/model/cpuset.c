/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading goes through a bitmap, so that order and repetitions do not matter. */

#include "model/cpuset.h"
#include <string.h>

static bool number_read(const char **text, unsigned *ret_number)
{
        unsigned number = 0;
        const char *at = *text;

        if (!g_ascii_isdigit(*at))
                return false;
        for (; g_ascii_isdigit(*at); at++) {
                number = number * 10 + (unsigned)(*at - '0');
                if (number > CPUSET_MAX)
                        return false;
        }
        *ret_number = number;
        *text = at;
        return true;
}

static void blanks_skip(const char **text)
{
        while (g_ascii_isspace(**text))
                (*text)++;
}

/* One part: "^2", "7" or "0-3". */
static bool part_read(const char **text, uint8_t *bits)
{
        bool is_excluded = **text == '^';
        unsigned first, last;

        *text += is_excluded;
        if (!number_read(text, &first))
                return false;
        last = first;
        blanks_skip(text);
        if (**text == '-' && !is_excluded) {
                (*text)++;
                blanks_skip(text);
                if (!number_read(text, &last) || last < first)
                        return false;
        }
        for (unsigned i = first; i <= last; i++)
                bits[i] = !is_excluded;
        return true;
}

static char *bits_write(const uint8_t *bits)
{
        GString *text = g_string_new(NULL);

        for (unsigned first = 0, last; first <= CPUSET_MAX; first = last + 1) {
                last = first;
                if (!bits[first])
                        continue;
                while (last < CPUSET_MAX && bits[last + 1])
                        last++;
                g_string_append_printf(text, "%s%u", text->len ? "," : "", first);
                if (last > first)
                        g_string_append_printf(text, "-%u", last);
        }
        return g_string_free(text, FALSE);
}

char *cpuset_canonical(const char *text)
{
        _cleanup_(freep) uint8_t *bits = g_new0(uint8_t, CPUSET_MAX + 1);

        blanks_skip(&text);
        while (*text) {
                if (!part_read(&text, bits))
                        return NULL;
                blanks_skip(&text);
                if (*text == ',') {
                        text++;
                        blanks_skip(&text);
                } else if (*text) {
                        return NULL;
                }
        }
        return bits_write(bits);
}

bool cpuset_has(const char *set, unsigned number)
{
        while (set && *set) {
                unsigned first, last;

                if (!number_read(&set, &first))
                        return false;
                last = first;
                if (*set == '-') {
                        set++;
                        if (!number_read(&set, &last))
                                return false;
                }
                if (number >= first && number <= last)
                        return true;
                set += *set == ',';
        }
        return false;
}
