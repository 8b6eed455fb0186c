/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host's processor and kernel count of a machine's process (<perf>): cache misses, context
 * switches ... A counter lives as long as the daemon; the next one counts from 0. */

#include "core/records.h"
#include "drivers/qemu/machine.h"

/* Begins to count what the definition of a run wants. */
int perf_begin(const Domain *domain, const DomainDefinition *definition, Error *error);
/* perf.NAME of what is counted. */
void perf_add_records(Records *records, const Domain *domain);

int qemu_domain_get_perf_events(Call *call, Domain *domain, uint32_t flags, GVariant **ret_events,
                                Error *error);
int qemu_domain_set_perf_events(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                Error *error) AWAITS;
