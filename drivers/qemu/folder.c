/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Everything here is done at once, without a worker: run folders are in memory (/run). */

#include "drivers/qemu/folder.h"
#include "core/await.h"
#include "core/log.h"
#include "core/store.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define DEPTH_MAX    8
#define ENVIRON_MAX  (128 * 1024)
#define SOCKET_QUEUE 16
/* A process that was told to end, or killed just now, may make one more file while its folder is removed. */
#define REMOVE_TRIES 10

/* Until /proc is looked at again. */
#define RETRY_USEC (1 * G_USEC_PER_SEC)

char *folder_name(const char *uuid)
{
        return g_strconcat(FOLDER_PREFIX, uuid, NULL);
}

char *folder_path(const Domain *domain)
{
        _cleanup_(freep) char *name = folder_name(domain->object.uuid);

        return g_build_filename(qemu_driver_of(domain)->run_path, name, NULL);
}

/* Removes what is in the folder; takes the descriptor over. */
static int empty(int fd, unsigned depth)
{
        DIR *folder = fdopendir(fd);
        struct dirent *entry;
        int result = 0;

        if (!folder) {
                closep(&fd);
                return -errno;
        }
        while (result >= 0 && (entry = readdir(folder))) {
                int child;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (unlinkat(dirfd(folder), entry->d_name, 0) >= 0 || errno == ENOENT)
                        continue;
                if ((errno != EISDIR && errno != EPERM) || depth == 0) {
                        result = -errno;
                        continue;
                }
                child = openat(dirfd(folder), entry->d_name,
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                result = child < 0 ? -errno : empty(child, depth - 1);
                if (result >= 0 && unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR) < 0)
                        result = -errno;
        }
        (void)closedir(folder); /* was only read */
        return result;
}

int folder_remove_tree(int parent_fd, const char *name)
{
        int r = -ENOTEMPTY;

        for (unsigned i = 0; r == -ENOTEMPTY && i < REMOVE_TRIES; i++) {
                int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                if (fd < 0)
                        return errno == ENOENT ? 0 : -errno;
                r = empty(fd, DEPTH_MAX);
                if (r >= 0 && unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                        r = -errno;
        }
        return r;
}

int folder_remove(const QemuDriver *qemu, const char *uuid, Error *error)
{
        _cleanup_(freep) char *name = folder_name(uuid);
        int r = folder_remove_tree(qemu->run_fd, name);

        return r < 0 ? error_set_errno(error, r, "Cannot remove folder %s/%s", qemu->run_path, name) : 0;
}

int folder_open(const Domain *domain, Error *error)
{
        const QemuDriver *qemu = qemu_driver_of(domain);
        _cleanup_(freep) char *name = folder_name(domain->object.uuid);
        int fd = openat(qemu->run_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(error, errno, "Cannot open folder %s/%s", qemu->run_path, name);
        return fd;
}

int folder_make(const Domain *domain, uid_t uid, gid_t gid, Error *error)
{
        const QemuDriver *qemu = qemu_driver_of(domain);
        _cleanup_(freep) char *name = folder_name(domain->object.uuid);
        _cleanup_(closep) int fd = -EBADF;
        int r;

        r = folder_remove(qemu, domain->object.uuid, error);
        if (r < 0)
                return r;
        if (mkdirat(qemu->run_fd, name, 0711) < 0)
                return error_set_errno(error, errno, "Cannot make folder %s/%s", qemu->run_path, name);
        fd = folder_open(domain, error);
        if (fd < 0)
                return fd;
        if (fchmod(fd, 0711) < 0 || mkdirat(fd, FOLDER_OWN, 0700) < 0 ||
            (uid != (uid_t)-1 && fchownat(fd, FOLDER_OWN, uid, gid, AT_SYMLINK_NOFOLLOW) < 0))
                return error_set_errno(error, errno, "Cannot set up folder %s/%s", qemu->run_path, name);
        return TAKE_FD(fd);
}

char *folder_socket_path(int folder_fd, const char *name)
{
        return g_strdup_printf("/proc/self/fd/%d/%s", folder_fd, name);
}

static int set_address(struct sockaddr_un *address, int folder_fd, const char *name, Error *error)
{
        _cleanup_(freep) char *path = folder_socket_path(folder_fd, name);

        *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof address->sun_path)
                return error_set(error, ERROR_INVALID_ARGUMENT, "The name of a socket is too long: %s",
                                 name);
        g_strlcpy(address->sun_path, path, sizeof address->sun_path);
        return 0;
}

int folder_bind(int folder_fd, const char *name, Error *error)
{
        struct sockaddr_un address;
        _cleanup_(closep) int fd = -EBADF;
        int r = set_address(&address, folder_fd, name, error);

        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
            fchmodat(folder_fd, name, 0600, 0) < 0 || listen(fd, SOCKET_QUEUE) < 0)
                return error_set_errno(error, errno, "Cannot listen on socket %s", name);
        return TAKE_FD(fd);
}

void folder_unbind(const Domain *domain, const char *path)
{
        _cleanup_(freep) char *ours = folder_path(domain), *parent = g_path_get_dirname(path),
                              *name = g_path_get_basename(path);
        _cleanup_(closep) int folder = -EBADF;

        if (strcmp(ours, parent) != 0)
                return;
        folder = folder_open(domain, NULL);
        if (folder >= 0)
                (void)unlinkat(folder, name, 0); /* it need not be there */
}

int folder_connect(int folder_fd, const char *name, Error *error)
{
        struct sockaddr_un address;
        _cleanup_(closep) int fd = -EBADF;
        int r = set_address(&address, folder_fd, name, error);

        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
                return error_set_errno(error, errno, "Cannot connect with socket %s", name);
        return TAKE_FD(fd);
}

static void close_element(void *fd)
{
        closep(fd);
}

/* Whether the process was started with this variable. */
static bool has_tag(pid_t pid, const char *tag)
{
        _cleanup_(freep) char *path = g_strdup_printf("/proc/%d/environ", (int)pid), *text = NULL;
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        size_t size = 0, length = strlen(tag);
        ssize_t n;

        if (fd < 0)
                return false;
        text = g_malloc(ENVIRON_MAX + 1);
        while (size < ENVIRON_MAX && (n = read(fd, text + size, ENVIRON_MAX - size)) > 0)
                size += (size_t)n;
        text[size] = '\0';
        for (size_t at = 0; at < size; at += strlen(text + at) + 1)
                if (strlen(text + at) == length && memcmp(text + at, tag, length) == 0)
                        return true;
        return false;
}

static char *tag_of(const QemuDriver *qemu, const char *uuid)
{
        return g_strdup_printf(FOLDER_TAG "=%s/" FOLDER_PREFIX "%s", qemu->run_path, uuid);
}

static pid_t pid_of(const struct dirent *entry)
{
        guint64 pid;

        return g_ascii_string_to_unsigned(entry->d_name, 10, 1, INT32_MAX, &pid, NULL) ? (pid_t)pid : 0;
}

pid_t folder_find_tagged(const QemuDriver *qemu, const char *uuid)
{
        _cleanup_(freep) char *tag = tag_of(qemu, uuid);
        DIR *folder = opendir("/proc");
        const struct dirent *entry;
        pid_t found = folder ? 0 : -1;

        while (found == 0 && (entry = readdir(folder))) {
                pid_t pid = pid_of(entry);

                if (pid > 0 && pid != getpid() && has_tag(pid, tag))
                        found = pid;
        }
        if (folder)
                (void)closedir(folder); /* was only read */
        return found;
}

void folder_note_unknown(QemuDriver *qemu, const char *uuid)
{
        (void)g_hash_table_add(qemu->unknown, g_strdup(uuid)); /* it may be in it */
}

int folder_check_unknown(QemuDriver *qemu, const char *uuid, Error *error)
{
        pid_t pid = g_hash_table_contains(qemu->unknown, uuid) ? folder_find_tagged(qemu, uuid) : 0;
        _cleanup_(freep) char *process = pid > 0 ? g_strdup_printf("Process %d", (int)pid) : NULL;

        if (pid != 0)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "%s is an earlier run of the machine with UUID %s, of which the daemon "
                                 "knows nothing else: it has to end first",
                                 process ? process : "One of the processes, which cannot be listed now,",
                                 uuid);
        (void)g_hash_table_remove(qemu->unknown, uuid); /* it need not be in it */
        return 0;
}

int folder_wait_unknown(QemuDriver *qemu, const char *uuid)
{
        int r = 0;

        while (r >= 0 && folder_check_unknown(qemu, uuid, NULL) < 0) {
                pid_t pid = folder_find_tagged(qemu, uuid);
                _cleanup_(closep) int pidfd = pid > 0 ? pidfd_open(pid, 0) : -EBADF;

                /* Once more, as pids are used again. */
                r = pidfd >= 0 && folder_find_tagged(qemu, uuid) == pid
                            ? await_fd(pidfd, EPOLLIN, DEADLINE_NEVER)
                            : await_until(deadline_after_usec(RETRY_USEC));
        }
        return r;
}

/* The pidfd holds one process; if that is a tagged one is looked at once more, as pids are used again.
 * Returns it, or a negative value. */
static int kill_tagged(pid_t pid, const char *tag)
{
        _cleanup_(closep) int pidfd = -EBADF;

        if (pid == getpid() || !has_tag(pid, tag))
                return -ESRCH;
        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0 || !has_tag(pid, tag) || pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0)
                return -ESRCH;
        return TAKE_FD(pidfd);
}

GArray *folder_kill_tagged(const QemuDriver *qemu, const char *uuid)
{
        _cleanup_(freep) char *tag = tag_of(qemu, uuid);
        GArray *pidfds = g_array_new(FALSE, FALSE, sizeof(int));
        DIR *folder = opendir("/proc");
        const struct dirent *entry;

        g_array_set_clear_func(pidfds, close_element);
        if (!folder)
                log_warning(uuid, "cannot look for processes that were left: %s", g_strerror(errno));
        while (folder && (entry = readdir(folder))) {
                pid_t pid = pid_of(entry);
                int pidfd = pid > 0 ? kill_tagged(pid, tag) : -ESRCH;

                if (pidfd >= 0)
                        g_array_append_val(pidfds, pidfd);
        }
        if (folder)
                (void)closedir(folder); /* was only read */
        return pidfds;
}

int folder_wait_for_ends(const GArray *pidfds, uint64_t deadline_usec, Error *error)
{
        for (unsigned i = 0; i < pidfds->len; i++) {
                int r = await_fd(g_array_index(pidfds, int, i), EPOLLIN, deadline_usec);

                if (r == -ETIMEDOUT)
                        return error_set(error, ERROR_TIMED_OUT, "A process of the last run does not end");
                if (r < 0)
                        return error_set_errno(error, r, "Waiting for the end of the last run");
        }
        return 0;
}
