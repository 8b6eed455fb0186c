/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Before each logical partition is a sector that describes it. It is kept in the MiB before the partition,
 * so that all begin at whole MiB. */

#include "drivers/storage/partitions.h"
#include <string.h>

#define ALIGNMENT ((uint64_t)1024 * 1024) /* bytes */

static uint64_t number_of(const json_t *object, const char *key)
{
        json_int_t number = json_integer_value(json_object_get(object, key));

        return number > 0 ? (uint64_t)number : 0;
}

static const char *node_of(const json_t *partition)
{
        return json_string_value(json_object_get(partition, "node"));
}

static bool is_dos(const json_t *table)
{
        return g_strcmp0(json_string_value(json_object_get(table, "label")), "dos") == 0;
}

bool partition_is_extended(const json_t *partition)
{
        const char *type = json_string_value(json_object_get(partition, "type"));

        return g_strcmp0(type, "5") == 0 || g_strcmp0(type, "f") == 0 || g_strcmp0(type, "85") == 0;
}

const json_t *partitions_find_extended(const json_t *table)
{
        const json_t *partition;
        size_t i;

        json_array_foreach(json_object_get(table, "partitions"), i, partition)
        {
                if (is_dos(table) && partition_is_extended(partition))
                        return partition;
        }
        return NULL;
}

/* loop0 + 2 -> loop0p2, sdb + 2 -> sdb2. The caller frees. */
static char *partition_node(const char *device, unsigned number)
{
        return g_strdup_printf("%s%s%u", device, g_ascii_isdigit(device[strlen(device) - 1]) ? "p" : "",
                               number);
}

static bool is_taken(const json_t *table, const char *node)
{
        const json_t *partition;
        size_t i;

        json_array_foreach(json_object_get(table, "partitions"), i, partition)
        {
                if (g_strcmp0(node_of(partition), node) == 0)
                        return true;
        }
        return false;
}

unsigned partition_number(const char *node)
{
        const char *digits = node + strlen(node);

        while (digits > node && g_ascii_isdigit(digits[-1]))
                digits--;
        return (unsigned)g_ascii_strtoull(digits, NULL, 10);
}

unsigned partitions_last_number(const json_t *table)
{
        const json_t *partition;
        unsigned last = 0;
        size_t i;

        json_array_foreach(json_object_get(table, "partitions"), i, partition)
        {
                last = MAX(last, node_of(partition) ? partition_number(node_of(partition)) : 0);
        }
        return last;
}

uint64_t partitions_sector_bytes(const json_t *table)
{
        uint64_t bytes = number_of(table, "sectorsize");

        return bytes > 0 ? bytes : 512;
}

char *partitions_next_node(const json_t *table, bool is_extended)
{
        const char *device = json_string_value(json_object_get(table, "device"));
        bool has_places = is_dos(table), has_logical = partitions_find_extended(table) && !is_extended;

        for (unsigned number = 1; device && *device; number++) {
                char *node = partition_node(device, number);

                if (has_places && number >= PARTITION_FIRST_LOGICAL && !has_logical) {
                        g_free(node);
                        return NULL;
                }
                if (!is_taken(table, node))
                        return node;
                g_free(node);
        }
        return NULL;
}

static int compare_extents(const void *a, const void *b)
{
        const Extent *left = a, *right = b;

        return left->start < right->start ? -1 : left->start > right->start;
}

static bool is_within(const Extent *extent, const Extent *outer)
{
        return extent->start > outer->start && extent->start < outer->start + outer->size;
}

/* In their order, and the end at last. */
static GArray *used_extents(const json_t *table, const Extent *bounds, const Extent *extended)
{
        GArray *used = g_array_new(FALSE, FALSE, sizeof(Extent));
        Extent end = { .start = bounds->start + bounds->size };
        const json_t *partition;
        size_t i;

        json_array_foreach(json_object_get(table, "partitions"), i, partition)
        {
                Extent extent = { number_of(partition, "start"), number_of(partition, "size") };

                if (!extended || is_within(&extent, extended))
                        g_array_append_val(used, extent);
        }
        g_array_append_val(used, end);
        g_array_sort(used, compare_extents);
        return used;
}

GArray *partitions_room(const json_t *table, uint64_t disk_sectors, bool in_extended)
{
        uint64_t align = MAX(ALIGNMENT / partitions_sector_bytes(table), 1),
                 last = number_of(table, "lastlba"),
                 before = in_extended ? align : 0; /* in front of each partition */
        const json_t *partition = in_extended ? partitions_find_extended(table) : NULL;
        Extent extended = { number_of(partition, "start"), number_of(partition, "size") },
               bounds = { .start = MAX(number_of(table, "firstlba"), align) };
        GArray *room = g_array_new(FALSE, FALSE, sizeof(Extent));
        _cleanup_(g_array_unrefp) GArray *used = NULL;
        uint64_t end = last > 0 ? last + 1 : disk_sectors, first;

        bounds.size = end > bounds.start ? end - bounds.start : 0;
        if (in_extended)
                bounds = extended;
        used = used_extents(table, &bounds, in_extended ? &extended : NULL);
        first = bounds.start;
        for (size_t i = 0; i < used->len; i++) {
                const Extent *next = &g_array_index(used, Extent, i);
                uint64_t stop =
                        i + 1 < used->len && next->start > before ? next->start - before : next->start;
                Extent extent = { .start = (first + align - 1) / align * align + before };

                if (extent.start < stop) {
                        extent.size = stop - extent.start;
                        g_array_append_val(room, extent);
                }
                first = MAX(first, next->start + next->size);
        }
        return room;
}
