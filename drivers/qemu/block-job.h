/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs of disks that go on after the call that began them. QEMU knows them by "virtbus-block-" and the
 * target, so that a daemon that was started anew knows them too. */

#include "drivers/qemu/machine.h"

/* What became of them, and of merges, while no daemon ran. */
void block_job_recover(Domain *domain) AWAITS;
/* What QEMU tells of a job, from anywhere; others than these are let pass. */
void block_job_changed(Domain *domain, const char *id, const char *status);

int qemu_domain_block_pull(Call *call, Domain *domain, const char *disk, uint64_t bandwidth, uint32_t flags,
                           Error *error) AWAITS;
int qemu_domain_block_rebase(Call *call, Domain *domain, const char *disk, const char *base,
                             uint64_t bandwidth, uint32_t flags, Error *error) AWAITS;
int qemu_domain_block_commit(Call *call, Domain *domain, const char *disk, const char *base, const char *top,
                             uint64_t bandwidth, uint32_t flags, Error *error) AWAITS;
int qemu_domain_block_job_abort(Call *call, Domain *domain, const char *disk, uint32_t flags,
                                Error *error) AWAITS;
int qemu_domain_block_job_set_speed(Call *call, Domain *domain, const char *disk, uint64_t bandwidth,
                                    uint32_t flags, Error *error) AWAITS;
int qemu_domain_get_block_job_info(Call *call, Domain *domain, const char *disk, uint32_t flags,
                                   GVariant **ret_info, Error *error) AWAITS;
