/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The folder of a run: RUN/qemu/domain-UUID. It is root's (or the session's user's) alone: nobody else can
 * put anything there, or talk to the monitor. What QEMU itself makes is in "own" below it, which belongs to
 * QEMU's user. It exists before the process does and carries the process's tag, so that nothing that was
 * begun is ever lost. */

#include "drivers/qemu/machine.h"

#define FOLDER_OWN "own"

/* In the environment of every process that is started for a machine: names its folder. */
#define FOLDER_TAG "VIRTBUS_RUN"

#define FOLDER_PREFIX "domain-"

/* "domain-UUID"; the caller frees. */
char *folder_name(const char *uuid);
/* The caller frees. */
char *folder_path(const Domain *domain);

/* Makes it anew, empty but for "own", which belongs to that user; returns its fd. (uid_t)-1: to the daemon
 * itself. */
int folder_make(const Domain *domain, uid_t uid, gid_t gid, Error *error);
/* Returns its fd. */
int folder_open(const Domain *domain, Error *error);
/* Removes a folder with all in it, and follows nothing; 0 also if there is none. */
int folder_remove_tree(int parent_fd, const char *name);
/* Removes the folder of the machine with that UUID, with all in it; 0 also if there is none. */
int folder_remove(const QemuDriver *qemu, const char *uuid, Error *error);

/* A listening socket; `name` is a file in the folder. */
int folder_bind(int folder_fd, const char *name, Error *error);
/* Removes the file of a socket, if it is one in the machine's folder. */
void folder_unbind(const Domain *domain, const char *path);
/* Connects with the socket of that name in the folder; returns the fd. */
int folder_connect(int folder_fd, const char *name, Error *error);
/* A path of a file in the folder that is short enough for a socket's address. The caller frees. */
char *folder_socket_path(int folder_fd, const char *name);

/* A process that carries the tag of that machine's folder; 0: there is none; -1: nobody knows. */
pid_t folder_find_tagged(const QemuDriver *qemu, const char *uuid);
/* Keeps in mind that there is such a process, of which nothing else is known: it is left alone, and so is
 * all that may be its. */
void folder_note_unknown(QemuDriver *qemu, const char *uuid);
/* ERROR_OPERATION_INVALID while it is there: what would harm it asks first. */
int folder_check_unknown(QemuDriver *qemu, const char *uuid, Error *error);
/* Until it has ended. */
int folder_wait_unknown(QemuDriver *qemu, const char *uuid) AWAITS;
/* Ends processes that carry the tag of that machine's folder; gives a pidfd of each, to wait for its end.
 * The caller frees the array, which closes them. For a daemon that was killed between a process's start and
 * the note of its pid. */
GArray *folder_kill_tagged(const QemuDriver *qemu, const char *uuid);
/* Waits until they have ended: what they held is free then, their devices are gone. */
int folder_wait_for_ends(const GArray *pidfds, uint64_t deadline_usec, Error *error) AWAITS;
