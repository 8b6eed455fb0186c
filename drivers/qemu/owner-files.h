/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that a machine's definition or its owner names: made, read and removed with the owner's rights. What
 * belongs to a user is reached as that user; what root and group libvirt share, and everything in a session,
 * with the daemon's own rights and without following links that somebody planted. */

#include "drivers/qemu/machine.h"
#include "drivers/qemu/user.h"
#include "model/volume-header.h"

/* Whether the owner is another than the daemon, and who that is; the user must be looked up then. */
bool owner_is_other(const Domain *domain);
/* Looks up as whom children for the machine's files run; false in *ret_is_other: as the daemon. */
int owner_find(const Domain *domain, RunUser *ret_user, bool *ret_is_other, Error *error) AWAITS;

/* All paths are absolute. They return fds, or 0. */
int owner_files_open(const Domain *domain, const char *path, bool is_writable, Error *error) AWAITS;
/* Where QEMU, which runs as the owner, was not allowed to open a file: adds to what it says why not. */
void owner_files_explain(const Domain *domain, Error *error) AWAITS;
/* A new file, mode 0600; ERROR_EXISTS if there is one. */
int owner_files_create(const Domain *domain, const char *path, Error *error) AWAITS;
/* 0 also if there is none. */
int owner_files_remove(const Domain *domain, const char *path, Error *error) AWAITS;
/* If it is that file still; 0 also if it is not. */
int owner_files_remove_same(const Domain *domain, const char *path, dev_t device, ino_t inode,
                            Error *error) AWAITS;
/* ERROR_EXISTS if there is anything of that name. */
int owner_files_check_free(const Domain *domain, const char *path, Error *error) AWAITS;
/* In one folder, in place of what has the new name, or ERROR_EXISTS if anything has it; on the disk when it
 * returns. */
int owner_files_rename(const Domain *domain, const char *from, const char *to, bool replaces,
                       Error *error) AWAITS;
/* A whole regular file of at most `max` bytes; the caller frees. */
int owner_files_read(const Domain *domain, const char *path, size_t max, char **ret_data, size_t *ret_size,
                     Error *error) AWAITS;
/* Replaces the content of a file as a whole: all of it or nothing. It keeps owner and mode. */
int owner_files_replace(const Domain *domain, const char *path, const char *data, size_t size,
                        Error *error) AWAITS;
/* Connects with the socket at that path, with the rights of the machine's QEMU, which runs as that user and
 * may have made it; without waiting (O_NONBLOCK). Returns the fd: who is behind it is to be looked at. */
int owner_files_connect(const Domain *domain, uid_t uid, const char *path, Error *error) AWAITS;
/* What an image says of itself; to be cleared by the caller. *ret_size is the file's. */
int owner_files_header(const Domain *domain, const char *path, VolumeHeader *ret_header, uint64_t *ret_size,
                       Error *error) AWAITS;
