/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine's memory in a file: what the machine is, for whoever restores it, then QEMU's own stream. A file
 * that was not finished says so. */

#include "core/error.h"
#include <errno.h>
#include <stdint.h>

typedef struct SaveFile {
        char *xml;       /* the definition */
        bool is_running; /* how it goes on */
        uint64_t offset; /* where QEMU's part begins, in bytes */
} SaveFile;

void save_file_clear(SaveFile *file);

/* Writes the beginning of an empty file and leaves the descriptor where QEMU's part begins. */
int save_file_begin(int fd, const char *xml, bool is_running, Error *error) AWAITS;
/* Says that it is complete; on the disk when it returns. */
int save_file_finish(int fd, Error *error) AWAITS;
/* Of a file that could be read, and is none, was not finished or is damaged: what no file system says. */
#define SAVE_FILE_WRONG (-ENOMSG)
/* Reads it, and checks all that can be checked; the descriptor is left where QEMU's part begins. */
int save_file_read(int fd, SaveFile *ret_file, Error *error) AWAITS;
/* Puts other words in place of those at the beginning. There is room for some more than were there. */
int save_file_replace(int fd, const char *xml, bool is_running, Error *error) AWAITS;
