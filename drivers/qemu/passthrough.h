/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Devices of the host in the hands of a machine: its alone, out of the hands of the host's driver, open to
 * the user that QEMU runs as; and all of that taken back. */

#include "drivers/qemu/machine.h"
#include "drivers/qemu/user.h"
#include "model/device-list.h"

/* What the definition names, before something is chosen for it: that is to be another. */
int passthrough_reserve(Domain *domain, DomainDefinition *definition, uint64_t deadline_usec,
                        Error *error) AWAITS;
/* All that the definition has and the machine has not got yet. A failure leaves some of them taken, to be
 * given back by one of those below. */
int passthrough_take(Domain *domain, DomainDefinition *definition, const RunUser *user,
                     uint64_t deadline_usec, Error *error) AWAITS;
/* How much memory QEMU must be able to keep from being moved, as devices write to it by themselves; 0: they
 * do not. */
uint64_t passthrough_locked_bytes(DomainDefinition *definition);

/* The machine has lost the device, or never got it. */
void passthrough_give_back(Domain *domain, const Device *device) AWAITS;
void passthrough_give_back_all(Domain *domain) AWAITS;
/* The same in a fiber of its own. */
void passthrough_ended(Domain *domain);

/* A machine that is taken back has what its definition says, and what it was about to get if nobody else has
 * that. */
void passthrough_resume(Domain *domain);
/* Gives back what no machine has: the daemon was killed before. While there are runs of which nothing is
 * known nobody gets it, and this is to be called again when they have ended. */
void passthrough_sweep(Driver *driver);
