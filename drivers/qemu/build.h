/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line of a definition on this host. */

#include "drivers/qemu/command/command.h"
#include "drivers/qemu/firmware.h"
#include "drivers/qemu/machine.h"

/* Makes `live` the definition of a run in `folder` and builds its line, which borrows it and nothing else.
 * `variables` are those that the firmware has to go on with, NULL: none. Waits until the emulator is known.
 */
int build_line(const Driver *driver, DomainDefinition *live, uid_t owner, const char *folder, bool runs,
               const FirmwareVariables *variables, uint64_t deadline_usec, CommandLine **ret_line,
               Error *error) AWAITS;

/* Devices of a definition that a machine which runs is to get. */
typedef struct BuildDevices {
        const Device *items; /* their kinds and positions */
        unsigned count;
        unsigned first_fd;      /* numbers of descriptors that QEMU has not got yet */
        char **medium_node;     /* only what is behind the first, a disk, is built; gets the node's name */
        uint32_t medium_number; /* of that medium, see chain.h */
} BuildDevices;

/* The arguments of those devices alone. `live` is what the machine will be with them. */
int build_devices(const Driver *driver, DomainDefinition *live, uid_t owner, const char *folder,
                  const BuildDevices *devices, uint64_t deadline_usec, CommandLine **ret_line,
                  Error *error) AWAITS;
