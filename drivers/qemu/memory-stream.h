/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine's memory with the state of its devices, to a descriptor and back: QEMU's migration, to and from
 * a file. */

#include "drivers/qemu/machine.h"

/* To where the descriptor stands. The guest does not run when this returns well, as it was before if not. A
 * fiber that is cancelled gives up. */
int memory_stream_out(Domain *domain, int fd, Error *error) AWAITS;
/* Into a QEMU that was started to wait for it. */
int memory_stream_in(Domain *domain, int fd, Error *error) AWAITS;
/* How far it is; the caller drops the reference. */
int memory_stream_query(const Domain *domain, json_t **ret_answer, Error *error) AWAITS;
/* Ends it, if one goes on, and waits until QEMU holds no file of it. */
void memory_stream_give_up(Domain *domain) AWAITS;
/* Tells it to end. */
int memory_stream_cancel(const Domain *domain, Error *error) AWAITS;
