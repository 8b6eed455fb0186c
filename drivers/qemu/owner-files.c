/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The work is done by a thread of the pool, which takes the user's identity for files alone (setfsuid and
 * the thread's own groups) while it is at it: the kernel then checks every step of a path as for that user,
 * and nothing of the daemon's other threads changes. A thread that could not get its identity back would be
 * a danger to everything, so the process ends. */

#include "drivers/qemu/owner-files.h"
#include "core/worker.h"
#include "drivers/qemu/denial.h"
#include "drivers/qemu/passed.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define GROUPS_MAX 65536

bool owner_is_other(const Domain *domain)
{
        return domain->object.driver->config->is_system && geteuid() == 0 && domain->object.owner != 0;
}

typedef enum TaskKind {
        TASK_USER,
        TASK_OPEN,
        TASK_CREATE,
        TASK_REMOVE,
        TASK_CHECK_FREE,
        TASK_RENAME,
        TASK_READ,
        TASK_REPLACE,
        TASK_HEADER,
        TASK_CONNECT,
        TASK_DENIAL,
} TaskKind;

/* Everything in it is its own. */
typedef struct Task {
        TaskKind kind;
        uid_t uid;
        bool is_other, is_writable, replaces;
        bool is_of_one; /* only the file with this inode is meant */
        dev_t device;
        ino_t inode;
        char *path, *new_path;
        char *data;
        size_t size, max;
        /* out */
        RunUser user;
        VolumeHeader header;
        uint64_t file_size;
        int fd, result;
        Error error;
} Task;

static void task_free(void *data)
{
        Task *task = data;

        run_user_clear(&task->user);
        volume_header_clear(&task->header);
        error_clear(&task->error);
        closep(&task->fd);
        g_free(task->path);
        g_free(task->new_path);
        g_free(task->data);
        g_free(task);
}

static void task_freep(Task **task)
{
        if (*task)
                task_free(*task);
}

static Task *task_new(const Domain *domain, TaskKind kind, const char *path)
{
        Task *task = g_new0(Task, 1);

        task->kind = kind;
        task->uid = domain->object.owner;
        task->is_other = owner_is_other(domain);
        task->path = g_strdup(path);
        task->fd = -EBADF;
        return task;
}

/* The folder of a path, and where its last name begins. */
static int open_folder(Task *task, const char *path, const char **ret_name)
{
        const char *slash = strrchr(path, '/');
        _cleanup_(freep) char *folder = NULL;
        int fd;

        if (path[0] != '/' || !slash[1])
                return error_set(&task->error, ERROR_INVALID_XML, "'%s' is no absolute path of a file",
                                 path);
        *ret_name = slash + 1;
        folder = g_strndup(path, (size_t)(slash - path) + 1);
        if (!task->is_other)
                return passed_open_folder(folder, &task->error);
        fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? denial_set_error(&task->error, errno, folder) : fd;
}

static int open_file(Task *task, bool is_writable)
{
        struct stat status;
        int fd;

        if (!task->is_other)
                return passed_open(task->path, &(PassedOptions){ .is_writable = is_writable }, &task->error);
        fd = open(task->path, (is_writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return denial_set_error(&task->error, errno, task->path);
        if (fstat(fd, &status) < 0 || (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))) {
                closep(&fd);
                return error_set(&task->error, ERROR_OPERATION_FAILED,
                                 "%s is neither a file nor a block device", task->path);
        }
        return fd;
}

static int sync_folder(Task *task, int folder)
{
        _cleanup_(closep) int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        /* A folder that may be written but not read cannot be synced. */
        if (fd >= 0 && fsync(fd) < 0)
                return error_set_errno(&task->error, errno, "Cannot sync the folder of %s", task->path);
        return 0;
}

/* What is to be looked for, made or removed is not the owner's. */
static int set_folder_error(Task *task, int folder, int error_number, const char *what)
{
        _cleanup_(freep) char *why =
                error_number == EACCES ? denial_describe(folder, "make or remove files in") : NULL;
        int r = error_set_errno(&task->error, error_number, "%s %s", what, task->path);

        denial_append(&task->error, why);
        return r;
}

static int set_exists(Task *task, const char *path)
{
        return error_set(&task->error, ERROR_EXISTS, "There is a file %s already", path);
}

static int check_free(Task *task)
{
        const char *name;
        _cleanup_(closep) int folder = open_folder(task, task->path, &name);
        struct stat status;

        if (folder < 0)
                return folder;
        if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) >= 0)
                return set_exists(task, task->path);
        return errno == ENOENT ? 0 : set_folder_error(task, folder, errno, "Cannot look for");
}

static int create(Task *task)
{
        const char *name;
        _cleanup_(closep) int folder = open_folder(task, task->path, &name);

        if (folder < 0)
                return folder;
        task->fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (task->fd < 0 && errno == EEXIST)
                return set_exists(task, task->path);
        if (task->fd < 0)
                return set_folder_error(task, folder, errno, "Cannot create");
        return sync_folder(task, folder);
}

static int remove_file(Task *task)
{
        const char *name;
        _cleanup_(closep) int folder = open_folder(task, task->path, &name);
        struct stat status;

        if (folder < 0)
                return folder;
        if (task->is_of_one && fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : set_folder_error(task, folder, errno, "Cannot look for");
        if (task->is_of_one && (status.st_dev != task->device || status.st_ino != task->inode))
                return 0; /* it is another one */
        if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
                return set_folder_error(task, folder, errno, "Cannot remove");
        return sync_folder(task, folder);
}

/* Without replacing anything; file systems can do one of both. */
static int rename_new(int folder, const char *name, int new_folder, const char *new_name)
{
        if (renameat2(folder, name, new_folder, new_name, RENAME_NOREPLACE) >= 0)
                return 0;
        if (errno != EINVAL && errno != ENOSYS)
                return -errno;
        return linkat(folder, name, new_folder, new_name, 0) < 0 || unlinkat(folder, name, 0) < 0 ? -errno
                                                                                                  : 0;
}

static int rename_file(Task *task)
{
        const char *name, *new_name;
        _cleanup_(closep) int folder = open_folder(task, task->path, &name);
        _cleanup_(closep) int new_folder =
                folder < 0 ? -EBADF : open_folder(task, task->new_path, &new_name);
        int r;

        if (new_folder < 0)
                return folder < 0 ? folder : new_folder;
        if (task->replaces)
                r = renameat(folder, name, new_folder, new_name) < 0 ? -errno : 0;
        else
                r = rename_new(folder, name, new_folder, new_name);
        if (r == -EEXIST)
                return set_exists(task, task->new_path);
        if (r < 0)
                return error_set_errno(&task->error, r, "Cannot rename %s to %s", task->path,
                                       task->new_path);
        return sync_folder(task, new_folder);
}

static int read_file(Task *task)
{
        _cleanup_(closep) int fd = open_file(task, false);
        struct stat status;

        if (fd < 0)
                return fd;
        if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || (uint64_t)status.st_size > task->max)
                return error_set(&task->error, ERROR_OPERATION_FAILED,
                                 "%s is no regular file of at most %zu bytes", task->path, task->max);
        task->data = g_malloc((size_t)status.st_size + 1);
        while (task->size < (size_t)status.st_size) {
                ssize_t n = pread(fd, task->data + task->size, (size_t)status.st_size - task->size,
                                  (off_t)task->size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(&task->error, errno, "Cannot read %s", task->path);
                if (n == 0)
                        break;
                task->size += (size_t)n;
        }
        return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
        while (size > 0) {
                ssize_t n = write(fd, data, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                data += n;
                size -= (size_t)n;
        }
        return 0;
}

static int replace(Task *task)
{
        const char *name;
        _cleanup_(closep) int folder = open_folder(task, task->path, &name);
        _cleanup_(freep) char *temporary =
                g_strdup_printf(".virtbus-%08x%08x", g_random_int(), g_random_int());
        _cleanup_(closep) int fd = -EBADF;
        struct stat status;

        if (folder < 0)
                return folder;
        if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                status = (struct stat){ .st_mode = S_IFREG | 0600, .st_uid = geteuid() };
        if (!S_ISREG(status.st_mode))
                return error_set(&task->error, ERROR_OPERATION_FAILED, "%s is no regular file", task->path);
        fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return set_folder_error(task, folder, errno, "Cannot create a file beside");
        if (write_all(fd, task->data, task->size) < 0 ||
            (status.st_uid != geteuid() && !task->is_other &&
             fchown(fd, status.st_uid, status.st_gid) < 0) ||
            fchmod(fd, status.st_mode & 07777) < 0 || fsync(fd) < 0 ||
            renameat(folder, temporary, folder, name) < 0) {
                int problem = errno;

                (void)unlinkat(folder, temporary, 0); /* the old file is as it was */
                return error_set_errno(&task->error, problem, "Cannot write %s", task->path);
        }
        return sync_folder(task, folder);
}

static int read_header(Task *task)
{
        _cleanup_(closep) int fd = open_file(task, false);
        _cleanup_(freep) uint8_t *bytes = g_malloc(VOLUME_HEADER_BYTES);
        off_t end;
        ssize_t n;

        if (fd < 0)
                return fd;
        end = lseek(fd, 0, SEEK_END);
        n = pread(fd, bytes, VOLUME_HEADER_BYTES, 0);
        if (n < 0 || end < 0)
                return error_set_errno(&task->error, errno, "Cannot read %s", task->path);
        task->file_size = (uint64_t)end;
        return volume_header_read(bytes, (size_t)n, &task->header, &task->error);
}

static int connect_socket(Task *task)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = -EBADF;

        if (task->path[0] != '/' ||
            g_strlcpy(address.sun_path, task->path, sizeof address.sun_path) >= sizeof address.sun_path)
                return error_set(&task->error, ERROR_OPERATION_FAILED,
                                 "'%s' is no absolute path that is short enough for a socket", task->path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
                return error_set_errno(&task->error, errno, "Cannot connect with %s", task->path);
        task->fd = TAKE_FD(fd);
        return 0;
}

static int work(Task *task)
{
        switch (task->kind) {
        case TASK_OPEN:
                task->fd = open_file(task, task->is_writable);
                return task->fd;
        case TASK_CREATE:
                return create(task);
        case TASK_REMOVE:
                return remove_file(task);
        case TASK_CHECK_FREE:
                return check_free(task);
        case TASK_RENAME:
                return rename_file(task);
        case TASK_READ:
                return read_file(task);
        case TASK_REPLACE:
                return replace(task);
        case TASK_HEADER:
                return read_header(task);
        case TASK_CONNECT:
                return connect_socket(task);
        case TASK_DENIAL:
                task->data = denial_find(task->path);
                return 0;
        default:
                return 0;
        }
}

/* By system calls of this thread: the C library's functions change all threads of the process. */
static int set_groups(const gid_t *groups, size_t n)
{
        return syscall(SYS_setgroups, n, groups) < 0 ? -errno : 0;
}

static int work_as(Task *task)
{
        _cleanup_(freep) gid_t *groups = g_new(gid_t, GROUPS_MAX);
        const int n = getgroups(GROUPS_MAX, groups);
        int r;

        if (n < 0 || set_groups(task->user.groups, task->user.n_groups) < 0)
                return error_set_errno(&task->error, errno, "Cannot take the groups of user %s",
                                       task->user.name);
        (void)setfsgid(task->user.gid);
        (void)setfsuid(task->user.uid); /* both tell nothing; what they did is asked for */
        if (setfsuid((uid_t)-1) == (int)task->user.uid && setfsgid((gid_t)-1) == (int)task->user.gid)
                r = work(task);
        else
                r = error_set(&task->error, ERROR_INTERNAL, "Cannot take the rights of user %s",
                              task->user.name);
        (void)setfsuid(geteuid());
        (void)setfsgid(getegid());
        if (set_groups(groups, (size_t)n) < 0 || setfsuid((uid_t)-1) != (int)geteuid() ||
            setfsgid((gid_t)-1) != (int)getegid())
                g_error("A thread does not get its rights back");
        return r;
}

#define TASK_FAILED (-EIO)

static int run(void *data)
{
        Task *task = data;
        int r = 0;

        if (task->is_other)
                r = run_user_find(NULL, task->uid, &task->user, &task->error);
        if (r >= 0)
                r = task->is_other && task->kind != TASK_USER ? work_as(task) : work(task);
        task->result = r;
        return r < 0 ? TASK_FAILED : 0;
}

#define TIMEOUT_USEC (30 * G_USEC_PER_SEC)

/* The task is the caller's again when it returns, unless the thread has it still: then it is NULL. */
static int task_run(Task **task, Error *error) AWAITS
{
        _cleanup_(freep) char *path = g_strdup((*task)->path);
        int r = worker_run(run, *task, task_free, deadline_after_usec(TIMEOUT_USEC));

        if (r == -ETIMEDOUT || r == -ECANCELED) { /* the thread frees it, or has done so */
                r = error_set(error, r == -ETIMEDOUT ? ERROR_TIMED_OUT : ERROR_CANCELLED,
                              "%s does not answer in time", path ? path : "The user database");
                *task = NULL;
                return r;
        }
        if (r == TASK_FAILED) {
                error_move(error, &(*task)->error);
                return (*task)->result;
        }
        return r < 0 ? error_set_errno(error, r, "Cannot start a thread") : 0;
}

int owner_find(const Domain *domain, RunUser *ret_user, bool *ret_is_other, Error *error)
{
        _cleanup_(task_freep) Task *task = task_new(domain, TASK_USER, NULL);
        int r = task->is_other ? task_run(&task, error) : 0;

        if (r < 0)
                return r;
        *ret_is_other = task->is_other;
        *ret_user = task->user;
        task->user = (RunUser){};
        return 0;
}

int owner_files_open(const Domain *domain, const char *path, bool is_writable, Error *error)
{
        _cleanup_(task_freep) Task *task = task_new(domain, TASK_OPEN, path);
        int r;

        task->is_writable = is_writable;
        r = task_run(&task, error);
        return r < 0 ? r : TAKE_FD(task->fd);
}

int owner_files_create(const Domain *domain, const char *path, Error *error)
{
        _cleanup_(task_freep) Task *task = task_new(domain, TASK_CREATE, path);
        int r = task_run(&task, error);

        return r < 0 ? r : TAKE_FD(task->fd);
}

int owner_files_remove(const Domain *domain, const char *path, Error *error)
{
        _cleanup_(task_freep) Task *task = task_new(domain, TASK_REMOVE, path);

        return task_run(&task, error);
}

int owner_files_remove_same(const Domain *domain, const char *path, dev_t device, ino_t inode, Error *error)
{
        _cleanup_(task_freep) Task *task = task_new(domain, TASK_REMOVE, path);

        task->is_of_one = true;
        task->device = device;
        task->inode = inode;
        return task_run(&task, error);
}

int owner_files_check_free(const Domain *domain, const char *path, Error *error)
{
        _cleanup_(task_freep) Task *task = task_new(domain, TASK_CHECK_FREE, path);

        return task_run(&task, error);
}

int owner_files_rename(const Domain *domain, const char *from, const char *to, bool replaces, Error *error)
{
        _cleanup_(task_freep) Task *task = task_new(domain, TASK_RENAME, from);

        task->replaces = replaces;
        task->new_path = g_strdup(to);
        return task_run(&task, error);
}

int owner_files_read(const Domain *domain, const char *path, size_t max, char **ret_data, size_t *ret_size,
                     Error *error)
{
        _cleanup_(task_freep) Task *task = task_new(domain, TASK_READ, path);
        int r;

        task->max = max;
        r = task_run(&task, error);
        if (r < 0)
                return r;
        *ret_data = TAKE_PTR(task->data);
        *ret_size = task->size;
        return 0;
}

int owner_files_replace(const Domain *domain, const char *path, const char *data, size_t size, Error *error)
{
        _cleanup_(task_freep) Task *task = task_new(domain, TASK_REPLACE, path);

        task->data = g_memdup2(data, size);
        task->size = size;
        return task_run(&task, error);
}

int owner_files_header(const Domain *domain, const char *path, VolumeHeader *ret_header, uint64_t *ret_size,
                       Error *error)
{
        _cleanup_(task_freep) Task *task = task_new(domain, TASK_HEADER, path);
        int r = task_run(&task, error);

        if (r < 0)
                return r;
        *ret_header = task->header;
        task->header = (VolumeHeader){};
        if (ret_size)
                *ret_size = task->file_size;
        return 0;
}

int owner_files_connect(const Domain *domain, uid_t uid, const char *path, Error *error)
{
        _cleanup_(task_freep) Task *task = task_new(domain, TASK_CONNECT, path);
        int r;

        task->uid = uid;
        task->is_other = uid != geteuid();
        r = task_run(&task, error);
        return r < 0 ? r : TAKE_FD(task->fd);
}

#define DENIED "': Permission denied"

void owner_files_explain(const Domain *domain, Error *error)
{
        const char *end = error && error->message ? strstr(error->message, DENIED) : NULL;
        const char *start = end ? g_strrstr_len(error->message, end - error->message, "'") : NULL;
        _cleanup_(task_freep) Task *task = NULL;
        _cleanup_(freep) char *path = NULL;

        if (!start || start[1] != '/')
                return;
        path = g_strndup(start + 1, (size_t)(end - start - 1));
        task = task_new(domain, TASK_DENIAL, path);
        if (task_run(&task, NULL) >= 0)
                denial_append(error, task->data);
}
