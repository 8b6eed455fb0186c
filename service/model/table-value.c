/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers, sizes and addresses in text, and the parts of paths. Nothing is guessed: no signs where none
 * belong, no trailing characters, no overflow. */

#include "model/table-private.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t path_part_length(const char *path)
{
        size_t length = 0, depth = 0;

        for (; path[length] && (depth > 0 || path[length] != '/'); length++)
                depth += (path[length] == '[') - (path[length] == ']');
        return length;
}

static uint64_t unsigned_max(unsigned size)
{
        return size >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
}

static int unsigned_from_text(const char *text, int base, unsigned size, uint64_t *ret_value)
{
        char *end;
        uint64_t value;

        if (!g_ascii_isdigit(*text) && !(base == 16 && g_ascii_isxdigit(*text)))
                return -EINVAL;
        errno = 0;
        value = strtoull(text, &end, base);
        if (*end)
                return -EINVAL;
        if (errno != 0 || value > unsigned_max(size))
                return -ERANGE;
        *ret_value = value;
        return 0;
}

static int signed_from_text(const char *text, int base, unsigned size, uint64_t *ret_value)
{
        int64_t limit = (int64_t)(unsigned_max(size) >> 1), value;
        char *end;

        if (!g_ascii_isdigit(text[*text == '-']))
                return -EINVAL;
        errno = 0;
        value = strtoll(text, &end, base);
        if (*end)
                return -EINVAL;
        if (errno != 0 || value > limit || value < -limit - 1)
                return -ERANGE;
        *ret_value = (uint64_t)value;
        return 0;
}

int number_from_text(const Field *field, const char *text, uint64_t *ret_value)
{
        int base = field->flags & FIELD_ANY_BASE ? 0 : field->flags & FIELD_OCTAL ? 8 : 10;

        return field->kind == FIELD_SIGNED ? signed_from_text(text, base, field->size, ret_value)
                                           : unsigned_from_text(text, base, field->size, ret_value);
}

static const struct {
        const char *name;
        uint64_t bytes;
} units[] = {
        { "b", 1 },
        { "bytes", 1 },
        { "byte", 1 },
        { "KiB", UINT64_C(1) << 10 },
        { "k", UINT64_C(1) << 10 },
        { "KB", 1000 },
        { "MiB", UINT64_C(1) << 20 },
        { "M", UINT64_C(1) << 20 },
        { "MB", 1000000 },
        { "GiB", UINT64_C(1) << 30 },
        { "G", UINT64_C(1) << 30 },
        { "GB", 1000000000 },
        { "TiB", UINT64_C(1) << 40 },
        { "T", UINT64_C(1) << 40 },
        { "TB", UINT64_C(1000000000000) },
        { "PiB", UINT64_C(1) << 50 },
        { "P", UINT64_C(1) << 50 },
        { "PB", UINT64_C(1000000000000000) },
        { "EiB", UINT64_C(1) << 60 },
        { "E", UINT64_C(1) << 60 },
        { "EB", UINT64_C(1000000000000000000) },
};

uint64_t unit_from_text(const char *unit)
{
        for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
                if (g_ascii_strcasecmp(units[i].name, unit) == 0)
                        return units[i].bytes;
        return 0;
}

const char *unit_to_text(uint64_t bytes)
{
        if (bytes == 1)
                return "bytes";
        for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
                if (units[i].bytes == bytes)
                        return units[i].name;
        return NULL;
}

int size_scale(const Field *field, uint64_t value, uint64_t unit, uint64_t *ret_value)
{
        uint64_t bytes;

        if (__builtin_mul_overflow(value, unit, &bytes))
                return -ERANGE;
        if (field->flags & FIELD_ROUND_UP &&
            __builtin_add_overflow(bytes, (uint64_t)field->scale - 1, &bytes))
                return -ERANGE;
        *ret_value = bytes / field->scale;
        return 0;
}

bool mac_parse(const char *text, char ret_mac[static 18])
{
        char mac[18];

        /* libvirt takes one digit for a byte, too. */
        for (unsigned i = 0; i < 6; i++) {
                unsigned byte = 0, digits = 0;

                for (; digits < 2 && g_ascii_isxdigit(*text); digits++)
                        byte = byte * 16 + (unsigned)g_ascii_xdigit_value(*text++);
                if (digits == 0 || *text != (i < 5 ? ':' : '\0'))
                        return false;
                text++;
                g_snprintf(mac + i * 3, sizeof mac - i * 3, "%02x%s", byte, i < 5 ? ":" : "");
        }
        memcpy(ret_mac, mac, sizeof mac);
        return true;
}
