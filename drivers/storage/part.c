/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whoever fills one holds its lock, so that files_tidy() lets it be. */

#include "drivers/storage/part.h"
#include "core/fiber.h"
#include "core/worker.h"
#include "drivers/storage/lock.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>

typedef struct Task Task;
struct Task {
        int (*step)(Task *task);
        int fd, result_fd, present_fd;
        const char *name, *other;
        uint64_t capacity;
};

static int run_step(void *data)
{
        Task *task = data;

        return task->step(task);
}

static int run_plain(Task *task) AWAITS
{
        return fiber_current() ? worker_finish(run_step, task) : run_step(task);
}

static int run(Task *task, const char *what, Error *error) AWAITS
{
        int r = run_plain(task);

        return r < 0 ? error_set_errno(error, r, "Cannot %s '%s'", what, task->name) : r;
}

char *part_name(void)
{
        return g_strdup_printf(FILES_PART_PREFIX "%d-%08x%08x", getpid(), g_random_int(), g_random_int());
}

static int create_step(Task *task)
{
        task->result_fd =
                openat(task->fd, task->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        return task->result_fd < 0 ? -errno : image_lock(task->result_fd, true);
}

int part_create(int fd, const char *name, int *ret_fd, Error *error)
{
        Task task = { .step = create_step, .fd = fd, .name = name };
        int r = run(&task, "make", error);

        if (r >= 0)
                *ret_fd = task.result_fd;
        return r;
}

static int sync_step(Task *task)
{
        return fsync(task->fd) < 0 ? -errno : 0;
}

int part_sync(int file, const char *name, Error *error)
{
        return run(&(Task){ .step = sync_step, .fd = file, .name = name }, "write to", error);
}

static int extend_step(Task *task)
{
        return ftruncate(task->fd, (off_t)task->capacity) < 0 ? -errno : 0;
}

int part_extend(int file, uint64_t size, const char *name, Error *error)
{
        return run(&(Task){ .step = extend_step, .fd = file, .name = name, .capacity = size }, "extend",
                   error);
}

static int share_step(Task *task)
{
        return ioctl(task->result_fd, FICLONE, task->fd) < 0 ? -errno : 0;
}

int part_share(int from, int to, const char *name, Error *error)
{
        Task task = { .step = share_step, .fd = from, .name = name, .result_fd = to };
        int r = run_plain(&task);

        if (r == -EOPNOTSUPP || r == -EXDEV || r == -ENOTTY || r == -EINVAL)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The blocks of '%s' cannot be shared: its file system does not do it "
                                 "(btrfs and xfs do)",
                                 name);
        return r < 0 ? error_set_errno(error, r, "Cannot share the blocks of '%s'", name) : r;
}

/* Owner and mode are those of `present`, an open file. */
static int replace_step(Task *task)
{
        struct stat present, named;

        if (fstat(task->present_fd, &present) < 0 ||
            fstatat(task->fd, task->other, &named, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (present.st_dev != named.st_dev || present.st_ino != named.st_ino)
                return -ESTALE;
        if (ftruncate(task->result_fd, (off_t)MAX(task->capacity, (uint64_t)present.st_size)) < 0 ||
            fchown(task->result_fd, present.st_uid, present.st_gid) < 0 ||
            fchmod(task->result_fd, present.st_mode & 07777) < 0 || fsync(task->result_fd) < 0 ||
            renameat(task->fd, task->name, task->fd, task->other) < 0 || fsync(task->fd) < 0)
                return -errno;
        return 0;
}

int part_replace(int fd, const char *part, int part_fd, const char *name, int present_fd, uint64_t size,
                 Error *error)
{
        Task task = { .step = replace_step,
                      .fd = fd,
                      .name = part,
                      .other = name,
                      .result_fd = part_fd,
                      .present_fd = present_fd,
                      .capacity = size };

        return run(&task, "finish", error);
}
