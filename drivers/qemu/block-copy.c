/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the copy is stands in the status before QEMU is told of it, so that the next daemon knows what a job
 * is about, and that no other machine gets an image that is being written. The file is left whatever comes
 * of it once the job has begun: what is in it is the caller's. */

#include "drivers/qemu/block-copy.h"
#include "core/fiber.h"
#include "drivers/qemu/block-job.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/definitions.h"
#include "drivers/qemu/image-tool.h"
#include "drivers/qemu/images.h"
#include "drivers/qemu/status.h"
#include "drivers/qemu/volume-disks.h"
#include <string.h>

/* virDomainBlockCopyFlags. */
enum {
        COPY_SHALLOW = 1 << 0,
        COPY_REUSE_EXT = 1 << 1,
        COPY_TRANSIENT_JOB = 1 << 2, /* a promise of the caller's, of which nothing follows here */
        COPY_SYNCHRONOUS_WRITES = 1 << 3,
};

typedef struct Copy {
        Domain *domain;
        DomainDisk *disk;  /* a copy of what is copied */
        DomainDisk *place; /* where to */
        json_t *arguments;
        uint32_t index; /* of its image */
        bool is_shallow, must_exist;
        bool is_made; /* there is a file that nobody needs yet */
} Copy;

static void copy_clear(Copy *copy)
{
        if (copy->disk)
                (void)struct_free(&domain_disk_type, copy->disk);
        g_clear_pointer(&copy->place->target, g_free); /* no place has one */
        (void)struct_free(&disk_place_type, copy->place);
        json_decref(copy->arguments);
}

static bool has_below(const DomainDisk *disk)
{
        return disk->backing && disk->backing->type != DISK_TYPE_ABSENT;
}

static int check_disk(const DomainDisk *disk, Error *error)
{
        const char *problem = disk->device == DISK_DEVICE_CDROM || disk->device == DISK_DEVICE_FLOPPY
                                      ? "is a drive whose medium can be taken out"
                              : disk->device == DISK_DEVICE_LUN ? "is a device of the host's as it is"
                              : disk->readonly                  ? "is read-only"
                              : disk->shareable                 ? "is shared with other machines"
                              : disk->transient ? "is transient: what is written to it goes elsewhere"
                              : disk->encryption || disk->source.encryption ? "is encrypted"
                                                                            : NULL;

        return problem ? error_set(error, ERROR_NOT_SUPPORTED, "Disk '%s' %s: it is not copied",
                                   disk->target, problem)
                       : 0;
}

/* A volume is the file or device that it stands for. */
static int resolve_volume(const Copy *copy, Error *error)
{
        const Domain *domain = copy->domain;
        DiskSource *source = &copy->place->source;
        _cleanup_(freep) char *path = NULL;

        if (copy->place->type != DISK_TYPE_VOLUME)
                return 0;
        path = volume_disks_path(domain->object.driver, source, domain->object.owner);
        if (!path)
                return error_set(error, ERROR_NO_STORAGE_VOLUME,
                                 "The machine's owner has no volume '%s' in a started pool '%s' that is a "
                                 "file or a block device",
                                 source->volume, source->pool);
        if (!copy->must_exist)
                return error_set(error, ERROR_EXISTS,
                                 "The volume '%s' is there already: REUSE_EXT (2) writes over it",
                                 source->volume);
        copy->place->type = source->type =
                g_str_has_prefix(path, "/dev/") ? DISK_TYPE_BLOCK : DISK_TYPE_FILE;
        *(source->type == DISK_TYPE_BLOCK ? &source->dev : &source->file) = TAKE_PTR(path);
        g_clear_pointer(&source->pool, g_free);
        g_clear_pointer(&source->volume, g_free);
        return 0;
}

static int check_place(const Copy *copy, Error *error)
{
        DomainDisk *place = copy->place;
        const char *path = chain_path(&place->source);

        if (place->type != DISK_TYPE_FILE && place->type != DISK_TYPE_BLOCK)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The QEMU driver copies disks to files, block devices and volumes of "
                                 "pools, not to <disk type='%s'>",
                                 disk_type_to_string(place->type));
        if (place->source.encryption || place->source.slices.count > 0 || place->source.fd_group)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The QEMU driver copies disks to whole images that are not encrypted and "
                                 "have a path");
        if (!path || !g_path_is_absolute(path))
                return error_set(error, ERROR_INVALID_XML, "The place of the copy is no absolute path: '%s'",
                                 path ? path : "");
        if (place->format == DISK_FORMAT_ABSENT)
                place->format =
                        copy->disk->format == DISK_FORMAT_ABSENT ? DISK_FORMAT_RAW : copy->disk->format;
        if (place->format != DISK_FORMAT_RAW && place->format != DISK_FORMAT_QCOW2)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The QEMU driver copies disks to images of format raw or qcow2, not %s",
                                 disk_format_to_string(place->format));
        if (copy->is_shallow && !chain_path(&copy->disk->backing->source))
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "Disk '%s' lies over what is no file or device: it is copied as a whole only",
                        copy->disk->target);
        if (copy->is_shallow && place->format == DISK_FORMAT_RAW)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "A copy with SHALLOW (1) lies over other images: its format is qcow2, not "
                                 "raw");
        return 0;
}

/* An image that is there: as large as the disk, and over what the disk lies over. */
static int check_image(const Copy *copy, uint64_t size, Error *error) AWAITS
{
        const DomainDisk *place = copy->place;
        const char *path = chain_path(&place->source);
        _cleanup_(volume_header_clear) VolumeHeader header = {};
        bool is_raw = place->format == DISK_FORMAT_RAW;
        uint64_t capacity;
        int r = owner_files_header(copy->domain, path, &header, &capacity, error);

        if (r < 0)
                return r;
        if (!is_raw && g_strcmp0(header.format, "qcow2") != 0)
                return error_set(error, ERROR_OPERATION_FAILED, "%s is no qcow2 image but %s", path,
                                 header.format);
        if (!is_raw && header.has_data_file)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "%s has its data in another file: such images are not worked on", path);
        if (!is_raw && header.backing_path && !copy->is_shallow)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "%s lies over %s, which a whole copy does not", path, header.backing_path);
        if (!is_raw)
                capacity = header.capacity;
        if (capacity < size || (capacity > size && place->type == DISK_TYPE_FILE))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "%s has %" PRIu64 " bytes, disk '%s' has %" PRIu64, path, capacity,
                                 copy->disk->target, size);
        return copy->is_shallow ? image_tool_check_base(copy->domain, path,
                                                        chain_path(&copy->disk->backing->source), error)
                                : 0;
}

static int make_image(Copy *copy, Error *error) AWAITS
{
        const DomainDisk *place = copy->place;
        const DiskBacking *below = copy->is_shallow ? copy->disk->backing : NULL;
        uint64_t size;
        int r = chain_size(copy->domain, copy->disk, &size, error);

        if (r < 0)
                return r;
        if (copy->must_exist)
                return check_image(copy, size, error);
        const NewImage image = { .path = chain_path(&place->source),
                                 .is_device = place->type == DISK_TYPE_BLOCK,
                                 .format = place->format,
                                 .size = size,
                                 .base = below ? chain_path(&below->source) : NULL,
                                 .base_format = below ? below->format : DISK_FORMAT_ABSENT };
        r = image_tool_create(copy->domain, &image, error);
        copy->is_made = r >= 0 && !image.is_device;
        return r;
}

static int set_mirror(const Copy *copy, Error *error) AWAITS
{
        Domain *domain = copy->domain;
        DomainDisk *disk;
        DiskMirror *mirror;
        int r = block_job_find_disk(domain, copy->disk->target, &disk, error);

        if (r < 0)
                return r;
        mirror = disk->mirror = struct_new(&disk_mirror_type);
        mirror->type = copy->place->type;
        mirror->format = copy->place->format;
        mirror->job = g_strdup(BLOCK_JOB_MIRROR_COPY);
        chain_copy_source(&mirror->source, copy->place->type, &copy->place->source, copy->index);
        mirror->backing = copy->is_shallow ? struct_copy(&disk_backing_type, disk->backing)
                                           : struct_new(&disk_backing_type); /* the chain ends */
        return status_save(domain, error);
}

/* QEMU's part of it. */
static int mirror(Copy *copy, Error *error) AWAITS
{
        Domain *domain = copy->domain;
        const DomainDisk *disk = copy->disk;
        _cleanup_(freep) char *root = NULL, *image = chain_node(disk, disk->source.index),
                              *target = chain_node(disk, copy->index),
                              *below = copy->is_shallow ? chain_node(disk, disk->backing->index) : NULL;
        json_t *arguments;
        int r = chain_add_nodes(domain, disk,
                                &(ChainImage){ .path = chain_path(&copy->place->source),
                                               .is_device = copy->place->type == DISK_TYPE_BLOCK,
                                               .format = copy->place->format,
                                               .index = copy->index,
                                               .below = below },
                                error);

        if (r < 0)
                return r;
        r = chain_find_root(domain, disk, &root, error);
        if (r >= 0) {
                arguments = TAKE_PTR(copy->arguments);
                json_object_set_new(arguments, "device", json_string(root));
                json_object_set_new(arguments, "target", json_string(target));
                json_object_set_new(arguments, "sync", json_string(copy->is_shallow ? "top" : "full"));
                if (strcmp(root, image) != 0) /* what limits the disk stays above it */
                        json_object_set_new(arguments, "replaces", json_string(image));
                r = block_job_start(domain, disk->target, "blockdev-mirror", arguments, false, error);
        }
        if (r < 0)
                chain_remove_nodes(domain, disk, copy->index);
        return r;
}

static int run(Copy *copy, Error *error) AWAITS
{
        Domain *domain = copy->domain;
        int r = resolve_volume(copy, error);

        if (r >= 0)
                r = check_place(copy, error);
        if (r >= 0)
                r = set_mirror(copy, error);
        if (r >= 0) /* before anything is written */
                r = images_check_copy(domain, copy->place, false, deadline_after_usec(QMP_TIMEOUT_USEC),
                                      error);
        if (r >= 0)
                r = make_image(copy, error);
        if (r >= 0)
                r = mirror(copy, error);
        if (r >= 0)
                return 0;
        fiber_clear_cancel();
        (void)block_job_drop_mirror(domain, copy->disk->target, NULL);
        if (copy->is_made)
                (void)owner_files_remove(domain, chain_path(&copy->place->source), NULL); /* of no use */
        return r;
}

int block_copy_begin(Domain *domain, const char *name, DomainDisk *place, json_t *arguments, bool is_shallow,
                     bool must_exist, Error *error)
{
        _cleanup_(copy_clear) Copy copy = {
                .domain = domain, .place = place, .arguments = arguments, .must_exist = must_exist
        };
        DomainDisk *disk;
        int r = block_job_find_idle(domain, name, &disk, error);

        if (r >= 0)
                r = check_disk(disk, error);
        if (r < 0)
                return r;
        copy.disk = struct_copy(&domain_disk_type, disk); /* it may go while we wait */
        copy.index = chain_free_index(disk);
        copy.is_shallow = is_shallow && has_below(disk);
        g_free(place->target);
        place->target = g_strdup(disk->target);
        return run(&copy, error);
}

static void go_over(DomainDefinition *definition, const char *target, const DiskMirror *mirror)
{
        DomainDisk *disk = chain_find_disk(definition, target);

        chain_move(disk, mirror->type, mirror->format, &mirror->source,
                   mirror->backing && mirror->backing->type != DISK_TYPE_ABSENT);
        if (disk->mirror)
                disk->mirror = struct_free(&disk_mirror_type, disk->mirror);
}

/* The kept definition first: it is what a later start believes. */
int block_copy_follow(Domain *domain, const void *data, Error *error)
{
        const char *target = data;
        _cleanup_(domain_definition_freep) DomainDefinition *kept = NULL, *live = NULL;
        DomainDisk *disk = chain_find_disk(domain->live, target);
        DiskMirror *mirror;
        int r = 0;

        if (!disk || !disk->mirror)
                return error_set(error, ERROR_OPERATION_FAILED, "The machine has ended");
        mirror = struct_copy(&disk_mirror_type, disk->mirror);
        if (domain->is_persistent && chain_is_same(chain_find_disk(domain->definition, target), disk)) {
                const uint32_t index = mirror->source.index;

                kept = domain_definition_copy(domain->definition);
                mirror->source.index = 0; /* numbers are of the run */
                go_over(kept, target, mirror);
                mirror->source.index = index;
                r = definitions_save(domain, kept, domain->is_autostart, error);
                if (r >= 0) {
                        domain_definition_free(domain->definition);
                        domain->definition = TAKE_PTR(kept);
                }
        }
        /* What it is now: devices may have gone meanwhile. */
        if (r >= 0 && chain_find_disk(domain->live, target)) {
                live = domain_definition_copy(domain->live);
                go_over(live, target, mirror);
                domain_set_live(domain, TAKE_PTR(live));
                r = status_save(domain, error);
        }
        (void)struct_free(&disk_mirror_type, mirror);
        return r;
}

static void set_parameters(json_t *arguments, const CopyParameters *parameters, uint32_t flags)
{
        json_object_set_new(arguments, "speed", json_integer((json_int_t)parameters->bandwidth));
        if (parameters->granularity > 0)
                json_object_set_new(arguments, "granularity", json_integer(parameters->granularity));
        if (parameters->buffer_size > 0)
                json_object_set_new(arguments, "buf-size",
                                    json_integer((json_int_t)parameters->buffer_size));
        if (flags & COPY_SYNCHRONOUS_WRITES)
                json_object_set_new(arguments, "copy-mode", json_string("write-blocking"));
}

int qemu_domain_block_copy(Call *call, Domain *domain, const char *disk, const char *xml, GVariant *params,
                           uint32_t flags, Error *error)
{
        CopyParameters parameters = {};
        json_t *arguments;
        DomainDisk *place;
        int r = error_check_flags(error, "BlockCopy", flags,
                                  COPY_SHALLOW | COPY_REUSE_EXT | COPY_TRANSIENT_JOB |
                                          COPY_SYNCHRONOUS_WRITES);

        (void)call;
        if (r >= 0)
                r = chain_read_copy_parameters(params, &parameters, error);
        if (r >= 0)
                r = chain_read_place(xml, &place, error);
        if (r < 0)
                return r;
        arguments = json_object();
        set_parameters(arguments, &parameters, flags);
        return block_copy_begin(domain, disk, place, arguments, flags & COPY_SHALLOW, flags & COPY_REUSE_EXT,
                                error);
}
