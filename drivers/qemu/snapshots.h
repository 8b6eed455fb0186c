/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The snapshots of machines as they are kept: CONFIG/qemu/snapshot/UUID.xml has all of one machine, so that
 * every change of them, however many it concerns, is one file that is replaced. */

#include "drivers/qemu/machine.h"

/* What is to become of a machine's snapshots, all at once. The children of those that go become those of
 * the nearest that stays, and so does the place from which the machine goes on. */
typedef struct SnapshotChange {
        DomainSnapshot *add; /* in no list yet; NULL: none */
        const char *pending; /* only written, with this mark; it is added by another change later */
        const DomainSnapshot *reverting; /* only marked: the images are about to become what they were */
        GPtrArray *removed;              /* of DomainSnapshot *; NULL: none */
        bool sets_current;               /* to `current`, which may be NULL */
        DomainSnapshot *current;         /* also `add` */
        GHashTable *definitions; /* DomainSnapshot * -> SnapshotDefinition *, taken out; NULL: none */
} SnapshotChange;

/* On the disk first, then in memory and announced. After a failure all is as it was. */
int snapshots_change(Domain *domain, const SnapshotChange *change, Error *error) AWAITS;

/* What every machine of the driver has, after the definitions were read. */
int snapshots_load(Driver *driver, Error *error);
/* Forgets all of the machine's, for one that is undefined. */
int snapshots_forget(Domain *domain, Error *error) AWAITS;
/* Refuses what would leave snapshots behind. */
int snapshots_check_none(const Domain *domain, Error *error);

/* A file of the daemon's own that belongs to a snapshot: the firmware's variables. */
int snapshots_save_nvram(DomainSnapshot *snapshot, const char *data, size_t size, Error *error) AWAITS;
void snapshots_drop_nvram(DomainSnapshot *snapshot) AWAITS;
int snapshots_read_nvram(const DomainSnapshot *snapshot, char **ret_data, size_t *ret_size,
                         Error *error) AWAITS;

/* To which one the machine was going back when the daemon was killed. NULL: none. */
DomainSnapshot *snapshots_reverting(const Domain *domain);
/* What stood in the file as begun, and was not ended when the daemon was killed: the record, which is in no
 * list. NULL: nothing. */
DomainSnapshot *snapshots_pending(const Domain *domain);

int qemu_domain_list_domain_snapshots(Call *call, Domain *domain, uint32_t flags, GPtrArray **ret_snapshots,
                                      Error *error);
int qemu_domain_snapshot_current(Call *call, Domain *domain, uint32_t flags, DomainSnapshot **ret_snapshot,
                                 Error *error);
int qemu_domain_snapshot_lookup_by_name(Call *call, Domain *domain, const char *name, uint32_t flags,
                                        DomainSnapshot **ret_snapshot, Error *error);
int qemu_snapshot_get_parent(Call *call, DomainSnapshot *snapshot, uint32_t flags,
                             DomainSnapshot **ret_snapshot, Error *error);
int qemu_snapshot_get_xml_desc(Call *call, DomainSnapshot *snapshot, uint32_t flags, char **ret_xml,
                               Error *error);
int qemu_snapshot_is_current(Call *call, DomainSnapshot *snapshot, uint32_t flags, bool *ret_is_current,
                             Error *error);
int qemu_snapshot_list_children(Call *call, DomainSnapshot *snapshot, uint32_t flags,
                                GPtrArray **ret_snapshots, Error *error);
