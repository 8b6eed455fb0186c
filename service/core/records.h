/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values by name, of one object or of many: statistics. A plain array, as a thousand machines have ten
 * thousand of them; bus/marshal.h writes it into a message as it is. */

#include "core/cleanup.h"

typedef struct Record {
        const char *key;
        char type; /* as D-Bus calls it: s, i, u, x or t; 0: the records of the object `key` follow */
        union {
                const char *text;
                int32_t int32;
                uint32_t uint32;
                int64_t int64;
                uint64_t uint64;
        } value;
} Record;

typedef struct Records {
        GArray *items;       /* of Record */
        GStringChunk *texts; /* what they point to, if it is no constant */
} Records;

Records *records_new(void);
Records *records_free(Records *records);
DEFINE_CLEANUP(Records, records_free)

/* What follows is about the object of that name, which is copied. */
void records_begin(Records *records, const char *name);
/* A key that lives as long as the records. Those given below are constants or come from here. */
const char *records_key(Records *records, const char *format, ...) _printf_(2, 3);

void records_add_string(Records *records, const char *key, const char *text); /* copied */
void records_add_int32(Records *records, const char *key, int32_t value);
void records_add_uint32(Records *records, const char *key, uint32_t value);
void records_add_int64(Records *records, const char *key, int64_t value);
void records_add_uint64(Records *records, const char *key, uint64_t value);
