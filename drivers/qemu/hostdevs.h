/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Devices of the host that a machine is given: which they are today. */

#include "model/device-list.h"

/* Finds USB devices by vendor and product, and writes their addresses into the definition of the run, which
 * are not stored with it; refuses what this host cannot pass on, or has not got. A USB device that need not
 * be there is `missing` then. Reads /sys. */
int hostdevs_prepare(DomainDefinition *live, Error *error);

/* The same for one device that is about to be plugged in, and must be there; others than those of the host
 * are let pass. */
int hostdevs_prepare_device(const Device *device, Error *error);

/* "3:0:0:1" of a SCSI device that an adapter of the host has; NULL: it is none. The caller frees. */
char *hostdevs_scsi_address(const DomainHostdev *hostdev);
/* "/dev/sg0" of that address; NULL: the host has no such device, or no sg. The caller frees. */
char *hostdevs_scsi_node(const char *address);
/* The same for each <hostdev> that is a SCSI device of the host, NULL for others; ended by nothing. The
 * caller frees by hostdevs_free_nodes(). */
char **hostdevs_find_nodes(const DomainDefinition *live);
void hostdevs_free_nodes(char **nodes, size_t count);
