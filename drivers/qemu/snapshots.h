/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The snapshots of machines as they are kept: CONFIG/qemu/snapshot/UUID.xml has all of one machine, so that
 * every change of them, however many it concerns, is one file that is replaced. */

#include "drivers/qemu/machine.h"
#include "drivers/snapshots/forest.h"

/* SnapshotChange.pending: begun; and its new images, if there are any, were made for it. */
#define SNAPSHOT_PENDING      "take"
#define SNAPSHOT_PENDING_MADE "take-made"

/* On the disk first, then in memory and announced. After a failure all is as it was. */
int snapshots_change(Domain *domain, const SnapshotChange *change, Error *error) AWAITS;

/* What every machine of the driver has, after the definitions were read. */
int snapshots_load(Driver *driver, Error *error);
/* Forgets all of the machine's, for one that is undefined. */
int snapshots_forget(Domain *domain, Error *error) AWAITS;
/* A file of the daemon's own that belongs to a snapshot: the firmware's variables. */
int snapshots_save_nvram(DomainSnapshot *snapshot, const char *data, size_t size, Error *error) AWAITS;
void snapshots_drop_nvram(DomainSnapshot *snapshot) AWAITS;
int snapshots_read_nvram(const DomainSnapshot *snapshot, char **ret_data, size_t *ret_size,
                         Error *error) AWAITS;

/* To which one the machine is going back, or was when the daemon was killed: it does not start until it is
 * there. NULL: none. */
DomainSnapshot *snapshots_reverting(const Domain *domain);
/* What stood in the file as begun, and was not ended when the daemon was killed: the record, which is in no
 * list. NULL: nothing. */
DomainSnapshot *snapshots_pending(const Domain *domain);
