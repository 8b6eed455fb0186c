/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a machine keeps from run to run beside its disks: STATE/qemu/UUID/, with a folder for each kind that
 * belongs to whoever writes there. */

#include "drivers/qemu/machine.h"

#define KEEP_NVRAM "nvram"
#define KEEP_TPM   "tpm"
#define KEEP_SAVE  "save" /* the daemon's own */
#define KEEP_RAM   "ram"  /* of runs that have their memory in files */

/* STATE/qemu/UUID/WHAT; the caller frees. */
char *keep_path(const Driver *driver, const char *uuid, const char *what);

/* Makes the folder if it is not there, for that user ((uid_t)-1: the daemon's own); returns its fd. */
int keep_open(const Domain *domain, const char *what, uid_t uid, gid_t gid, Error *error);
/* ERROR_EXISTS if another user's machine of that UUID has left a TPM or variables: whoever gets the UUID
 * would get the folders, to change and to remove. */
int keep_check_free(const Driver *driver, const char *uuid, uid_t owner, Error *error);
/* Whether there is anything in it. */
bool keep_is_used(const Domain *domain, const char *what);
/* Removes it with all that is in it, and what was to become it; 0 also if it is not there. */
int keep_remove(const Domain *domain, const char *what, Error *error);

/* What takes several steps to make is made in a folder beside, WHAT.new, that counts for nothing: one that a
 * daemon was killed in is made anew by the next. Makes that folder, empty; returns its fd, and its path,
 * which the caller frees. */
int keep_begin(const Domain *domain, const char *what, uid_t uid, gid_t gid, char **ret_path, Error *error);
/* It is complete: on the disk and under its name when this returns. */
int keep_finish(const Domain *domain, const char *what, Error *error) AWAITS;
/* It will not be. */
int keep_abandon(const Domain *domain, const char *what, Error *error);
