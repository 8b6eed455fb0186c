/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Moving bytes between a file and what a caller passed: a pipe, a stream socket or another file. Holes of
 * files are found and kept. */

#include "core/error.h"
#include "core/fiber.h"

typedef enum StreamKind { STREAM_FILE, STREAM_PIPE, STREAM_SOCKET } StreamKind;

typedef struct Stream {
        StreamKind kind;
        int fd;            /* ours; never blocks a worker if it is a pipe or a socket */
        uint64_t position; /* of a file: where its reader or writer stands */
} Stream;

void stream_clear(Stream *stream);
/* From a caller's descriptor. ERROR_INVALID_ARGUMENT for other kinds, and for one that cannot be read or
 * written. */
int stream_open(int fd, bool is_reading, Stream *ret_stream, Error *error);

/* What a file has from its position on, in bytes; 0 of others. */
uint64_t stream_rest(const Stream *stream);

/* How far a move has come; called on the fiber after every step. */
typedef void (*StreamProgress)(uint64_t count, void *data);

typedef struct StreamMove {
        const char *name; /* of the volume, for errors */
        int file;         /* the volume's */
        uint64_t offset;  /* in it */
        uint64_t length;  /* UINT64_MAX: all */
        bool is_sparse;   /* blocks of zeroes become holes */
        StreamProgress progress;
        void *data;
} StreamMove;

/* From the stream into the file, which has nothing yet where it is written to. Ends at `length` or where the
 * stream ends. */
int stream_read_into(Stream *stream, const StreamMove *move, uint64_t *ret_count, Error *error) AWAITS;
/* From the file into the stream. */
int stream_write_from(Stream *stream, const StreamMove *move, uint64_t *ret_count, Error *error) AWAITS;
