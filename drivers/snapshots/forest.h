/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What changes in a machine's forest of snapshots, for every driver: all at once, in memory. Where snapshots
 * are kept besides is the driver's. */

#include "driver.h"
#include "objects/snapshot.h"

/* What is to become of a machine's snapshots, all at once. The children of those that go become those of
 * the nearest that stays, and so does the place from which the machine goes on. */
typedef struct SnapshotChange {
        DomainSnapshot *add;       /* in no list yet; NULL: none */
        const char *pending;       /* only written, with this mark; it is added by another change later */
        DomainSnapshot *reverting; /* only marked: the images are about to become what they were */
        bool ends_reverting;       /* they are, or none has been touched: no mark any more */
        GPtrArray *removed;        /* of DomainSnapshot *; NULL: none */
        bool sets_current;         /* to `current`, which may be NULL */
        DomainSnapshot *current;   /* also `add` */
        GHashTable *definitions;   /* DomainSnapshot * -> SnapshotDefinition *, taken out; NULL: none */
} SnapshotChange;

bool forest_is_removed(const SnapshotChange *change, const DomainSnapshot *snapshot);
/* The snapshot itself, or the nearest above that stays. */
DomainSnapshot *forest_nearest(const SnapshotChange *change, DomainSnapshot *snapshot);
/* How it will be: the current one, and a snapshot's definition (borrowed). */
DomainSnapshot *forest_current(const Domain *domain, const SnapshotChange *change);
const SnapshotDefinition *forest_definition(const SnapshotChange *change, const DomainSnapshot *snapshot);
/* Announced. */
void forest_apply(Domain *domain, const SnapshotChange *change);

/* virDomainSnapshotDeleteFlags. */
enum {
        DELETE_CHILDREN = 1 << 0,
        DELETE_METADATA_ONLY = 1 << 1,
        DELETE_CHILDREN_ONLY = 1 << 2,
};

/* Those that Delete is about, each before what follows from it. */
int forest_collect(DomainSnapshot *snapshot, uint32_t flags, GPtrArray **ret_snapshots, Error *error);
