/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model/disk-chain.h"
#include "model/values.h"
#include <inttypes.h>
#include <string.h>

DomainDisk *chain_find_disk(const DomainDefinition *definition, const char *target)
{
        if (!definition)
                return NULL;
        LIST_FOREACH (disk, definition->devices.disks) {
                if (g_strcmp0(disk->target, target) == 0)
                        return disk;
        }
        return NULL;
}

int chain_find_named(const DomainDefinition *definition, const char *name, DomainDisk **ret_disk,
                     Error *error)
{
        DomainDisk *found = chain_find_disk(definition, name);

        LIST_FOREACH (disk, definition->devices.disks) {
                if (!found && g_strcmp0(chain_path(&disk->source), name) == 0)
                        found = disk;
        }
        if (!found)
                return error_set(error, ERROR_INVALID_ARGUMENT, "The domain %s has no disk '%s'",
                                 definition->name, name);
        if (disk_source_is_empty(&found->source))
                return error_set(error, ERROR_OPERATION_INVALID, "Disk '%s' of the domain %s has no medium",
                                 found->target, definition->name);
        *ret_disk = found;
        return 0;
}

const char *chain_path(const DiskSource *source)
{
        return source->file ? source->file : source->dev;
}

const DiskBacking *chain_find_below(const DomainDisk *disk, const char *path)
{
        for (const DiskBacking *below = disk->backing; below && below->type != DISK_TYPE_ABSENT;
             below = below->backing)
                if (g_strcmp0(chain_path(&below->source), path) == 0)
                        return below;
        return NULL;
}

bool chain_is_active(const DomainDisk *disk, const char *path)
{
        return g_strcmp0(chain_path(&disk->source), path) == 0;
}

bool chain_is_named(const DomainDefinition *definition, const char *target, const char *path)
{
        if (!definition || !path)
                return false;
        LIST_FOREACH (disk, definition->devices.disks) {
                if (target && g_strcmp0(disk->target, target) != 0)
                        continue;
                if (chain_is_active(disk, path) || chain_find_below(disk, path))
                        return true;
        }
        return false;
}

const char *chain_next(const DomainDisk *disk, const char *path)
{
        const DiskBacking *image = chain_is_active(disk, path) ? NULL : chain_find_below(disk, path),
                          *below = chain_is_active(disk, path) ? disk->backing
                                   : image                     ? image->backing
                                                               : NULL;

        return below && below->type != DISK_TYPE_ABSENT ? chain_path(&below->source) : NULL;
}

const char *chain_above(const DomainDisk *disk, const char *path)
{
        const char *at = chain_path(&disk->source);

        while (at && g_strcmp0(chain_next(disk, at), path) != 0)
                at = chain_next(disk, at);
        return at;
}

uint32_t chain_free_index(const DomainDisk *disk)
{
        uint32_t index = disk->source.index;

        for (const DiskBacking *below = disk->backing; below; below = below->backing)
                index = MAX(index, below->index);
        return index + 1;
}

void chain_number(DomainDefinition *live)
{
        LIST_FOREACH (disk, live->devices.disks) {
                uint32_t index = 0;

                disk->source.index = 0;
                for (DiskBacking *below = disk->backing; below && below->type != DISK_TYPE_ABSENT;
                     below = below->backing)
                        below->index = ++index;
        }
}

void chain_push(DomainDisk *disk, const char *path, uint32_t index)
{
        DiskBacking *below = struct_new(&disk_backing_type);

        below->type = disk->type;
        below->format = disk->format == DISK_FORMAT_ABSENT ? DISK_FORMAT_RAW : disk->format;
        below->index = disk->source.index;
        below->metadata_cache_max_size = disk->metadata_cache_max_size;
        below->source = disk->source;
        below->source.index = 0;
        below->backing = disk->backing;
        if (disk->backing_ends) {
                below->backing = struct_new(&disk_backing_type);
                below->backing->type = DISK_TYPE_ABSENT;
        }
        disk->backing = below;
        disk->backing_ends = false;
        disk->type = DISK_TYPE_FILE;
        disk->format = DISK_FORMAT_QCOW2;
        disk->metadata_cache_max_size = 0;
        disk->source = (DiskSource){ .type = DISK_TYPE_FILE, .file = g_strdup(path), .index = index };
}

bool chain_pop(DomainDisk *disk)
{
        DiskBacking *below = disk->backing;
        void *old;

        if (!below || below->type == DISK_TYPE_ABSENT)
                return false;
        old = g_memdup2(&disk->source, sizeof disk->source);
        (void)struct_free(&disk_source_type, old);
        disk->source = below->source;
        disk->source.type = below->type;
        disk->source.index = below->index;
        disk->type = below->type;
        disk->format = below->format;
        disk->metadata_cache_max_size = below->metadata_cache_max_size;
        disk->backing = below->backing;
        below->source = (DiskSource){};
        below->backing = NULL;
        (void)struct_free(&disk_backing_type, below);
        if (disk->backing && disk->backing->type == DISK_TYPE_ABSENT) {
                disk->backing = struct_free(&disk_backing_type, disk->backing);
                disk->backing_ends = true;
        }
        return true;
}

bool chain_remove_image(DomainDefinition *definition, const char *target, const char *path)
{
        DomainDisk *disk = definition ? chain_find_disk(definition, target) : NULL;

        if (!disk)
                return false;
        if (g_strcmp0(chain_path(&disk->source), path) == 0)
                return chain_pop(disk);
        for (DiskBacking **at = &disk->backing; *at; at = &(*at)->backing) {
                DiskBacking *image = *at;

                if (g_strcmp0(chain_path(&image->source), path) != 0)
                        continue;
                *at = image->backing;
                image->backing = NULL;
                (void)struct_free(&disk_backing_type, image);
                return true;
        }
        return false;
}

bool chain_is_same(const DomainDisk *a, const DomainDisk *b)
{
        return a && b && chain_path(&a->source) &&
               g_strcmp0(chain_path(&a->source), chain_path(&b->source)) == 0;
}

bool chain_remove_range(DomainDefinition *definition, const char *target, const char *top, const char *base)
{
        const DomainDisk *disk = definition ? chain_find_disk(definition, target) : NULL;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
        bool is_inside = disk && g_strcmp0(chain_path(&disk->source), top) == 0, is_changed = false;

        if (is_inside)
                g_ptr_array_add(paths, g_strdup(top));
        for (const DiskBacking *below = disk ? disk->backing : NULL;
             below && below->type != DISK_TYPE_ABSENT; below = below->backing) {
                const char *path = chain_path(&below->source);

                if (g_strcmp0(path, base) == 0)
                        break;
                is_inside |= g_strcmp0(path, top) == 0;
                if (is_inside)
                        g_ptr_array_add(paths, g_strdup(path));
        }
        for (unsigned i = 0; i < paths->len; i++)
                is_changed |= chain_remove_image(definition, target, paths->pdata[i]);
        return is_changed;
}

void chain_copy_source(DiskSource *target, DiskType type, const DiskSource *source, uint32_t index)
{
        DiskSource *copy = struct_copy(&disk_source_type, source);

        *target = *copy;
        target->type = type;
        target->index = index;
        *copy = (DiskSource){};
        (void)struct_free(&disk_source_type, copy);
}

void chain_move(DomainDisk *disk, DiskType type, DiskFormat format, const DiskSource *source,
                bool keeps_below)
{
        DiskSource *new = struct_copy(&disk_source_type, source), old = disk->source;

        if (!keeps_below) {
                if (disk->backing)
                        disk->backing = struct_free(&disk_backing_type, disk->backing);
                disk->backing_ends = true;
        }
        disk->type = type;
        disk->format = format;
        disk->source = *new;
        *new = old; /* goes with it */
        (void)struct_free(&disk_source_type, new);
}

#define BUFFER_MAX      (UINT64_C(1) << 30)
#define GRANULARITY_MIN 512u
#define GRANULARITY_MAX (64u << 20)

static int take_copy_parameter(void *target, const char *key, GVariant *value, Error *error)
{
        CopyParameters *parameters = target;
        const bool is_granularity = strcmp(key, "granularity") == 0,
                   is_buffer = strcmp(key, "buf-size") == 0;
        const char *type = is_granularity ? "u" : "t";

        if (!is_granularity && !is_buffer && strcmp(key, "bandwidth") != 0)
                return error_set(error, ERROR_INVALID_ARGUMENT, "There is no parameter '%s'", key);
        if (strcmp(g_variant_get_type_string(value), type) != 0)
                return error_set(error, ERROR_INVALID_ARGUMENT, "%s is of type %s", key, type);
        if (is_granularity)
                parameters->granularity = g_variant_get_uint32(value);
        else
                *(is_buffer ? &parameters->buffer_size : &parameters->bandwidth) =
                        g_variant_get_uint64(value);
        return 0;
}

int chain_read_copy_parameters(GVariant *values, CopyParameters *ret_parameters, Error *error)
{
        CopyParameters parameters = {};
        int r = values_take(values, take_copy_parameter, &parameters, error);

        if (r < 0)
                return r;
        if (parameters.bandwidth > INT64_MAX)
                return error_set(error, ERROR_INVALID_ARGUMENT, "A bandwidth of %" PRIu64 " is too large",
                                 parameters.bandwidth);
        if (parameters.granularity > 0 &&
            (parameters.granularity < GRANULARITY_MIN || parameters.granularity > GRANULARITY_MAX ||
             parameters.granularity & (parameters.granularity - 1)))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "granularity is a power of two from %u to %u, not %u", GRANULARITY_MIN,
                                 GRANULARITY_MAX, parameters.granularity);
        if (parameters.buffer_size > BUFFER_MAX)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "buf-size is at most %" PRIu64 " bytes, not %" PRIu64, BUFFER_MAX,
                                 parameters.buffer_size);
        *ret_parameters = parameters;
        return 0;
}

int chain_read_place(const char *xml, DomainDisk **ret_place, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        const XmlNode *root;
        void *place;
        int r = xml_parse(xml, strlen(xml), "disk", &document, error);

        if (r < 0)
                return r;
        root = xml_document_root(document);
        if (strcmp(root->name, "disk") != 0)
                return error_set(error, ERROR_INVALID_XML, "A <disk> is expected, not a <%s>", root->name);
        r = struct_parse(&disk_place_type, root, DEFINITION_INACTIVE, &place, error);
        if (r >= 0)
                *ret_place = place;
        return r;
}

int chain_wanted_bytes(uint64_t size, bool is_bytes, uint64_t *ret_bytes, Error *error)
{
        const uint64_t unit = is_bytes ? 1 : 1024;

        if (size > (uint64_t)INT64_MAX / 1024 * 1024 / unit)
                return error_set(error, ERROR_INVALID_ARGUMENT, "A size of %" PRIu64 " is too large", size);
        *ret_bytes = (size * unit + 511) / 512 * 512;
        return 0;
}
