/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Operations of Domain: what a transfer of the machine's memory may take. */

#include "drivers/qemu/machine.h"

/* Tells QEMU how fast it may send; what the machine was told (machine->migration_speed_mib), or, where that
 * is nothing, the most that there is. */
QmpCommand *migration_send_speed(const Machine *machine);

int qemu_domain_migrate_get_max_speed(Call *call, Domain *domain, uint32_t flags, uint64_t *ret_speed_mib,
                                      Error *error) AWAITS;
int qemu_domain_migrate_set_max_speed(Call *call, Domain *domain, uint64_t speed_mib, uint32_t flags,
                                      Error *error) AWAITS;
int qemu_domain_migrate_set_max_downtime(Call *call, Domain *domain, uint64_t downtime_msec, uint32_t flags,
                                         Error *error) AWAITS;
int qemu_domain_migrate_get_compression_cache(Call *call, Domain *domain, uint32_t flags,
                                              uint64_t *ret_bytes, Error *error) AWAITS;
int qemu_domain_migrate_set_compression_cache(Call *call, Domain *domain, uint64_t bytes, uint32_t flags,
                                              Error *error) AWAITS;
