/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Processes that we start or take back. They are watched by pidfd, never by polling or SIGCHLD, and outlive
 * us unless they are ended. After fork the child only prepares (descriptors, uid, cgroup, session) and
 * execs. */

#include "core/error.h"
#include <sys/types.h>

typedef struct ChildOptions {
        const char *const *arguments;   /* argv, NULL-terminated; arguments[0] is an absolute path */
        const char *const *environment; /* NULL: a minimal one (PATH, LANG=C) */
        const int *fds; /* passed on as 3, 4, 5 ... in this order; everything else is closed */
        size_t n_fds;
        int stdin_fd, stdout_fd, stderr_fd; /* negative: /dev/null */
        bool set_user;                      /* become uid, gid and `groups`, drop every capability */
        uid_t uid;
        gid_t gid;
        const gid_t *groups;
        size_t n_groups;
        uint64_t locked_bytes; /* of memory that the kernel may not move; 0: as many as we may */
        const char *folder;    /* working directory, NULL: / */
        unsigned umask;        /* 0: 0077 */
        bool new_session;      /* setsid(): it shall outlive us */
        bool ends_with_us;     /* it is killed when we end, however we do */
        /* child_run() hands the output on as it comes, instead of keeping it; NUL-terminated. */
        void (*output_seen)(const char *text, size_t size, void *data);
        void *output_data;
} ChildOptions;

typedef struct Child Child;

/* Called once, on the loop, when the process has ended. `status` is as waitid() gives it (si_code,
 * si_status); for a process that is not our child both are 0. */
typedef void (*ChildExited)(Child *child, int code, int status, void *data);

/* Starts a process; fails with the child's own errno and step if it could not get to exec. A fiber waits for
 * that until the deadline; where there is none the process waits. */
int child_spawn(const ChildOptions *options, uint64_t deadline_usec, Child **ret_child, Error *error) AWAITS;

/* A file in memory for what a process says: one that complains without end fills it and no more. What was
 * never written are NULs. */
int child_messages_open(size_t max_size, Error *error);

/* Takes back a process by pid, if it is still the one that started at `start_time` (field 22 of
 * /proc/PID/stat, clock ticks); -ESRCH otherwise. */
int child_adopt(pid_t pid, uint64_t start_time, Child **ret_child, Error *error);

/* -ESRCH if there is no such process. */
int child_find_start_time(pid_t pid, uint64_t *ret_start_time);

void child_on_exit(Child *child, ChildExited exited, void *data);
pid_t child_get_pid(const Child *child);
int child_get_pidfd(const Child *child);
/* Clock ticks since boot: with the pid it names the process for ever. */
uint64_t child_get_start_time(const Child *child);
bool child_is_running(const Child *child);
/* By pidfd: never hits another process. 0 also if it has ended. */
int child_signal(Child *child, int signal);
/* Waits for its end. */
int child_wait(Child *child, uint64_t deadline_usec, int *ret_code, int *ret_status) AWAITS;
/* Stops watching; does not end the process. */
Child *child_free(Child *child);
DEFINE_CLEANUP(Child, child_free)

/* Runs a tool to its end and gives its output (at most max_output bytes each, then the tool is killed and
 * the call fails). An exit status other than 0 is an error with the tool's name, status and stderr. `input`
 * may be NULL. */
int child_run(const ChildOptions *options, const char *input, size_t input_size, size_t max_output,
              uint64_t deadline_usec, char **ret_output, size_t *ret_size, Error *error) AWAITS;
