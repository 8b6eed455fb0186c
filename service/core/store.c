/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files that survive a crash at any moment: there is always the old content or the new one. What waits for
 * the disk is done by a worker when a fiber asks, and the worker keeps its own copy of everything. */

#include "core/store.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/worker.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TEMPORARY_PREFIX ".virtbus-tmp-"

static int check_name(const char *name, Error *error)
{
        size_t size = strlen(name);

        if (size == 0 || size > NAME_MAX || strchr(name, '/') || g_str_equal(name, ".") ||
            g_str_equal(name, ".."))
                return error_set(error, ERROR_INVALID_ARGUMENT, "'%s' cannot be the name of a file", name);
        return 0;
}

static int make_folders(const char *path, mode_t mode)
{
        _cleanup_(freep) char *partial = g_strdup(path);

        for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(partial, 0755) < 0 && errno != EEXIST)
                        return -errno;
                *slash = '/';
        }
        if (mkdir(partial, mode) < 0 && errno != EEXIST)
                return -errno;
        return 0;
}

int store_open_folder(const char *path, mode_t mode, Error *error)
{
        int r = make_folders(path, mode);

        if (r < 0)
                return error_set_errno(error, r, "Cannot create folder %s", path);

        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(error, errno, "Cannot open folder %s", path);
        return fd;
}

/* One task for a worker: everything in it is its own. */
typedef struct Task {
        int folder_fd;
        char *name, *new_name;
        void *bytes;
        size_t size;
        mode_t mode;
        const char *failed_step;
} Task;

static void task_free(Task *task)
{
        closep(&task->folder_fd);
        g_free(task->name);
        g_free(task->new_name);
        g_free(task->bytes);
        g_free(task);
}

static int write_all(int fd, const char *bytes, size_t size)
{
        while (size > 0) {
                ssize_t n = write(fd, bytes, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                bytes += n;
                size -= (size_t)n;
        }
        return 0;
}

static int fail(Task *task, const char *step)
{
        task->failed_step = step;
        return -errno;
}

static int write_temporary(Task *task, const char *temporary)
{
        _cleanup_(closep) int fd = openat(task->folder_fd, temporary,
                                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, task->mode);

        if (fd < 0)
                return fail(task, "create");
        if (write_all(fd, task->bytes, task->size) < 0)
                return fail(task, "write");
        if (fchmod(fd, task->mode) < 0)
                return fail(task, "set the mode of");
        if (fsync(fd) < 0)
                return fail(task, "sync");
        return 0;
}

static int write_step(void *data)
{
        Task *task = data;
        _cleanup_(freep) char *temporary =
                g_strdup_printf(TEMPORARY_PREFIX "%08x%08x", g_random_int(), g_random_int());
        int r = write_temporary(task, temporary);

        if (r >= 0 && renameat(task->folder_fd, temporary, task->folder_fd, task->name) < 0)
                r = fail(task, "rename");
        if (r < 0) {
                (void)unlinkat(task->folder_fd, temporary, 0); /* store_visit() finds what stays */
                return r;
        }
        return fsync(task->folder_fd) < 0 ? fail(task, "sync the folder of") : 0;
}

static int remove_step(void *data)
{
        Task *task = data;

        if (unlinkat(task->folder_fd, task->name, 0) < 0)
                return errno == ENOENT ? 0 : fail(task, "remove");
        return fsync(task->folder_fd) < 0 ? fail(task, "sync the folder of") : 0;
}

static int rename_step(void *data)
{
        Task *task = data;

        if (renameat2(task->folder_fd, task->name, task->folder_fd, task->new_name, RENAME_NOREPLACE) < 0)
                return fail(task, "rename");
        return fsync(task->folder_fd) < 0 ? fail(task, "sync the folder of") : 0;
}

/* Not to be cancelled: memory and disk would disagree about what is defined. */
static int run_task(WorkerFunction step, Task *task, Error *error)
{
        int r;

        if (task->folder_fd < 0)
                r = fail(task, "use the folder of");
        else
                r = fiber_current() ? worker_finish(step, task) : step(task);
        if (r < 0)
                (void)error_set_errno(error, r, "Cannot %s %s",
                                      task->failed_step ? task->failed_step : "write", task->name);
        task_free(task);
        return r;
}

static Task *task_new(int folder_fd, const char *name)
{
        Task *task = g_new0(Task, 1);

        task->folder_fd = fcntl(folder_fd, F_DUPFD_CLOEXEC, 3);
        task->name = g_strdup(name);
        return task;
}

int store_write(int folder_fd, const char *name, const void *data, size_t size, mode_t mode, Error *error)
{
        int r = check_name(name, error);

        if (r < 0)
                return r;

        Task *task = task_new(folder_fd, name);

        task->bytes = g_memdup2(data, size);
        task->size = size;
        task->mode = mode;
        return run_task(write_step, task, error);
}

int store_remove(int folder_fd, const char *name, Error *error)
{
        int r = check_name(name, error);

        return r < 0 ? r : run_task(remove_step, task_new(folder_fd, name), error);
}

int store_rename(int folder_fd, const char *from, const char *to, Error *error)
{
        int r = check_name(from, error);

        if (r >= 0)
                r = check_name(to, error);
        if (r < 0)
                return r;

        Task *task = task_new(folder_fd, from);

        task->new_name = g_strdup(to);
        return run_task(rename_step, task, error);
}

static int read_all(int fd, char *buffer, size_t size, size_t *ret_size)
{
        size_t n_read = 0;

        while (n_read < size) {
                ssize_t n = read(fd, buffer + n_read, size - n_read);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                n_read += (size_t)n;
        }
        *ret_size = n_read;
        return 0;
}

int store_read(int folder_fd, const char *name, size_t max_size, char **ret_data, size_t *ret_size,
               Error *error)
{
        /* A FIFO would keep us at open() without O_NONBLOCK. */
        _cleanup_(closep) int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat status;

        if (fd < 0)
                return error_set_errno(error, errno, "Cannot open %s", name);
        if (fstat(fd, &status) < 0)
                return error_set_errno(error, errno, "Cannot look at %s", name);
        if (!S_ISREG(status.st_mode))
                return error_set(error, ERROR_OPERATION_FAILED, "%s is not a regular file", name);
        if ((uint64_t)status.st_size > max_size)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "%s has %" PRIu64 " bytes, at most %zu are read", name,
                                 (uint64_t)status.st_size, max_size);

        _cleanup_(freep) char *buffer = g_malloc((size_t)status.st_size + 1);
        size_t size = 0;
        int r = read_all(fd, buffer, (size_t)status.st_size, &size);

        if (r < 0)
                return error_set_errno(error, r, "Cannot read %s", name);
        buffer[size] = '\0';
        *ret_data = TAKE_PTR(buffer);
        *ret_size = size;
        return 0;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_temporary(const char *name)
{
        return g_str_has_prefix(name, TEMPORARY_PREFIX);
}

int store_list(int folder_fd, const char *suffix, GPtrArray **ret_names, Error *error)
{
        GPtrArray *names;
        int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);

        if (!folder) {
                int errnum = errno;

                closep(&fd);
                return error_set_errno(error, errnum, "Cannot list the folder");
        }
        names = g_ptr_array_new_with_free_func(g_free);
        for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
                if (is_temporary(entry->d_name) && unlinkat(folder_fd, entry->d_name, 0) < 0)
                        log_warning(entry->d_name, "cannot remove a leftover: %s", g_strerror(errno));
                if (!is_temporary(entry->d_name) && entry->d_name[0] != '.' &&
                    g_str_has_suffix(entry->d_name, suffix))
                        g_ptr_array_add(names, g_strdup(entry->d_name));
        }
        (void)closedir(folder); /* was only read */
        g_ptr_array_sort(names, compare_names);
        *ret_names = names;
        return 0;
}

/* Names first, then visits: a visit may write into the folder. */
int store_visit(int folder_fd, const char *suffix, StoreVisit visit, void *data, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = NULL;
        int r = store_list(folder_fd, suffix, &names, error);

        if (r < 0)
                return r;
        for (guint i = 0; i < names->len; i++) {
                r = visit(folder_fd, g_ptr_array_index(names, i), data);
                if (r < 0)
                        return r;
        }
        return 0;
}
