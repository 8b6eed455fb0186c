/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Disks that name a volume of a storage pool. */

#include "driver.h"

/* A copy of the definition in which such disks are files, devices or on the network, with the format of the
 * volume where they say none; NULL if there are none. Pools and volumes are those of the machine's owner,
 * and started. */
int volume_disks_resolve(const Driver *driver, const DomainDefinition *live, uid_t owner,
                         DomainDefinition **ret_resolved, Error *error) AWAITS;
/* The path of a source that is a file, a device or a volume as it is known now; NULL if it has none. The
 * caller frees. */
char *volume_disks_path(const Driver *driver, const DiskSource *source, uid_t owner);
