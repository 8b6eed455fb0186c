/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs of disks that go on after the call that began them. QEMU knows them by a prefix and the disk's
 * target, so that a daemon that was started anew knows them too. What begins them is block-merge.c and
 * block-copy.c, what follows block-end.c. */

#include "drivers/qemu/json-stream.h"
#include "drivers/qemu/machine.h"

/* virDomainBlockJobType and virConnectDomainEventBlockJobStatus. */
typedef enum BlockJobType {
        BLOCK_JOB_PULL = 1,
        BLOCK_JOB_COPY = 2,
        BLOCK_JOB_COMMIT = 3,
        BLOCK_JOB_ACTIVE_COMMIT = 4,
} BlockJobType;
typedef enum BlockJobStatus {
        BLOCK_JOB_COMPLETED = 0,
        BLOCK_JOB_FAILED = 1,
        BLOCK_JOB_CANCELLED = 2,
        BLOCK_JOB_READY = 3,
} BlockJobStatus;

/* What DiskMirror.job is of the two kinds that have one. */
#define BLOCK_JOB_MIRROR_COPY   "copy"
#define BLOCK_JOB_MIRROR_COMMIT "active-commit"

/* The target in a job's name, NULL if it is none of these jobs. Borrowed. */
const char *block_job_target(const char *id);
/* Whether the files of the images that are merged go at the end. */
bool block_job_erases(const char *id);

/* A disk of a machine that runs. Borrowed until the next wait. */
int block_job_find_disk(const Domain *domain, const char *name, DomainDisk **ret_disk, Error *error);
/* One that has no job. */
int block_job_find_idle(const Domain *domain, const char *name, DomainDisk **ret_disk, Error *error) AWAITS;
/* What QEMU knows of the disk's job, by its name, which the caller frees; both NULL if it has none. */
int block_job_find(const Domain *domain, const char *target, char **ret_id, json_t **ret_job,
                   Error *error) AWAITS;

/* MiB/s, or bytes/s, as the argument "speed". */
int block_job_set_speed(json_t *arguments, uint64_t bandwidth, bool is_bytes, Error *error);
/* Takes the arguments over. A start that was cancelled after it was sent has begun. */
int block_job_start(Domain *domain, const char *target, const char *command, json_t *arguments, bool erases,
                    Error *error) AWAITS;

/* The disk has one image again. What is not saved the next daemon finds out, and does as well. */
int block_job_drop_mirror(Domain *domain, const char *target, Error *error) AWAITS;

/* The signal BlockJob. */
void block_job_tell(Domain *domain, const char *target, BlockJobType type, BlockJobStatus status);
