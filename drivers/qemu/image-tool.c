/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/image-tool.h"
#include "core/fiber.h"
#include "core/worker.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX (4 * 1024 * 1024)
#define FIRST_FD   "/proc/self/fd/3"

static int run(const Domain *domain, const char *const *arguments, int fd, char **ret_output,
               Error *error) AWAITS
{
        _cleanup_(freep) char *tool = g_find_program_in_path("qemu-img"), *output = NULL;
        _cleanup_(run_user_clear) RunUser user = {};
        _cleanup_(g_ptr_array_unrefp) GPtrArray *all = g_ptr_array_new();
        bool is_other;
        size_t size;
        int r;

        if (!tool)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "This host has no qemu-img, which works on images");
        r = owner_find(domain, &user, &is_other, error);
        if (r < 0)
                return r;
        g_ptr_array_add(all, tool);
        for (size_t i = 0; arguments[i]; i++)
                g_ptr_array_add(all, (char *)arguments[i]);
        g_ptr_array_add(all, NULL);
        const ChildOptions options = {
                .arguments = (const char *const *)all->pdata,
                .fds = &fd,
                .n_fds = fd < 0 ? 0 : 1,
                .stdin_fd = -EBADF,
                .stdout_fd = -EBADF,
                .stderr_fd = -EBADF,
                .set_user = is_other,
                .uid = user.uid,
                .gid = user.gid,
                .groups = user.groups,
                .n_groups = user.n_groups,
        };
        r = child_run(&options, NULL, 0, OUTPUT_MAX, DEADLINE_NEVER, &output, &size, error);
        if (r >= 0 && ret_output)
                *ret_output = TAKE_PTR(output);
        return r;
}

/* An image that keeps its data in another file would be a way to any file. */
static int check_header(const Domain *domain, const char *path, VolumeHeader *ret_header,
                        uint64_t *ret_capacity, Error *error) AWAITS
{
        _cleanup_(volume_header_clear) VolumeHeader header = {};
        uint64_t size;
        int r = owner_files_header(domain, path, &header, &size, error);

        if (r < 0)
                return r;
        if (header.has_data_file)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "%s has its data in another file: such images are not worked on", path);
        if (ret_capacity)
                *ret_capacity = header.has_capacity ? header.capacity : size;
        if (ret_header) {
                *ret_header = header;
                header = (VolumeHeader){};
        }
        return 0;
}

static int check_qcow2(const Domain *domain, const char *path, Error *error) AWAITS
{
        _cleanup_(volume_header_clear) VolumeHeader header = {};
        int r = check_header(domain, path, &header, NULL, error);

        if (r >= 0 && strcmp(header.format, "qcow2") != 0)
                r = error_set(error, ERROR_OPERATION_FAILED, "%s is no qcow2 image but %s", path,
                              header.format);
        return r;
}

static int snapshot_command(const Domain *domain, const char *path, const char *option, const char *name,
                            Error *error) AWAITS
{
        /* Names may begin with a dash. */
        _cleanup_(freep) char *both = g_strdup_printf("%s%s", option, name);
        const char *const arguments[] = { "snapshot", "-q", both, path, NULL };
        int r = check_qcow2(domain, path, error);

        return r < 0 ? r : run(domain, arguments, -EBADF, NULL, error);
}

int image_tool_snapshot_create(const Domain *domain, const char *path, const char *name, Error *error)
{
        return snapshot_command(domain, path, "-c", name, error);
}

int image_tool_snapshot_apply(const Domain *domain, const char *path, const char *name, Error *error)
{
        return snapshot_command(domain, path, "-a", name, error);
}

int image_tool_snapshot_delete(const Domain *domain, const char *path, const char *name, Error *error)
{
        return snapshot_command(domain, path, "-d", name, error);
}

int image_tool_snapshot_exists(const Domain *domain, const char *path, const char *name, bool *ret_exists,
                               Error *error)
{
        const char *const arguments[] = { "info", "-U", "--output=json", path, NULL };
        _cleanup_(freep) char *output = NULL;
        _cleanup_(json_decrefp) json_t *info = NULL;
        json_t *snapshot;
        size_t i;
        int r = check_qcow2(domain, path, error);

        if (r >= 0)
                r = run(domain, arguments, -EBADF, &output, error);
        if (r < 0)
                return r;
        info = json_loads(output, 0, NULL);
        if (!info)
                return error_set(error, ERROR_OPERATION_FAILED, "qemu-img says nothing of %s", path);
        *ret_exists = false;
        json_array_foreach(json_object_get(info, "snapshots"), i, snapshot)
        {
                const char *other = json_string_value(json_object_get(snapshot, "name"));

                *ret_exists |= other && strcmp(other, name) == 0;
        }
        return 0;
}

static const char *format_name(DiskFormat format)
{
        return format == DISK_FORMAT_ABSENT || format == DISK_FORMAT_ISO ? "raw"
                                                                         : disk_format_to_string(format);
}

static int sync_fd(void *data)
{
        return fsync(*(int *)data) < 0 ? -errno : 0;
}

int image_tool_create(const Domain *domain, const NewImage *image, Error *error)
{
        _cleanup_(freep) char *size = g_strdup_printf("%" G_GUINT64_FORMAT, image->size);
        const char *const over[] = { "create", "-q",        "-f", format_name(image->format),      "-u",
                                     "-b",     image->base, "-F", format_name(image->base_format), FIRST_FD,
                                     size,     NULL },
                          *const alone[] = { "create", "-q", "-f", format_name(image->format),
                                             FIRST_FD, size, NULL };
        _cleanup_(closep) int fd = image->is_device ? owner_files_open(domain, image->path, true, error)
                                                    : owner_files_create(domain, image->path, error);
        int r = fd < 0 ? fd : 0;

        if (r < 0)
                return r;
        r = run(domain, image->base ? over : alone, fd, NULL, error);
        if (r >= 0) {
                r = worker_finish(sync_fd, &fd);
                if (r < 0)
                        (void)error_set_errno(error, r, "Cannot sync %s", image->path);
        }
        if (r < 0 && !image->is_device) {
                fiber_clear_cancel();
                (void)owner_files_remove(domain, image->path, NULL); /* it is ours, and of no use */
        }
        return r;
}

int image_tool_create_overlay(const Domain *domain, const char *path, const char *base,
                              DiskFormat base_format, uint64_t size, Error *error)
{
        NewImage image = { .path = path,
                           .format = DISK_FORMAT_QCOW2,
                           .size = size,
                           .base = base,
                           .base_format = base_format };
        int r = size == 0 ? check_header(domain, base, NULL, &image.size, error) : 0;

        return r < 0 ? r : image_tool_create(domain, &image, error);
}

int image_tool_check_base(const Domain *domain, const char *path, const char *base, Error *error)
{
        _cleanup_(volume_header_clear) VolumeHeader header = {};
        _cleanup_(freep) char *folder = g_path_get_dirname(path), *below = NULL;
        int r = check_header(domain, path, &header, NULL, error);

        if (r < 0)
                return r;
        if (header.backing_path)
                below = g_canonicalize_filename(header.backing_path, folder);
        if (!below || strcmp(below, base) != 0)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "%s lies over %s, not over %s as the definition says", path,
                                 below ? below : "nothing", base);
        return 0;
}

bool image_tool_is_same(const Domain *domain, const char *path, const char *base, DiskFormat base_format)
{
        const char *const arguments[] = {
                "compare", "-q", "-U", "-f", "qcow2", "-F", format_name(base_format), path, base, NULL
        };

        return image_tool_check_base(domain, path, base, NULL) >= 0 &&
               check_header(domain, base, NULL, NULL, NULL) >= 0 &&
               run(domain, arguments, -EBADF, NULL, NULL) >= 0;
}

int image_tool_commit(const Domain *domain, const char *path, const char *base, Error *error)
{
        const char *const arguments[] = { "commit", "-q", "-f", "qcow2", "-d", "-b", base, path, NULL };
        int r = image_tool_check_base(domain, path, base, error);

        if (r >= 0)
                r = check_header(domain, base, NULL, NULL, error);
        return r < 0 ? r : run(domain, arguments, -EBADF, NULL, error);
}

int image_tool_rebase(const Domain *domain, const char *path, const char *base, DiskFormat base_format,
                      Error *error)
{
        const char *const arguments[] = {
                "rebase", "-q", "-u", "-f", "qcow2", "-b", base, "-F", format_name(base_format), path, NULL
        };
        int r = check_qcow2(domain, path, error);

        return r < 0 ? r : run(domain, arguments, -EBADF, NULL, error);
}
