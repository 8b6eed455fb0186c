/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a filter, and whatever it refers to, to the chains that nftables holds for one device of a guest.
 * Pure: nothing is asked but `find`. */

#include "drivers/nwfilter/match.h"
#include "drivers/nwfilter/parameters.h"

#define FILTER_TABLE "bridge virtbus"

typedef const FilterDefinition *(*FilterFind)(const void *data, const char *name);

typedef struct FilterRequest {
        unsigned device; /* its index on the host: part of every name, and never used again */
        const char *filter;
        GHashTable *variables;
        FilterKernel kernel;
        FilterFind find;
        const void *find_data;
} FilterRequest;

typedef struct FilterText {
        char *text; /* what nft is to read; the table's own chains (translate_table()) are there */
        /* Words of nft behind "delete": what the text makes, in the order in which it can be removed. */
        GPtrArray *objects;
        char version[33]; /* of the text: a part of the name of one of its chains, "version/DEVICE/VERSION"
                           */
        bool uses_learnt; /* the set "ip/DEVICE" holds the guest's addresses, which are added later */
} FilterText;
void filter_text_clear(FilterText *text);

/* The chains that hang in the kernel, and the maps that lead from devices to theirs. Says nothing new if
 * they are there. */
const char *translate_table(void);
/* The names of those maps, which are also those of the layers of a device; the last is NULL. */
extern const char *const translate_maps[];
/* Whether the table has a chain, set or map (`kind`) of that name besides what devices have. */
bool translate_is_of_table(const char *kind, const char *name);
/* Goes before it where somebody has changed what hangs in the kernel. */
const char *translate_table_removal(void);
int translate_filter(const FilterRequest *request, FilterText *ret, Error *error);
/* What takes these objects (as of FilterText.objects) away again. */
char *translate_removal(const GPtrArray *objects);
/* Adds the filters that it consists of to the set of names, those that are not there included. */
void translate_parts(FilterFind find, const void *find_data, const char *filter, GHashTable *names);
