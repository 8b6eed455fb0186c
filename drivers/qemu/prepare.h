/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host adds to a definition: the emulator and the full name of the machine type when it is defined;
 * names, ports and sockets when it starts. */

#include "drivers/qemu/machine.h"

/* The emulator that the definition will run with; the caller frees. */
char *prepare_emulator(const Driver *driver, const DomainDefinition *definition);

/* Completes a definition that was just parsed. Waits for an emulator that was not asked yet: what is stored
 * has the full name of its machine type, which stays the same when the host gets a newer QEMU. */
int prepare_definition(const Driver *driver, DomainDefinition *definition, uid_t owner, Error *error) AWAITS;

/* By what the binary can do: the machine type's full name; refuses one that it does not have. */
int prepare_machine_type(DomainDefinition *definition, const QemuCapabilities *capabilities, Error *error);

/* Displays that listen on the bridge of a network of the machine's owner get its address. */
int prepare_listens(const Driver *driver, DomainDefinition *live, uid_t owner, Error *error);
/* Finds a number for a <vsock> that has none; refuses one that this host cannot have. */
int prepare_vsock(DomainDefinition *live, Error *error);

/* Makes a copy of a definition that of a run: aliases, sockets in `folder`, free ports, a fresh generation
 * id. */
int prepare_live(const Driver *driver, DomainDefinition *live, const char *folder, Error *error);
