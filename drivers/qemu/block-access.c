/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/block-access.h"
#include "core/worker.h"
#include "drivers/qemu/block-job.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/owner-files.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* virDomainBlockResizeFlags, virDomainMemoryFlags, and what of virDomainDiskErrorCode there is. */
enum { RESIZE_BYTES = 1 << 0 };
enum { MEMORY_VIRTUAL = 1 << 0, MEMORY_PHYSICAL = 1 << 1 };
enum { DISK_ERROR_UNSPEC = 1, DISK_ERROR_NO_SPACE = 2 };

#define PEEK_MAX 65536

int qemu_domain_block_resize(Call *call, Domain *domain, const char *name, uint64_t size, uint32_t flags,
                             Error *error)
{
        _cleanup_(freep) char *node = NULL;
        DomainDisk *disk;
        int r = error_check_flags(error, "BlockResize", flags, RESIZE_BYTES);

        (void)call;
        if (r >= 0)
                r = chain_wanted_bytes(size, flags & RESIZE_BYTES, &size, error);
        if (r >= 0)
                r = block_job_find_disk(domain, name, &disk, error);
        if (r < 0)
                return r;
        node = chain_node(disk, disk->source.index);
        return machine_command(domain, "block_resize",
                               json_pack("{s:s, s:I}", "node-name", node, "size", (json_int_t)size), NULL,
                               error);
}

int qemu_domain_set_block_threshold(Call *call, Domain *domain, const char *name, uint64_t threshold,
                                    uint32_t flags, Error *error)
{
        _cleanup_(freep) char *node = NULL;
        DomainDisk *disk;
        int r = error_check_flags(error, "SetBlockThreshold", flags, 0);

        (void)call;
        if (r >= 0 && threshold > INT64_MAX)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "A threshold of %" PRIu64 " is too large",
                              threshold);
        if (r >= 0)
                r = block_job_find_disk(domain, name, &disk, error);
        if (r < 0)
                return r;
        node = chain_storage_node(disk, disk->source.index);
        return machine_command(
                domain, "block-set-write-threshold",
                json_pack("{s:s, s:I}", "node-name", node, "write-threshold", (json_int_t)threshold), NULL,
                error);
}

static const DomainDisk *disk_of(const Domain *domain, const char *device)
{
        _cleanup_(strvp) char **parts = device ? g_strsplit(device, "/", -1) : NULL;

        LIST_FOREACH (disk, domain->live->devices.disks) {
                if (parts && disk->info.alias &&
                    g_strv_contains((const char *const *)parts, disk->info.alias))
                        return disk;
        }
        return NULL;
}

int qemu_domain_get_disk_errors(Call *call, Domain *domain, uint32_t flags, GVariant **ret_errors,
                                Error *error)
{
        _cleanup_(json_decrefp) json_t *devices = NULL;
        GVariantBuilder errors;
        json_t *device;
        size_t i;
        int r = error_check_flags(error, "GetDiskErrors", flags, 0);

        (void)call;
        if (r >= 0)
                r = machine_command(domain, "query-block", NULL, &devices, error);
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        g_variant_builder_init(&errors, G_VARIANT_TYPE("a(si)"));
        json_array_foreach(devices, i, device)
        {
                const char *status = json_string_value(json_object_get(device, "io-status"));
                const DomainDisk *disk = disk_of(domain, json_string_value(json_object_get(device, "qdev")));

                if (!disk || !status || strcmp(status, "ok") == 0)
                        continue;
                g_variant_builder_add(&errors, "(si)", disk->target,
                                      strcmp(status, "nospace") == 0 ? DISK_ERROR_NO_SPACE
                                                                     : DISK_ERROR_UNSPEC);
        }
        *ret_errors = g_variant_ref_sink(g_variant_builder_end(&errors));
        return 0;
}

typedef struct Reading {
        int fd;
        off_t offset;
        size_t size;
        uint8_t *bytes;
        ssize_t n_read;
} Reading;

static int read_step(void *data)
{
        Reading *reading = data;

        reading->n_read = pread(reading->fd, reading->bytes, reading->size, reading->offset);
        return reading->n_read < 0 ? -errno : 0;
}

int qemu_domain_block_peek(Call *call, Domain *domain, const char *name, uint64_t offset, uint64_t size,
                           uint32_t flags, GVariant **ret_buffer, Error *error)
{
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) uint8_t *bytes = NULL;
        _cleanup_(freep) char *path = NULL;
        Reading reading;
        DomainDisk *disk;
        int r = error_check_flags(error, "BlockPeek", flags, 0);

        (void)call;
        if (r >= 0 && (size == 0 || size > PEEK_MAX || offset > INT64_MAX - PEEK_MAX))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "BlockPeek reads 1 to %d bytes at a time",
                              PEEK_MAX);
        if (r >= 0)
                r = chain_find_named(domain_current_definition(domain), name, &disk, error);
        if (r < 0)
                return r;
        if ((disk->format != DISK_FORMAT_RAW && disk->format != DISK_FORMAT_ABSENT) ||
            !chain_path(&disk->source))
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "Disk '%s' is no raw file or block device: only of such can be read",
                                 disk->target);
        path = g_strdup(chain_path(&disk->source));
        fd = owner_files_open(domain, path, false, error);
        if (fd < 0)
                return fd;
        bytes = g_malloc(size);
        reading = (Reading){ .fd = fd, .offset = (off_t)offset, .size = size, .bytes = bytes };
        r = worker_finish(read_step, &reading);
        if (r < 0)
                return error_set_errno(error, r, "Cannot read %s", path);
        if (reading.n_read != (ssize_t)size)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "%s ends before offset %" PRIu64 " and %" PRIu64 " bytes more", path,
                                 offset, size);
        *ret_buffer = g_variant_ref_sink(g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes, size, 1));
        return 0;
}

/* What QEMU wrote to a file in the folder that is its user's: anything may stand there. */
static int read_file(int folder, const char *name, uint64_t size, GVariant **ret_buffer, Error *error)
{
        _cleanup_(closep) int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        _cleanup_(freep) uint8_t *bytes = g_malloc(size);
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
            pread(fd, bytes, size, 0) != (ssize_t)size)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "QEMU did not give the memory that was asked for");
        *ret_buffer = g_variant_ref_sink(g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes, size, 1));
        return 0;
}

int qemu_domain_memory_peek(Call *call, Domain *domain, uint64_t offset, uint64_t size, uint32_t flags,
                            GVariant **ret_buffer, Error *error)
{
        _cleanup_(freep) char *run = folder_path(domain);
        _cleanup_(freep) char *name = g_strdup_printf(FOLDER_OWN "/peek-%08x", g_random_int());
        _cleanup_(freep) char *path = g_build_filename(run, name, NULL);
        _cleanup_(closep) int folder = -EBADF;
        int r = error_check_flags(error, "MemoryPeek", flags, MEMORY_VIRTUAL | MEMORY_PHYSICAL);

        (void)call;
        if (r >= 0 && flags != MEMORY_VIRTUAL && flags != MEMORY_PHYSICAL)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "MemoryPeek needs one of VIRTUAL (1) and PHYSICAL (2)");
        if (r >= 0 && (size == 0 || size > PEEK_MAX || offset > INT64_MAX))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "MemoryPeek reads 1 to %d bytes at a time",
                              PEEK_MAX);
        if (r >= 0)
                r = machine_check_monitor(domain, error);
        if (r < 0)
                return r;
        folder = folder_open(domain, error);
        if (folder < 0)
                return folder;
        r = machine_command(domain, flags == MEMORY_VIRTUAL ? "memsave" : "pmemsave",
                            json_pack("{s:I, s:I, s:s}", "val", (json_int_t)offset, "size", (json_int_t)size,
                                      "filename", path),
                            NULL, error);
        if (r >= 0)
                r = read_file(folder, name, size, ret_buffer, error);
        (void)unlinkat(folder, name, 0); /* else it goes with the run */
        return r;
}
