/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/snapshots/forest.h"
#include <string.h>

bool forest_is_removed(const SnapshotChange *change, const DomainSnapshot *snapshot)
{
        return change->removed && g_ptr_array_find(change->removed, snapshot, NULL);
}

DomainSnapshot *forest_nearest(const SnapshotChange *change, DomainSnapshot *snapshot)
{
        unsigned n = snapshot ? snapshot->domain->snapshots->len : 0;

        for (; snapshot && n > 0 && forest_is_removed(change, snapshot); n--)
                snapshot = snapshot_parent(snapshot);
        return snapshot && forest_is_removed(change, snapshot) ? NULL : snapshot;
}

DomainSnapshot *forest_current(const Domain *domain, const SnapshotChange *change)
{
        return change->sets_current ? change->current : forest_nearest(change, snapshot_current(domain));
}

const SnapshotDefinition *forest_definition(const SnapshotChange *change, const DomainSnapshot *snapshot)
{
        const SnapshotDefinition *changed =
                change->definitions ? g_hash_table_lookup(change->definitions, snapshot) : NULL;

        return changed ? changed : snapshot->definition;
}

void forest_apply(Domain *domain, const SnapshotChange *change)
{
        DomainSnapshot *current = forest_current(domain, change);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *all = g_ptr_array_new_with_free_func(object_release);

        for (unsigned i = 0; i < domain->snapshots->len; i++)
                g_ptr_array_add(all, snapshot_ref(domain->snapshots->pdata[i]));
        for (unsigned i = 0; i < all->len; i++) {
                DomainSnapshot *snapshot = all->pdata[i], *parent = snapshot_parent(snapshot);

                if (change->definitions && g_hash_table_contains(change->definitions, snapshot)) {
                        gpointer definition;

                        (void)g_hash_table_steal_extended(change->definitions, snapshot, NULL, &definition);
                        snapshot_set_definition(snapshot, definition);
                        parent = snapshot_parent(snapshot);
                }
                if (parent && forest_nearest(change, parent) != parent) {
                        const DomainSnapshot *above = forest_nearest(change, parent);

                        snapshot_set_parent(snapshot, above ? above->object.name : NULL);
                }
        }
        if (change->add && !change->pending)
                (void)snapshot_add(change->add); /* its name was looked for */
        for (unsigned i = 0; change->removed && i < change->removed->len; i++)
                snapshot_remove(change->removed->pdata[i]);
        snapshot_set_current(domain, current);
}

int forest_collect(DomainSnapshot *snapshot, uint32_t flags, GPtrArray **ret_snapshots, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *list = g_ptr_array_new_with_free_func(object_release);
        const GPtrArray *all = snapshot->domain->snapshots;
        int r = error_check_flags(error, "Delete", flags,
                                  DELETE_CHILDREN | DELETE_METADATA_ONLY | DELETE_CHILDREN_ONLY);

        if (r >= 0 && flags & DELETE_CHILDREN && flags & DELETE_CHILDREN_ONLY)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "Delete: CHILDREN (1) excludes CHILDREN_ONLY (4)");
        if (r < 0)
                return r;
        if (!(flags & DELETE_CHILDREN_ONLY))
                g_ptr_array_add(list, snapshot_ref(snapshot));
        for (unsigned depth = 0; flags & (DELETE_CHILDREN | DELETE_CHILDREN_ONLY) && depth < all->len;
             depth++)
                for (unsigned i = 0; i < all->len; i++) {
                        DomainSnapshot *other = all->pdata[i], *parent = snapshot_parent(other);
                        bool is_next = parent && !g_ptr_array_find(list, other, NULL) &&
                                       (parent == snapshot || g_ptr_array_find(list, parent, NULL));

                        if (is_next)
                                g_ptr_array_add(list, snapshot_ref(other));
                }
        *ret_snapshots = TAKE_PTR(list);
        return 0;
}
