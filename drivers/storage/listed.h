/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a kind lists: arrays of FileEntry. */

#include "core/error.h"
#include "drivers/storage/files.h"
#include <jansson.h>

typedef struct Listed {
        const char *name, *path, *key; /* key NULL: the path */
        mode_t type;                   /* S_IFBLK; 0: on the network */
        uint64_t size, allocation;     /* bytes */
} Listed;

/* An array that frees its entries. */
GPtrArray *listed_new(void);
/* From what is told of it, without a look at it; what cannot be a volume's name is left out. */
void listed_add(GPtrArray *entries, const Listed *what);
FileEntry *listed_entry(const Listed *what);
/* As a device of the host, if there is one at the path; else as listed_add(). */
void listed_add_device(GPtrArray *entries, const Listed *what) AWAITS;

/* A tool's numbers, as texts or as JSON's; 0 for what is none. */
uint64_t listed_number(const char *text);
uint64_t listed_json_number(const json_t *object, const char *key);
const char *listed_json_text(const json_t *object, const char *key);
/* The tool's JSON. `tool` is for the error. */
int listed_json(const char *tool, const char *output, json_t **ret_root, Error *error);
