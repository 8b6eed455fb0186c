/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Starting a machine. */

#include "drivers/qemu/machine.h"

/* Refuses flags that are unknown, or that this driver does not do, and adds what the call says besides. */
int start_take_flags(const Call *call, const char *operation, uint32_t *flags, Error *error);

/* Starts the machine with this definition, which is copied. Of the flags START_PAUSED,
 * START_RESET_NVRAM and START_KEEP_NETWORKS count. Its job is taken; it does not run. When this
 * returns an error nothing is left, and nobody was told of a start. */
int start_machine(Domain *domain, const DomainDefinition *definition, uint32_t flags, const Job *cause,
                  uint64_t deadline_usec, Error *error) AWAITS;

/* Whether it has run since the host was booted: autostart is for those that have not. */
bool start_was_done(const Domain *domain);
/* Forgets that, for a machine that is undefined. */
void start_forget(const Domain *domain);
