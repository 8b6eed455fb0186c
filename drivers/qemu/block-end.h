/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How jobs of disks go on and end: by themselves, by a call, or after a daemon was killed. */

#include "drivers/qemu/machine.h"

/* What became of them, and of merges, while no daemon ran. */
void block_end_recover(Domain *domain) AWAITS;
/* What QEMU tells of a job, from anywhere; others than these are let pass. */
void block_end_changed(Domain *domain, const char *id, const char *status);

/* For a guest that is to go on: the definition follows a disk that it could not follow before. */
int block_end_follow(Domain *domain, Error *error) AWAITS;

int qemu_domain_block_job_abort(Call *call, Domain *domain, const char *disk, uint32_t flags,
                                Error *error) AWAITS;
int qemu_domain_block_job_set_speed(Call *call, Domain *domain, const char *disk, uint64_t bandwidth,
                                    uint32_t flags, Error *error) AWAITS;
int qemu_domain_get_block_job_info(Call *call, Domain *domain, const char *disk, uint32_t flags,
                                   GVariant **ret_info, Error *error) AWAITS;
