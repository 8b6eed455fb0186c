/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A lock of the process and not of the descriptor: no child has it, and it is gone before anybody hears of
 * the daemon's end. */

#include "drivers/network/host-lock.h"
#include "core/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

/* Root's only, and the same for all daemons. */
#define FOLDER    "/run"
#define NAMESPACE "/proc/self/ns/net"
#define OF_SYSTEM "/run/virtbus/qemu" /* from its first start after the host's boot */

static int lock_fd = -EBADF;

static int open_file(Error *error)
{
        _cleanup_(freep) char *path = NULL;
        struct stat status;
        int fd;

        if (stat(NAMESPACE, &status) < 0)
                return error_set_errno(error, errno, "Cannot look at " NAMESPACE);
        path = g_strdup_printf(FOLDER "/virtbus-network-%ju.lock", (uintmax_t)status.st_ino);
        fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? error_set_errno(error, errno, "Cannot open %s", path) : fd;
}

int host_lock_claim(const Config *config, Error *error)
{
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        _cleanup_(closep) int fd = -EBADF;
        int problem;

        if (lock_fd >= 0)
                return 0;
        if (!config->is_system && access(OF_SYSTEM, F_OK) >= 0)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The networks of this host are those of the system's virtbusd; machines of "
                                 "a session use interfaces of type 'user'");
        fd = open_file(error);
        if (fd < 0)
                return fd;
        if (fcntl(fd, F_SETLK, &lock) >= 0) {
                lock_fd = TAKE_FD(fd);
                return 0;
        }
        problem = errno;
        if (problem != EAGAIN && problem != EACCES)
                return error_set_errno(error, problem, "Cannot lock the file of who cares for networks");
        if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK || lock.l_pid <= 0)
                return error_set(error, ERROR_OPERATION_FAILED, /* it is in another PID namespace */
                                 "The networks of this host are cared for by another virtbusd");
        return error_set(error, ERROR_OPERATION_FAILED,
                         "The networks of this host are cared for by another virtbusd, process %d",
                         lock.l_pid);
}

bool host_lock_is_ours(void)
{
        return lock_fd >= 0;
}
