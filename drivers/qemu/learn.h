/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What only QEMU can say of a run that has just begun. */

#include "drivers/qemu/machine.h"

/* The first conversation with a QEMU, all at once: its greeting, passwords, and what it chose by itself
 * (ports, terminals), which goes into `live`. */
int learn(Machine *machine, DomainDefinition *live, uint64_t deadline_usec, Error *error) AWAITS;

/* Gives a display of a machine that runs its password, and says how long it is valid. */
int learn_password(Machine *machine, const DomainGraphics *graphics, uint64_t deadline_usec,
                   Error *error) AWAITS;
