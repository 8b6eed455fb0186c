/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Preloaded into virtbusd by the fixture `daemon` of tests/bus/test_every_step.py, which
 * test_memory_killed.py has as well: it kills the daemon (SIGKILL) right before the n-th step that would
 * leave something on the host. Steps are what asks the kernel for a device, address, queue or rule of
 * routing, starts a process, names or removes a file, or sets something below /proc/sys; with DIE_MONITOR in
 * the environment, what is said to a QEMU as well. They are counted while the file DIE_FILE is there, which
 * holds n. */

#define _LARGEFILE64_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static pid_t daemon_pid; /* 0: this is some other program */
static atomic_long n_steps;

__attribute__((constructor)) static void begin(void)
{
        if (strcmp(program_invocation_short_name, "virtbusd") == 0)
                daemon_pid = getpid();
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static void step(void)
{
        const char *path = getenv("DIE_FILE");
        int saved_errno = errno, fd;
        char text[16] = "";

        if (!path || getpid() != daemon_pid)
                return;
        fd = NEXT(openat)(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
                ssize_t size = read(fd, text, sizeof text - 1);

                close(fd);
                if (size > 0 && atomic_fetch_add(&n_steps, 1) + 1 == atol(text))
                        kill(getpid(), SIGKILL);
        }
        errno = saved_errno;
}

/* A machine's monitor, if that is wanted. */
static int is_monitor(int fd)
{
        struct sockaddr_un peer = { .sun_family = AF_UNSPEC };
        socklen_t size = sizeof peer - 1;

        return getenv("DIE_MONITOR") && getpeername(fd, (struct sockaddr *)&peer, &size) == 0 &&
               peer.sun_family == AF_UNIX && size > sizeof peer.sun_family && peer.sun_path[0] &&
               strstr(peer.sun_path, "monitor.sock");
}

static int is_routing(int fd)
{
        int domain = 0, protocol = -1;
        socklen_t size = sizeof domain;

        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 || domain != AF_NETLINK)
                return 0;
        size = sizeof protocol;
        return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == NETLINK_ROUTE;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
        if (is_routing(fd) || is_monitor(fd))
                step();
        return NEXT(sendmsg)(fd, message, flags);
}

int ioctl(int fd, unsigned long request, ...)
{
        va_list arguments;
        void *argument;

        va_start(arguments, request);
        argument = va_arg(arguments, void *);
        va_end(arguments);
        if (request == TUNSETIFF)
                step();
        return NEXT(ioctl)(fd, request, argument);
}

pid_t fork(void)
{
        step();
        return NEXT(fork)();
}

int renameat(int old_folder, const char *old, int folder, const char *name)
{
        step();
        return NEXT(renameat)(old_folder, old, folder, name);
}

int renameat2(int old_folder, const char *old, int folder, const char *name, unsigned flags)
{
        step();
        return NEXT(renameat2)(old_folder, old, folder, name, flags);
}

int unlinkat(int folder, const char *name, int flags)
{
        step();
        return NEXT(unlinkat)(folder, name, flags);
}

static int opened(const char *path, int flags, mode_t mode)
{
        if (strncmp(path, "/proc/sys/", strlen("/proc/sys/")) == 0 && (flags & O_ACCMODE) != O_RDONLY)
                step();
        return NEXT(openat)(AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
        va_list arguments;
        mode_t mode;

        va_start(arguments, flags);
        mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
        va_end(arguments);
        return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
        va_list arguments;
        mode_t mode;

        va_start(arguments, flags);
        mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
        va_end(arguments);
        return opened(path, flags | O_LARGEFILE, mode);
}
