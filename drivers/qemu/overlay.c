/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a machine writes to a transient disk. Nothing of it has to be found or removed later, whatever ends:
 * QEMU holds the only descriptor. */

#include "drivers/qemu/overlay.h"
#include "core/worker.h"
#include "drivers/qemu/passed.h"
#include "drivers/storage/device.h"
#include "drivers/storage/image.h"
#include "model/volume-header.h"
#include <fcntl.h>
#include <stdlib.h>

#define FAILED (-EIO)

typedef struct Task {
        char *path, *folder;
        uint64_t capacity;
        int fd;
        Error error;
} Task;

static void task_free(void *data)
{
        Task *task = data;

        closep(&task->fd);
        error_clear(&task->error);
        g_free(task->path);
        g_free(task->folder);
        g_free(task);
}

static int measure(Task *task)
{
        _cleanup_(volume_header_clear) VolumeHeader header = {};
        _cleanup_(freep) uint8_t *bytes = g_malloc(VOLUME_HEADER_BYTES);
        _cleanup_(closep) int fd = passed_open(task->path, &(PassedOptions){}, &task->error);
        struct stat status;
        ssize_t size;

        if (fd < 0)
                return fd;
        size = pread(fd, bytes, VOLUME_HEADER_BYTES, 0);
        if (size < 0 || device_stat(fd, &status) < 0)
                return error_set_errno(&task->error, errno, "Cannot read %s", task->path);
        if (volume_header_read(bytes, (size_t)size, &header, &task->error) < 0)
                return FAILED;
        task->capacity = header.has_capacity ? header.capacity
                                             : (uint64_t)status.st_size -
                                                       MIN(header.data_offset, (uint64_t)status.st_size);
        return 0;
}

/* Not every file system has files without a name from the start. */
static int open_unnamed(const char *folder)
{
        _cleanup_(freep) char *name = NULL;
        int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

        if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
                return fd < 0 ? -errno : fd;
        name = g_build_filename(folder, "overlay-XXXXXX", NULL);
        fd = mkostemp(name, O_CLOEXEC);
        if (fd < 0)
                return -errno;
        (void)unlink(name); /* it is ours alone */
        return fd;
}

static int prepare(void *data)
{
        Task *task = data;

        if (measure(task) < 0)
                return FAILED;
        task->fd = open_unnamed(task->folder);
        if (task->fd < 0)
                (void)error_set_errno(&task->error, task->fd, "Cannot make a file in %s", task->folder);
        return task->fd < 0 ? FAILED : 0;
}

static int fill(Task *task, int *ret_fd, Error *error) AWAITS
{
        StorageVolumeDefinition definition = { .name = (char *)"overlay",
                                               .has_capacity = true,
                                               .capacity = task->capacity,
                                               .target = { .compat = VOLUME_COMPAT_1_1 } };
        int r = image_create(&(Image){ .fd = task->fd, .format = "qcow2" }, &definition, false, error);

        if (r >= 0)
                *ret_fd = TAKE_FD(task->fd);
        return r;
}

int overlay_make(const Driver *driver, const char *path, uint64_t deadline_usec, int *ret_fd, Error *error)
{
        Task *task = g_new0(Task, 1);
        int r;

        task->path = g_strdup(path);
        task->folder = g_strdup(driver->config->state_dir);
        task->fd = -EBADF;
        r = worker_run(prepare, task, task_free, deadline_usec);
        if (r == -ETIMEDOUT || r == -ECANCELED) /* the thread has it still */
                return error_set(error, r == -ETIMEDOUT ? ERROR_TIMED_OUT : ERROR_CANCELLED,
                                 "Looking at %s took too long", path);
        if (r == FAILED) {
                error_move(error, &task->error);
                r = -error_code_to_errno(error ? error->code : ERROR_OPERATION_FAILED);
        } else if (r >= 0) {
                r = fill(task, ret_fd, error);
        }
        task_free(task);
        return r;
}
