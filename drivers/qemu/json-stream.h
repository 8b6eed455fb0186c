/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* JSON objects, a line each, over a socket: QEMU's monitor and the guest's agent. Whoever is at the other
 * end may be hostile: lines, values in a line, and what waits to be sent are bounded, and a flood of
 * messages is read no faster than JSON_MESSAGES_PER_SECOND. A stream that breaks a rule is closed. */

#include "core/error.h"
#include <jansson.h> /* has json_decrefp() for _cleanup_() */

#define JSON_LINE_MAX            (16u * 1024 * 1024)
#define JSON_VALUES_MAX          (256u * 1024) /* a value costs some 50 bytes of memory, an empty array 2 of line */
#define JSON_UNSENT_MAX          (4u * 1024 * 1024)
#define JSON_MESSAGES_PER_SECOND 1000
#define JSON_MESSAGES_BURST      4000

typedef struct JsonStream JsonStream;

typedef struct JsonStreamHandlers {
        /* An object arrived; borrowed. May close and free the stream. */
        void (*message)(json_t *message, void *data);
        /* Once: the other end hung up (reason NULL) or broke a rule. Nothing follows. May free the stream.
         */
        void (*closed)(const char *reason, void *data);
        /* Once: messages come faster than they are read. May be NULL. */
        void (*flooded)(void *data);
} JsonStreamHandlers;

/* Takes the socket over. `handlers` is static. */
int json_stream_new(int fd, const JsonStreamHandlers *handlers, void *data, JsonStream **ret_stream,
                    Error *error);
JsonStream *json_stream_free(JsonStream *stream);
DEFINE_CLEANUP(JsonStream, json_stream_free)

/* Sends the bytes and, with their first, a copy of the descriptor (negative: none). What cannot go out at
 * once waits, up to JSON_UNSENT_MAX bytes; -ENOBUFS beyond. */
int json_stream_send(JsonStream *stream, const char *bytes, size_t size, int fd);

/* As if these bytes had arrived: for the socket's handler and for fuzzing. */
void json_stream_receive(JsonStream *stream, const char *bytes, size_t size);

/* Takes in what has arrived already, before the loop would: the other end is gone. */
void json_stream_drain(JsonStream *stream);

/* Both ends closed; nothing is told. */
void json_stream_close(JsonStream *stream);
