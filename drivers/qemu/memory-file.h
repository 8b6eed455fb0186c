/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file that a machine's memory is written to. It has another name until it is whole, and what it is goes
 * with the status of the run before there is a file: a daemon that was killed leaves neither a half file nor
 * a guest that stands still (memory-recover.c). */

#include "drivers/qemu/machine.h"

/* In the folder KEEP_SAVE. */
#define MEMORY_FILE_OWN      "memory"
#define MEMORY_FILE_OWN_PART "memory.part"

/* Makes it, and returns a descriptor for writing; one at a time for a machine. NULL is the managed one. With
 * `ends_run` the run ends when it is whole, and a file of that name is replaced; otherwise there must be
 * none. The guest may be stopped from now on. */
int memory_file_begin(Domain *domain, const char *path, bool ends_run, Error *error) AWAITS;
/* All of it is written: when it is on the disk it gets its name. */
int memory_file_keep(Domain *domain, int fd, Error *error) AWAITS;
/* Nothing of it is left, and the guest goes on if it ran; in this order, as its disks will be newer. Also of
 * a fiber that is cancelled; nothing if none was begun. */
void memory_file_give_up(Domain *domain) AWAITS;
/* It is whoever asked for it's, and the guest goes on if it ran and that is wanted. On the disk when it
 * returns; the error is QEMU's, which does not let it go on. */
int memory_file_end(Domain *domain, bool goes_on, Error *error) AWAITS;
/* The run has ended. */
void memory_file_forget(Domain *domain);

/* For the next daemon: it gets its name if it has not got it yet. */
int memory_file_place(Domain *domain, Error *error) AWAITS;
/* Removes it, whole or not. */
void memory_file_remove(const Domain *domain) AWAITS;
