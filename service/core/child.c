/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Processes by pidfd: watched for their end, signalled without ever hitting another, taken back by pid and
 * start time. How one is started stands in child-spawn.c, tools that run to their end in child-run.c. */

#include "core/child.h"
#include "core/await.h"
#include "core/child-private.h"
#include "core/fiber.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

struct Child {
        pid_t pid;
        int pidfd;
        uint64_t start_time;
        bool is_ours; /* we may wait for it */
        bool has_ended;
        bool is_detached; /* freed by its holder, kept until it ends */
        int code, status;
        sd_event_source *source;
        Condition ended;
        ChildExited exited;
        void *data;
};

#define KILL_TIMEOUT_USEC (5 * G_USEC_PER_SEC)

static GSList *detached; /* of Child */

static void destroy(Child *child);

/* Field 22; the command name in field 2 may hold anything, also blanks and brackets. */
int child_find_start_time(pid_t pid, uint64_t *ret_start_time)
{
        _cleanup_(freep) char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
        _cleanup_(freep) char *text = NULL;
        const char *field;

        if (!g_file_get_contents(path, &text, NULL, NULL))
                return -ESRCH;
        field = strrchr(text, ')');
        for (int i = 0; field && i < 20; i++)
                field = strchr(field + 1, ' ');
        if (!field)
                return -ESRCH;
        *ret_start_time = g_ascii_strtoull(field + 1, NULL, 10);
        return 0;
}

static int child_ended(sd_event_source *source, int fd _unused_, uint32_t events _unused_, void *data)
{
        Child *child = data;
        siginfo_t info = { 0 };

        if (child->is_ours && waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG) == 0 &&
            info.si_pid != 0) {
                child->code = info.si_code;
                child->status = info.si_status;
        }
        child->has_ended = true;
        (void)sd_event_source_set_enabled(source, SD_EVENT_OFF); /* our own source */
        condition_wake_all(&child->ended);
        if (child->exited)
                child->exited(child, child->code, child->status, child->data);
        else if (child->is_detached) {
                detached = g_slist_remove(detached, child);
                destroy(child);
        }
        return 0;
}

static int watch(pid_t pid, int pidfd, uint64_t start_time, bool is_ours, Child **ret_child)
{
        Child *child = g_new0(Child, 1);
        int r;

        *child = (Child){ .pid = pid, .pidfd = pidfd, .start_time = start_time, .is_ours = is_ours };
        r = sd_event_add_io(loop_get(), &child->source, pidfd, EPOLLIN, child_ended, child);
        if (r < 0) {
                g_free(child);
                return r;
        }
        (void)sd_event_source_set_priority(child->source, LOOP_PRIORITY_CHILD); /* our own source */
        *ret_child = child;
        return 0;
}

int child_watch_new(pid_t pid, Child **ret_child)
{
        _cleanup_(closep) int pidfd = pidfd_open(pid, 0);
        uint64_t start_time = 0;
        int r;

        if (pidfd < 0)
                return -errno;
        r = child_find_start_time(pid, &start_time); /* not reaped, so it is there even if it has ended */
        if (r < 0)
                return r;
        r = watch(pid, pidfd, start_time, true, ret_child);
        if (r >= 0)
                (void)TAKE_FD(pidfd);
        return r;
}

int child_adopt(pid_t pid, uint64_t start_time, Child **ret_child, Error *error)
{
        _cleanup_(closep) int pidfd = -EBADF;
        uint64_t found = 0;
        int r;

        if (pid <= 0)
                return error_set_errno(error, EINVAL, "Cannot take back process %d", (int)pid);
        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0)
                return error_set_errno(error, errno, "Cannot take back process %d", (int)pid);
        /* The pidfd holds one process; if that is the right one is seen now, and cannot change. */
        r = child_find_start_time(pid, &found);
        if (r < 0 || found != start_time || pidfd_send_signal(pidfd, 0, NULL, 0) < 0)
                return error_set_errno(error, ESRCH, "Process %d is not the one that was started", (int)pid);
        r = watch(pid, pidfd, start_time, false, ret_child);
        if (r < 0)
                return error_set_errno(error, r, "Cannot watch process %d", (int)pid);
        (void)TAKE_FD(pidfd);
        return 0;
}

void child_on_exit(Child *child, ChildExited exited, void *data)
{
        child->exited = exited;
        child->data = data;
}

pid_t child_get_pid(const Child *child)
{
        return child->pid;
}

int child_get_pidfd(const Child *child)
{
        return child->pidfd;
}

uint64_t child_get_start_time(const Child *child)
{
        return child->start_time;
}

bool child_is_running(const Child *child)
{
        return !child->has_ended;
}

int child_signal(Child *child, int signal)
{
        if (child->has_ended)
                return 0;
        if (pidfd_send_signal(child->pidfd, signal, NULL, 0) < 0)
                return errno == ESRCH ? 0 : -errno;
        return 0;
}

int child_wait(Child *child, uint64_t deadline_usec, int *ret_code, int *ret_status)
{
        while (!child->has_ended) {
                int r = condition_wait(&child->ended, deadline_usec);

                if (r < 0)
                        return r;
        }
        if (ret_code)
                *ret_code = child->code;
        if (ret_status)
                *ret_status = child->status;
        return 0;
}

void child_kill_and_wait(Child *child)
{
        bool is_cancelled = fiber_is_cancelled(fiber_current());

        (void)child_signal(child, SIGKILL); /* fails only if it has just ended */
        fiber_clear_cancel();
        (void)child_wait(child, deadline_after_usec(KILL_TIMEOUT_USEC), NULL, NULL);
        if (is_cancelled)
                fiber_cancel(fiber_current());
}

static void destroy(Child *child)
{
        sd_event_source_disable_unref(child->source);
        condition_clear(&child->ended);
        closep(&child->pidfd);
        g_free(child);
}

Child *child_free(Child *child)
{
        if (!child)
                return NULL;
        if (child->is_ours && !child->has_ended) {
                /* Somebody must wait for it, or it stays as a zombie. */
                child->exited = NULL;
                child->is_detached = true;
                detached = g_slist_prepend(detached, child);
                return NULL;
        }
        destroy(child);
        return NULL;
}
