/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/records.h"
#include <stdarg.h>
#include <stdio.h>

/* Longer keys than the drivers have are cut. */
#define KEY_MAX 128

#define TEXTS_BLOCK_SIZE 4096

Records *records_new(void)
{
        Records *records = g_new0(Records, 1);

        records->items = g_array_new(false, false, sizeof(Record));
        records->texts = g_string_chunk_new(TEXTS_BLOCK_SIZE);
        return records;
}

Records *records_free(Records *records)
{
        if (!records)
                return NULL;
        g_array_unref(records->items);
        g_string_chunk_free(records->texts);
        g_free(records);
        return NULL;
}

void records_begin(Records *records, const char *name)
{
        Record record = { .key = g_string_chunk_insert(records->texts, name) };

        g_array_append_val(records->items, record);
}

const char *records_key(Records *records, const char *format, ...)
{
        char key[KEY_MAX];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(key, sizeof key, format, arguments); /* cut, see above */
        va_end(arguments);
        return g_string_chunk_insert(records->texts, key);
}

void records_add_string(Records *records, const char *key, const char *text)
{
        Record record = { .key = key,
                          .type = 's',
                          .value.text = g_string_chunk_insert(records->texts, text) };

        g_array_append_val(records->items, record);
}

void records_add_int32(Records *records, const char *key, int32_t value)
{
        Record record = { .key = key, .type = 'i', .value.int32 = value };

        g_array_append_val(records->items, record);
}

void records_add_uint32(Records *records, const char *key, uint32_t value)
{
        Record record = { .key = key, .type = 'u', .value.uint32 = value };

        g_array_append_val(records->items, record);
}

void records_add_int64(Records *records, const char *key, int64_t value)
{
        Record record = { .key = key, .type = 'x', .value.int64 = value };

        g_array_append_val(records->items, record);
}

void records_add_uint64(Records *records, const char *key, uint64_t value)
{
        Record record = { .key = key, .type = 't', .value.uint64 = value };

        g_array_append_val(records->items, record);
}
