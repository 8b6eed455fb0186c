/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Devices for a machine that runs: their part of a command line, told to QEMU by its monitor. */

#include "drivers/qemu/machine.h"
#include "model/device-list.h"

/* What QEMU has been told, and how it is taken back. */
typedef struct DeviceLine DeviceLine;
DeviceLine *device_line_free(DeviceLine *line);
DEFINE_CLEANUP(DeviceLine, device_line_free)

/* Gives QEMU the devices of `live`, in that order, with all that they need: files, secrets, back ends.
 * `live` is what the machine will be with them; it gets names of taps and paths of sockets. After a failure
 * nothing is left of them. */
int device_line_run(Domain *domain, DomainDefinition *live, const Device *devices, unsigned n_devices,
                    uint64_t deadline_usec, Error *error) AWAITS;
/* The same for what is behind a disk alone, with that number: *ret_node is what a drive is given. *ret_line
 * takes it back. */
int device_line_open_medium(Domain *domain, DomainDefinition *live, const Device *disk, uint32_t number,
                            uint64_t deadline_usec, char **ret_node, DeviceLine **ret_line,
                            Error *error) AWAITS;
/* Takes back what was told, last things first. */
void device_line_undo(Domain *domain, DeviceLine *line) AWAITS;
