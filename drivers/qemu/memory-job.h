/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one job on a machine's memory that clients of libvirt know of: saving, dumping, a snapshot with
 * memory. How far it is, and, when it has ended, how it went. */

#include "drivers/qemu/machine.h"

/* virDomainJobOperation. */
typedef enum MemoryJobKind {
        MEMORY_JOB_NONE = 0,
        MEMORY_JOB_SAVE = 2,
        MEMORY_JOB_SNAPSHOT = 6,
        MEMORY_JOB_DUMP = 8,
} MemoryJobKind;

/* It begins; `query` is QEMU's command that tells how far it is: "query-migrate", "query-dump", or NULL for
 * one that tells nothing. Static text. */
void memory_job_begin(Domain *domain, MemoryJobKind kind, const char *query);
/* It has ended, with what it made in its place or with nothing left of it, while QEMU is still there: the
 * signal JobCompleted. Nothing if none was begun. */
void memory_job_end(Domain *domain, int result, const Error *error) AWAITS;

int qemu_domain_get_job_info(Call *call, Domain *domain, GVariant **ret_info, Error *error) AWAITS;
int qemu_domain_get_job_stats(Call *call, Domain *domain, uint32_t flags, GVariant **ret_stats,
                              Error *error) AWAITS;
