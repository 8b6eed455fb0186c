/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is done with the files of a folder, by workers. Names are single components; links are never
 * followed, and only regular files are opened. A name that begins with '/' is that of a block device, and
 * nothing else is opened by it. What only looks is given up after a while, as a server of
 * files that is gone answers nothing for ever; what changes something is waited for. */

#include "model/storage-volume.h"
#include "model/volume-header.h"
#include <sys/stat.h>

/* Names that begin so, PREFIX PID "-" RANDOM, are volumes that the daemon PID makes. */
#define FILES_PART_PREFIX ".virtbus-part-"

typedef struct FileEntry {
        char *name;
        struct stat stat;    /* of a regular file or a folder */
        VolumeHeader header; /* without a format: it cannot be read, or contradicts itself */
        char *path, *key;    /* of what is no file of the pool's folder; NULL otherwise */
        uint64_t allocation; /* the same, in bytes; its size is stat.st_size */
        char *label;         /* of a file, for SELinux; NULL: it has none */
} FileEntry;
FileEntry *file_entry_free(FileEntry *entry);
DEFINE_CLEANUP(FileEntry, file_entry_free)

/* Opens a folder for all that follows. */
int files_open(const char *path, int *ret_fd, Error *error) AWAITS;
/* The root folder, for pools whose volumes are no files. */
int files_open_none(int *ret_fd, Error *error);
/* Makes it with its parents if it is not there, and gives it the permissions. */
int files_make(const char *path, const StoragePermissions *permissions, Error *error) AWAITS;
/* Gives a block device the permissions, which hold until it goes. */
int files_permit_device(const char *path, const StoragePermissions *permissions, Error *error) AWAITS;
/* Removes an empty one. */
int files_delete(const char *path, Error *error) AWAITS;

/* An array of FileEntry that frees them; other kinds of files are left out. *changed is the folder's time of
 * change when it was last read (0: never) and becomes the present one, or 0 if that is too fresh to be sure
 * of. If it is the same, nothing is read and *ret_entries is NULL. */
int files_list(int fd, struct timespec *changed, GPtrArray **ret_entries, Error *error) AWAITS;
int files_look(int fd, const char *name, FileEntry **ret_entry, Error *error) AWAITS;
/* The block device at `path`, as the volume `name`; key NULL: the path. */
int files_look_device(const char *path, const char *name, const char *key, FileEntry **ret_entry,
                      Error *error) AWAITS;
/* What the functions here know it by. */
const char *file_entry_file(const FileEntry *entry);
/* Of the file system, in bytes. */
int files_size(int fd, uint64_t *ret_capacity, uint64_t *ret_available, Error *error) AWAITS;
/* Removes what daemons that are gone, and this one, left half made. */
int files_tidy(int fd, Error *error) AWAITS;

/* A new file of `capacity` bytes, of which `allocation` are reserved. */
int files_make_raw(int fd, const char *name, uint64_t capacity, uint64_t allocation, bool nocow,
                   Error *error) AWAITS;
/* Gives the file `part` its permissions (0600) and its name, which must be free, and brings all to the disk.
 */
int files_commit(int fd, const char *part, const char *name, const StoragePermissions *permissions,
                 Error *error) AWAITS;
/* Without a word about what is not there. */
void files_drop(int fd, const char *name) AWAITS;

/* These fail (ERROR_OPERATION_INVALID) while a process, such as a machine's QEMU, holds a lock on the file.
 */
int files_remove(int fd, const char *name, bool is_folder, Error *error) AWAITS;
/* `present` is the size that the file is known to have: another one is refused. */
int files_resize_raw(int fd, const char *name, uint64_t present, uint64_t capacity, bool allocate,
                     Error *error) AWAITS;

/* A descriptor of the file, with a lock for as long as it or a copy is open. For reading it fails while
 * somebody writes and keeps writers away; for writing it fails while anybody uses the file and keeps all
 * away. QEMU heeds and has these locks, too. */
int files_lock(int fd, const char *name, bool is_writing, int *ret_fd, Error *error) AWAITS;
