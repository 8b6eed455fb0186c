/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Starting a process. Between fork and exec the child makes only system calls, and tells by a pipe which of
 * them failed; the pipe closes by itself when exec succeeds. That may take long: the program's file is
 * opened, which its file system, or whoever has a lease of it, answers when it likes. */

#include "core/await.h"
#include "core/child-private.h"
#include "core/child.h"
#include "core/fiber.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define FIRST_FD 3

typedef struct Failure {
        int errnum;
        char step[28];
} Failure;

static const char *const minimal_environment[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL
};

static void __attribute__((noreturn)) die(int pipe_fd, const char *step)
{
        Failure failure = { .errnum = errno };

        strncpy(failure.step, step, sizeof(failure.step) - 1);
        /* If the parent is gone too, nobody is left to tell. */
        ssize_t n _unused_ = write(pipe_fd, &failure, sizeof(failure));
        _exit(127);
}

static void reset_signals(void)
{
        sigset_t none;

        for (int number = 1; number < NSIG; number++)
                (void)signal(number, SIG_DFL); /* KILL and STOP cannot be set, nor need to be */
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Moves every descriptor above the places where they belong, then down, so that none overwrites another. */
static void place_fds(const ChildOptions *options, int *pipe_fd, int *fds)
{
        int above = FIRST_FD + (int)options->n_fds;
        int standard[3] = { options->stdin_fd, options->stdout_fd, options->stderr_fd };
        int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null_fd < 0)
                die(*pipe_fd, "open /dev/null");
        int moved = fcntl(*pipe_fd, F_DUPFD_CLOEXEC, above);

        if (moved < 0)
                die(*pipe_fd, "move the pipe");
        *pipe_fd = moved;
        for (int i = 0; i < 3; i++) {
                standard[i] = fcntl(standard[i] >= 0 ? standard[i] : null_fd, F_DUPFD_CLOEXEC, above);
                if (standard[i] < 0)
                        die(*pipe_fd, "copy standard descriptors");
        }
        for (size_t i = 0; i < options->n_fds; i++) {
                fds[i] = fcntl(options->fds[i], F_DUPFD_CLOEXEC, above);
                if (fds[i] < 0)
                        die(*pipe_fd, "copy descriptors");
        }
        for (int i = 0; i < 3; i++)
                if (dup2(standard[i], i) < 0)
                        die(*pipe_fd, "place standard descriptors");
        for (size_t i = 0; i < options->n_fds; i++)
                if (dup2(fds[i], FIRST_FD + (int)i) < 0)
                        die(*pipe_fd, "place descriptors");
        if (*pipe_fd != above && dup3(*pipe_fd, above, O_CLOEXEC) < 0)
                die(*pipe_fd, "place the pipe");
        *pipe_fd = above;
        /* Whatever else is open, here or in a library. Not by exec: until then it would hold the daemon's
         * locks, and ends of pipes and sockets that others wait to see closed. */
        if (syscall(SYS_close_range, (unsigned)above + 1, ~0u, 0) < 0)
                die(*pipe_fd, "close descriptors");
}

static void become(const ChildOptions *options, int pipe_fd)
{
        if (setgroups(options->n_groups, options->groups) < 0)
                die(pipe_fd, "set groups");
        if (setresgid(options->gid, options->gid, options->gid) < 0)
                die(pipe_fd, "set the group");
        if (setresuid(options->uid, options->uid, options->uid) < 0)
                die(pipe_fd, "set the user");
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                die(pipe_fd, "give up privileges");
}

static void __attribute__((noreturn))
child_main(const ChildOptions *options, pid_t parent, int *fds, int pipe_fd)
{
        const char *const *environment = options->environment ? options->environment : minimal_environment;

        reset_signals();
        place_fds(options, &pipe_fd, fds);
        if (options->new_session && setsid() < 0)
                die(pipe_fd, "begin a session");
        if (options->locked_bytes > 0 &&
            setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ options->locked_bytes, options->locked_bytes }) < 0)
                die(pipe_fd, "allow locked memory");
        (void)umask((mode_t)(options->umask ? options->umask : 0077));
        if (options->set_user)
                become(options, pipe_fd);
        /* After the change of user, with which the kernel forgets it. */
        if (options->ends_with_us && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                die(pipe_fd, "end with the daemon");
        if (chdir(options->folder ? options->folder : "/") < 0)
                die(pipe_fd, "enter the folder");
        /* Without a daemon it would be nobody's; from exec on its environment tells whose it is. */
        if (getppid() != parent)
                die(pipe_fd, "find the daemon");
        (void)execve(options->arguments[0], (char *const *)options->arguments, (char *const *)environment);
        die(pipe_fd, "execute");
}

static int read_failure(int fd, Failure *ret_failure)
{
        ssize_t n;

        do
                n = read(fd, ret_failure, sizeof(*ret_failure));
        while (n < 0 && errno == EINTR);
        if (n == 0)
                return 0;
        return n == (ssize_t)sizeof(*ret_failure) ? 1 : -EIO;
}

static int wait_for_exec(int fd, uint64_t deadline_usec, Failure *ret_failure) AWAITS
{
        int r = fiber_current() ? await_fd(fd, EPOLLIN, deadline_usec) : 0;

        return r < 0 ? r : read_failure(fd, ret_failure);
}

static void end(pid_t pid) AWAITS
{
        _cleanup_(child_freep) Child *child = NULL;
        siginfo_t info;

        if (fiber_current() && child_watch_new(pid, &child) >= 0) {
                child_kill_and_wait(child);
                return;
        }
        (void)kill(pid, SIGKILL); /* ours and not yet waited for: the pid is still its own */
        while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR)
                ;
}

int child_spawn(const ChildOptions *options, uint64_t deadline_usec, Child **ret_child, Error *error)
{
        const char *program = options->arguments[0];
        _cleanup_(freep) int *fds = g_new0(int, options->n_fds + 1);
        _cleanup_(closep) int read_fd = -EBADF;
        int pipe_fds[2];
        Failure failure = { 0 };

        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_set_errno(error, errno, "Cannot start %s", program);
        read_fd = pipe_fds[0];

        pid_t parent = getpid(), pid = fork();

        if (pid == 0)
                child_main(options, parent, fds, pipe_fds[1]);
        int errnum = errno;

        (void)close(pipe_fds[1]);
        if (pid < 0)
                return error_set_errno(error, errnum, "Cannot start %s", program);
        int r = wait_for_exec(read_fd, deadline_usec, &failure);

        if (r != 0) {
                end(pid);
                failure.step[sizeof(failure.step) - 1] = '\0';
                return error_set_errno(error, r > 0 ? failure.errnum : r, "Cannot start %s: %s", program,
                                       r > 0 ? failure.step : "wait until its file is open");
        }
        /* Not before: nobody would be told of an end that comes while we wait. */
        r = child_watch_new(pid, ret_child);
        if (r < 0) {
                end(pid);
                return error_set_errno(error, r, "Cannot watch %s", program);
        }
        return 0;
}

int child_messages_open(size_t max_size, Error *error)
{
        _cleanup_(closep) int fd = memfd_create("messages", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd < 0 || ftruncate(fd, (off_t)max_size) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0)
                return error_set_errno(error, errno, "Cannot make a file in memory");
        return TAKE_FD(fd);
}
