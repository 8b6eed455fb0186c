/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each operation is a step that a worker does to a task. QEMU holds OFD locks on the images that it uses
 * (file.locking), so a lock of anybody is taken as use. */

#include "drivers/storage/files.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "core/worker.h"
#include "drivers/storage/device.h"
#include "drivers/storage/lock.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LOOK_TIMEOUT_USEC (20 * G_USEC_PER_SEC)
#define LABEL             "security.selinux"
#define LABEL_BYTES_MAX   256
/* A change in the same tick of the clock would not be seen. */
#define SETTLED_NSEC (G_GINT64_CONSTANT(100) * 1000 * 1000)

typedef struct Task Task;
struct Task {
        int (*step)(Task *task);
        int fd;
        const char *path, *name, *other;
        const StoragePermissions *permissions;
        uint64_t capacity, available, allocation, present;
        bool flag;
        struct timespec changed;
        int result_fd;
        GPtrArray *entries;
        FileEntry *entry;
};

static int run_step(void *data)
{
        Task *task = data;

        return task->step(task);
}

static int set_failure(const Task *task, int r, const char *what, Error *error)
{
        if (r == -ETXTBSY)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "Cannot %s '%s': a process uses it, such as a running machine", what,
                                 task->name);
        if (r == -EAGAIN)
                return error_set(error, ERROR_OPERATION_FAILED, "Cannot %s '%s': its size changes", what,
                                 task->name);
        if (r == -EOPNOTSUPP && task->permissions && task->permissions->label)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The <label> '%s': the file system has no labels",
                                 task->permissions->label);
        return r < 0 ? error_set_errno(error, r, "Cannot %s '%s'", what,
                                       task->name ? task->name : task->path)
                     : r;
}

/* To the end: something changes. */
static int run(Task *task, const char *what, Error *error) AWAITS
{
        int r = fiber_current() ? worker_finish(run_step, task) : run_step(task);

        return set_failure(task, r, what, error);
}

FileEntry *file_entry_free(FileEntry *entry)
{
        if (!entry)
                return NULL;
        volume_header_clear(&entry->header);
        g_free(entry->path);
        g_free(entry->key);
        g_free(entry->name);
        g_free(entry->label);
        g_free(entry);
        return NULL;
}

const char *file_entry_file(const FileEntry *entry)
{
        if (!entry->path)
                return entry->name;
        return entry->path[0] == '/' ? entry->path : ""; /* what is on the network is no file */
}

static void entry_release(void *entry)
{
        file_entry_free(entry);
}

static void look_free(void *data)
{
        Task *task = data;

        closep(&task->fd);
        closep(&task->result_fd);
        g_clear_pointer(&task->entries, g_ptr_array_unref);
        file_entry_free(task->entry);
        g_free((char *)task->path);
        g_free((char *)task->name);
        g_free(task);
}

/* -ETIMEDOUT is the deadline's alone. */
static int look_step(void *data)
{
        int r = run_step(data);

        return r == -ETIMEDOUT ? -EIO : r;
}

/* Nothing changes: a worker that does not come back is left behind, with copies of all that it needs. The
 * results are in *ret, for look_free(). */
static int look(const Task *task, const char *what, Task **ret, Error *error) AWAITS
{
        Task *own = g_memdup2(task, sizeof *task);
        int r;

        own->path = g_strdup(task->path);
        own->name = g_strdup(task->name);
        own->result_fd = -EBADF;
        own->fd = task->path ? -EBADF : fcntl(task->fd, F_DUPFD_CLOEXEC, 3);
        if (!task->path && own->fd < 0)
                r = -errno;
        else if (fiber_current())
                r = worker_run(look_step, own, look_free, deadline_after_usec(LOOK_TIMEOUT_USEC));
        else
                r = run_step(own);
        if (r >= 0)
                *ret = own;
        else if (r != -ETIMEDOUT && r != -ECANCELED)
                look_free(own);
        return set_failure(task, r, what, error);
}

static int open_step(Task *task)
{
        task->result_fd = open(task->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return task->result_fd < 0 ? -errno : 0;
}

int files_open(const char *path, int *ret_fd, Error *error)
{
        Task *task;
        int r = look(&(Task){ .step = open_step, .path = path }, "open the folder", &task, error);

        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(task->result_fd);
        look_free(task);
        return 0;
}

int files_open_none(int *ret_fd, Error *error)
{
        int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(error, errno, "Cannot open the root folder");
        *ret_fd = fd;
        return 0;
}

static int permit(int fd, const StoragePermissions *permissions, bool has_mode, mode_t mode)
{
        uid_t owner = permissions->has_owner ? permissions->owner : (uid_t)-1;
        gid_t group = permissions->has_group ? permissions->group : (gid_t)-1;

        if ((permissions->has_owner || permissions->has_group) && fchown(fd, owner, group) < 0)
                return -errno;
        if (has_mode && fchmod(fd, mode) < 0)
                return -errno;
        return permissions->label && fsetxattr(fd, LABEL, permissions->label, strlen(permissions->label) + 1,
                                               0) < 0
                       ? -errno
                       : 0;
}

/* NULL if it has none. */
static char *label_of(int file)
{
        char label[LABEL_BYTES_MAX + 1];
        ssize_t size = file < 0 ? -1 : fgetxattr(file, LABEL, label, LABEL_BYTES_MAX);

        if (size <= 0)
                return NULL;
        label[size] = '\0';
        return g_utf8_validate(label, -1, NULL) ? g_strdup(label) : NULL;
}

static int make_step(Task *task)
{
        const StoragePermissions *permissions = task->permissions;
        _cleanup_(freep) char *parent = g_path_get_dirname(task->path);
        _cleanup_(closep) int fd = -EBADF;

        if (g_mkdir_with_parents(parent, 0755) < 0 || (mkdir(task->path, 0711) < 0 && errno != EEXIST))
                return -errno;
        fd = open(task->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : permit(fd, permissions, permissions->has_mode, permissions->mode);
}

int files_make(const char *path, const StoragePermissions *permissions, Error *error)
{
        return run(&(Task){ .step = make_step, .path = path, .permissions = permissions }, "make the folder",
                   error);
}

static int permit_step(Task *task)
{
        _cleanup_(closep) int file = device_open(task->path, O_RDONLY);

        return file < 0 ? file
                        : permit(file, task->permissions, task->permissions->has_mode,
                                 task->permissions->mode);
}

int files_permit_device(const char *path, const StoragePermissions *permissions, Error *error)
{
        return run(&(Task){ .step = permit_step, .path = path, .permissions = permissions },
                   "set the permissions of", error);
}

static int delete_step(Task *task)
{
        return rmdir(task->path) < 0 ? -errno : 0;
}

int files_delete(const char *path, Error *error)
{
        return run(&(Task){ .step = delete_step, .path = path }, "remove the folder", error);
}

/* A regular file, or a device by its path; -ELOOP, -EINVAL for anything else. */
static int file_open(int fd, const char *name, int flags)
{
        _cleanup_(closep) int file = -EBADF;
        struct stat stat;

        if (name[0] == '/')
                return device_open(name, flags);
        file = openat(fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (file < 0 || fstat(file, &stat) < 0)
                return -errno;
        return S_ISREG(stat.st_mode) ? TAKE_FD(file) : -EINVAL;
}

static int file_open_unused(int fd, const char *name, int flags, short lock_type)
{
        struct flock lock = { .l_type = lock_type, .l_whence = SEEK_SET };
        _cleanup_(closep) int file = file_open(fd, name, flags);

        if (file < 0)
                return file;
        if (fcntl(file, F_OFD_GETLK, &lock) < 0)
                return -errno;
        return lock.l_type == F_UNLCK ? TAKE_FD(file) : -ETXTBSY;
}

static void header_read(FileEntry *entry, int file, uint8_t *buffer)
{
        ssize_t size = file < 0 ? -1 : pread(file, buffer, VOLUME_HEADER_BYTES, 0);

        if (size >= 0)
                (void)volume_header_read(buffer, (size_t)size, &entry->header, NULL);
}

/* NULL for what is no volume. */
static FileEntry *entry_read(int fd, const char *name, uint8_t *buffer)
{
        _cleanup_(file_entry_freep) FileEntry *entry = g_new0(FileEntry, 1);
        _cleanup_(closep) int file = -EBADF;

        if (fstatat(fd, name, &entry->stat, AT_SYMLINK_NOFOLLOW) < 0)
                return NULL;
        if (S_ISREG(entry->stat.st_mode)) {
                file = file_open(fd, name, O_RDONLY);
                if (file >= 0 && fstat(file, &entry->stat) < 0)
                        return NULL;
                header_read(entry, file, buffer);
                entry->label = label_of(file);
        } else if (!S_ISDIR(entry->stat.st_mode)) {
                return NULL;
        }
        entry->name = g_strdup(name);
        return TAKE_PTR(entry);
}

static bool is_volume_name(const char *name)
{
        return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && g_utf8_validate(name, -1, NULL) &&
               !g_str_has_prefix(name, FILES_PART_PREFIX);
}

/* Another position in the folder than its own descriptor's. */
static DIR *folder_read(int fd)
{
        _cleanup_(closep) int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = again < 0 ? NULL : fdopendir(again);

        if (folder)
                TAKE_FD(again);
        return folder;
}

static struct timespec time_of_change(int fd)
{
        struct stat stat;
        struct timespec now;

        if (fstat(fd, &stat) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
                return (struct timespec){};
        if ((now.tv_sec - stat.st_mtim.tv_sec) * G_GINT64_CONSTANT(1000000000) + now.tv_nsec -
                    stat.st_mtim.tv_nsec <
            SETTLED_NSEC)
                return (struct timespec){};
        return stat.st_mtim;
}

static int list_step(Task *task)
{
        _cleanup_(freep) uint8_t *buffer = NULL;
        struct timespec changed = time_of_change(task->fd);
        bool is_same = changed.tv_sec != 0 && changed.tv_sec == task->changed.tv_sec &&
                       changed.tv_nsec == task->changed.tv_nsec;
        DIR *folder;

        task->changed = changed;
        if (is_same)
                return 0;
        folder = folder_read(task->fd);
        if (!folder)
                return -errno;
        buffer = g_malloc(VOLUME_HEADER_BYTES);
        task->entries = g_ptr_array_new_with_free_func(entry_release);
        for (struct dirent *found; (found = readdir(folder));) {
                FileEntry *entry =
                        is_volume_name(found->d_name) ? entry_read(task->fd, found->d_name, buffer) : NULL;

                if (entry)
                        g_ptr_array_add(task->entries, entry);
        }
        closedir(folder);
        return 0;
}

int files_list(int fd, struct timespec *changed, GPtrArray **ret_entries, Error *error)
{
        Task *task;
        int r = look(&(Task){ .step = list_step, .fd = fd, .name = ".", .changed = *changed }, "read", &task,
                     error);

        if (r < 0)
                return r;
        *changed = task->changed;
        *ret_entries = TAKE_PTR(task->entries);
        look_free(task);
        return 0;
}

static int entry_step(Task *task)
{
        _cleanup_(freep) uint8_t *buffer = g_malloc(VOLUME_HEADER_BYTES);

        task->entry = is_volume_name(task->name) ? entry_read(task->fd, task->name, buffer) : NULL;
        return task->entry ? 0 : -ENOENT;
}

int files_look(int fd, const char *name, FileEntry **ret_entry, Error *error)
{
        Task *task;
        int r = look(&(Task){ .step = entry_step, .fd = fd, .name = name }, "look at", &task, error);

        if (r < 0)
                return r;
        *ret_entry = TAKE_PTR(task->entry);
        look_free(task);
        return 0;
}

static int device_step(Task *task)
{
        _cleanup_(closep) int file = device_open(task->path, O_RDONLY);
        _cleanup_(freep) uint8_t *buffer = g_malloc(VOLUME_HEADER_BYTES);
        _cleanup_(file_entry_freep) FileEntry *entry = g_new0(FileEntry, 1);
        int r;

        if (file < 0)
                return file;
        r = device_stat(file, &entry->stat);
        if (r < 0)
                return r;
        header_read(entry, file, buffer);
        task->entry = TAKE_PTR(entry);
        return 0;
}

int files_look_device(const char *path, const char *name, const char *key, FileEntry **ret_entry,
                      Error *error)
{
        Task *task;
        int r = look(&(Task){ .step = device_step, .path = path }, "look at", &task, error);

        if (r < 0)
                return r;
        task->entry->name = g_strdup(name);
        task->entry->path = g_strdup(path);
        task->entry->key = g_strdup(key ? key : path);
        task->entry->allocation = (uint64_t)task->entry->stat.st_size;
        *ret_entry = TAKE_PTR(task->entry);
        look_free(task);
        return 0;
}

static int size_step(Task *task)
{
        struct statvfs stat;

        if (fstatvfs(task->fd, &stat) < 0)
                return -errno;
        task->capacity = (uint64_t)stat.f_blocks * stat.f_frsize;
        task->available = (uint64_t)stat.f_bavail * stat.f_frsize;
        return 0;
}

int files_size(int fd, uint64_t *ret_capacity, uint64_t *ret_available, Error *error)
{
        Task *task;
        int r = look(&(Task){ .step = size_step, .fd = fd, .name = "." }, "measure", &task, error);

        if (r < 0)
                return r;
        *ret_capacity = task->capacity;
        *ret_available = task->available;
        look_free(task);
        return 0;
}

/* Whether it is a part of nobody who could still finish it; of ours, whoever fills one holds its lock. */
static bool is_left_over(int fd, const char *name)
{
        _cleanup_(closep) int file = -EBADF;
        char *end;
        long pid;

        if (!g_str_has_prefix(name, FILES_PART_PREFIX))
                return false;
        pid = strtol(name + strlen(FILES_PART_PREFIX), &end, 10);
        if (*end != '-' || pid <= 0 || pid > INT_MAX ||
            (pid != getpid() && (kill((pid_t)pid, 0) >= 0 || errno != ESRCH)))
                return false;
        file = file_open_unused(fd, name, O_RDONLY, F_WRLCK);
        return file != -ETXTBSY;
}

static int tidy_step(Task *task)
{
        DIR *folder = folder_read(task->fd);

        if (!folder)
                return -errno;
        for (struct dirent *found; (found = readdir(folder));)
                if (is_left_over(task->fd, found->d_name))
                        (void)unlinkat(task->fd, found->d_name, 0);
        closedir(folder);
        return 0;
}

int files_tidy(int fd, Error *error)
{
        return run(&(Task){ .step = tidy_step, .fd = fd, .name = "." }, "tidy", error);
}

/* On btrfs; elsewhere it means nothing. */
static void set_nocow(int file)
{
        unsigned flags;

        if (ioctl(file, FS_IOC_GETFLAGS, &flags) < 0)
                return;
        flags |= FS_NOCOW_FL;
        (void)ioctl(file, FS_IOC_SETFLAGS, &flags);
}

static int make_raw_step(Task *task)
{
        _cleanup_(closep) int file =
                openat(task->fd, task->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (file < 0)
                return -errno;
        if (task->flag)
                set_nocow(file);
        if (ftruncate(file, (off_t)task->capacity) < 0)
                return -errno;
        return task->allocation > 0 ? -posix_fallocate(file, 0, (off_t)MIN(task->allocation, task->capacity))
                                    : 0;
}

int files_make_raw(int fd, const char *name, uint64_t capacity, uint64_t allocation, bool nocow,
                   Error *error)
{
        Task task = { .step = make_raw_step,
                      .fd = fd,
                      .name = name,
                      .capacity = capacity,
                      .allocation = allocation,
                      .flag = nocow };

        return run(&task, "make", error);
}

/* Replaces nothing. NFS can only do it by a second name. */
static int rename_new(int fd, const char *name, const char *other)
{
        if (renameat2(fd, name, fd, other, RENAME_NOREPLACE) >= 0)
                return 0;
        return errno == EINVAL && linkat(fd, name, fd, other, 0) >= 0 ? unlinkat(fd, name, 0) : -1;
}

static int commit_step(Task *task)
{
        const StoragePermissions *permissions = task->permissions;
        _cleanup_(closep) int file = file_open(task->fd, task->name, O_RDONLY);
        int r;

        if (file < 0)
                return file;
        r = permit(file, permissions, true, permissions->has_mode ? permissions->mode : 0600);
        if (r < 0)
                return r;
        if (fsync(file) < 0 || rename_new(task->fd, task->name, task->other) < 0 || fsync(task->fd) < 0)
                return -errno;
        return 0;
}

int files_commit(int fd, const char *part, const char *name, const StoragePermissions *permissions,
                 Error *error)
{
        Task task = {
                .step = commit_step, .fd = fd, .name = part, .other = name, .permissions = permissions
        };

        return run(&task, "finish", error);
}

static int drop_step(Task *task)
{
        (void)unlinkat(task->fd, task->name, 0);
        return 0;
}

void files_drop(int fd, const char *name)
{
        (void)run(&(Task){ .step = drop_step, .fd = fd, .name = name }, "remove", NULL);
}

static int remove_step(Task *task)
{
        if (!task->flag) {
                _cleanup_(closep) int file = file_open_unused(task->fd, task->name, O_RDONLY, F_WRLCK);

                if (file < 0)
                        return file;
        }
        if (unlinkat(task->fd, task->name, task->flag ? AT_REMOVEDIR : 0) < 0 || fsync(task->fd) < 0)
                return -errno;
        return 0;
}

int files_remove(int fd, const char *name, bool is_folder, Error *error)
{
        return run(&(Task){ .step = remove_step, .fd = fd, .name = name, .flag = is_folder }, "remove",
                   error);
}

static int resize_step(Task *task)
{
        _cleanup_(closep) int file = file_open_unused(task->fd, task->name, O_RDWR, F_WRLCK);
        struct stat stat;

        if (file < 0)
                return file;
        if (fstat(file, &stat) < 0)
                return -errno;
        if ((uint64_t)stat.st_size != task->present)
                return -EAGAIN;
        /* Before it grows. What a full disk gave of it is given back: blocks behind the end are nobody's. */
        if (task->flag && fallocate(file, FALLOC_FL_KEEP_SIZE, 0, (off_t)task->capacity) < 0) {
                int r = -errno;

                (void)ftruncate(file, stat.st_size);
                return r;
        }
        return ftruncate(file, (off_t)task->capacity) < 0 || fsync(file) < 0 ? -errno : 0;
}

int files_resize_raw(int fd, const char *name, uint64_t present, uint64_t capacity, bool allocate,
                     Error *error)
{
        Task task = { .step = resize_step,
                      .fd = fd,
                      .name = name,
                      .present = present,
                      .capacity = capacity,
                      .flag = allocate };

        return run(&task, "resize", error);
}

static int lock_step(Task *task)
{
        _cleanup_(closep) int file = file_open(task->fd, task->name, task->flag ? O_RDWR : O_RDONLY);
        int r;

        if (file < 0)
                return file;
        r = image_lock(file, task->flag);
        if (r < 0)
                return r;
        task->result_fd = TAKE_FD(file);
        return 0;
}

int files_lock(int fd, const char *name, bool is_writing, int *ret_fd, Error *error)
{
        Task task = { .step = lock_step, .fd = fd, .name = name, .flag = is_writing };
        int r = run(&task, is_writing ? "write to" : "read", error);

        if (r >= 0)
                *ret_fd = task.result_fd;
        return r;
}
