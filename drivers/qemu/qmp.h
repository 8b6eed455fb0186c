/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* QEMU's monitor protocol. Commands may be sent one after the other without waiting (qmp_send, then qmp_wait
 * for each); answers are found by their id. Events come to the owner as they arrive. */

#include "core/await.h"
#include "drivers/qemu/json-stream.h"

/* A command that a healthy QEMU answers at once. */
#define QMP_TIMEOUT_USEC (30 * G_USEC_PER_SEC)
/* More commands than this without answer are refused. */
#define QMP_PENDING_MAX 256

typedef struct Qmp Qmp;
typedef struct QmpCommand QmpCommand;

typedef struct QmpHandlers {
        /* An event; `arguments` is borrowed and may be NULL. May free the monitor. */
        void (*event)(const char *name, json_t *arguments, void *data);
        /* Once, last: the other end hung up (`reason` NULL) or broke the protocol. May free the monitor. */
        void (*closed)(const char *reason, void *data);
        /* Once: QEMU sends more than is read (json-stream.h). */
        void (*flooded)(void *data);
} QmpHandlers;

/* Takes the connected socket over. `handlers` is static. */
int qmp_new(int fd, const QmpHandlers *handlers, void *data, Qmp **ret_qmp, Error *error);
/* Commands that wait get ERROR_OPERATION_FAILED. */
Qmp *qmp_free(Qmp *qmp);
DEFINE_CLEANUP(Qmp, qmp_free)

/* Connects to the socket of a QEMU that listens there. */
int qmp_connect(const char *path, const QmpHandlers *handlers, void *data, Qmp **ret_qmp, Error *error);

/* Sends a command. Takes `arguments` over (NULL: none), passes a copy of `fd` with it (negative: none).
 * Never waits and never fails: what goes wrong is what qmp_wait() says. Must be waited for or dropped by
 * qmp_command_free(). */
QmpCommand *qmp_send(Qmp *qmp, const char *name, json_t *arguments, int fd);
QmpCommand *qmp_command_free(QmpCommand *command);
DEFINE_CLEANUP(QmpCommand, qmp_command_free)
/* Waits for the answer; *ret_answer (may be NULL) is the value of "return", to be released by json_decref().
 * QEMU's own words are in the error: ERROR_OPERATION_FAILED, or ERROR_NOT_SUPPORTED if it does not know the
 * command. */
int qmp_wait(QmpCommand *command, uint64_t deadline_usec, json_t **ret_answer, Error *error) AWAITS;

/* Both in one. */
int qmp_call(Qmp *qmp, const char *name, json_t *arguments, uint64_t deadline_usec, json_t **ret_answer,
             Error *error) AWAITS;

/* The first command of a connection: after it QEMU takes others. The greeting is waited for with its answer.
 */
#define qmp_send_capabilities(qmp) qmp_send((qmp), "qmp_capabilities", NULL, -EBADF)

/* For how long QEMU has owed an answer, also one that nobody waits for any more; 0: it owes none. */
uint64_t qmp_waiting_usec(const Qmp *qmp);

/* major * 1000000 + minor * 1000 + micro, from the greeting; 0 before it came. */
uint64_t qmp_get_version(const Qmp *qmp);

/* As if these bytes had arrived, for fuzzing. */
void qmp_receive(Qmp *qmp, const char *bytes, size_t size);
/* Hears what has arrived already: the process is gone, and its last words say why. */
void qmp_drain(Qmp *qmp);
