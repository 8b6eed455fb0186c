/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A snapshot of a machine, as far as the bus shows it for every driver. Those of one machine are a forest: a
 * snapshot names its parent. The driver keeps them and does what they are for. */

#include "model/snapshot.h"
#include "objects/domain.h"

typedef struct DomainSnapshot {
        Object object;  /* the name is the definition's */
        Domain *domain; /* counted: rights and jobs are the machine's */
        SnapshotDefinition *definition;
        bool is_current;  /* the machine goes on from here */
        char *nvram_file; /* the driver's own copy of the firmware's variables; NULL: none */
} DomainSnapshot;

/* Takes the definition over, which is completed. In no list yet. */
DomainSnapshot *snapshot_new(Domain *domain, SnapshotDefinition *definition);
static inline DomainSnapshot *snapshot_ref(DomainSnapshot *snapshot)
{
        object_ref(&snapshot->object);
        return snapshot;
}
static inline DomainSnapshot *snapshot_unref(DomainSnapshot *snapshot)
{
        if (snapshot)
                object_unref(&snapshot->object);
        return NULL;
}
DEFINE_CLEANUP(DomainSnapshot, snapshot_unref)

/* Into and out of the machine's list and the driver's table; both are announced. */
int snapshot_add(DomainSnapshot *snapshot);
void snapshot_remove(DomainSnapshot *snapshot);
/* NULL: none is. */
void snapshot_set_current(Domain *domain, DomainSnapshot *snapshot);
/* The new definition is taken over; the name is the same. */
void snapshot_set_definition(DomainSnapshot *snapshot, SnapshotDefinition *definition);
/* A NULL parent makes it a root. */
void snapshot_set_parent(DomainSnapshot *snapshot, const char *parent);

/* Borrowed; NULL if there is none. */
DomainSnapshot *snapshot_find(const Domain *domain, const char *name);
DomainSnapshot *snapshot_current(const Domain *domain);
DomainSnapshot *snapshot_parent(const DomainSnapshot *snapshot);
/* Whether `snapshot` was taken after `of`, directly or not. */
bool snapshot_descends(const DomainSnapshot *snapshot, const DomainSnapshot *of);

/* The machine's (`from` NULL) or those that follow from one, by virDomainSnapshotListFlags. */
int snapshot_list(const char *operation, const Domain *domain, const DomainSnapshot *from, uint32_t flags,
                  GPtrArray **ret_snapshots, Error *error);
