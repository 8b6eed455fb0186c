/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A partition table as `sfdisk --json` tells it: which partitions are there, and where there is room.
 * Numbers are sectors. A dos table has four places; one of them may be extended, and holds logical
 * partitions from 5 on. */

#include "core/cleanup.h"
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef struct Extent {
        uint64_t start, size;
} Extent;

#define PARTITION_FIRST_LOGICAL 5

/* By a partition's name or path. */
unsigned partition_number(const char *node);
bool partition_is_extended(const json_t *partition);
/* The extended one of a dos table; NULL: there is none. */
const json_t *partitions_find_extended(const json_t *table);
/* The highest number of a partition; 0: there is none. */
unsigned partitions_last_number(const json_t *table);
uint64_t partitions_sector_bytes(const json_t *table);

/* What a new partition would be called; NULL: a dos table has no place left. With `is_extended` the extended
 * one. The caller frees. */
char *partitions_next_node(const json_t *table, bool is_extended);
/* Where new partitions can begin and how long they can be, at whole MiB: in the extended one or outside of
 * it. The caller frees. */
GArray *partitions_room(const json_t *table, uint64_t disk_sectors, bool in_extended);
