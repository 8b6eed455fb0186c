/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Snapshots as objects: the forest that they are, and lists of it. */

#include "objects/snapshot.h"
#include "driver.h"
#include <string.h>

/* virDomainSnapshotListFlags; the first means roots of a machine's, descendants of a snapshot's. */
enum {
        LIST_ROOTS = 1 << 0,
        LIST_METADATA = 1 << 1,
        LIST_LEAVES = 1 << 2,
        LIST_NO_LEAVES = 1 << 3,
        LIST_NO_METADATA = 1 << 4,
        LIST_INACTIVE = 1 << 5,
        LIST_ACTIVE = 1 << 6,
        LIST_DISK_ONLY = 1 << 7,
        LIST_INTERNAL = 1 << 8,
        LIST_EXTERNAL = 1 << 9,
        LIST_TOPOLOGICAL = 1 << 10,
        LIST_ALL = (1 << 11) - 1,
};

static void snapshot_free(Object *object)
{
        DomainSnapshot *snapshot = (DomainSnapshot *)object;

        (void)g_ptr_array_remove(snapshot->domain->snapshots, snapshot); /* it may be in the list no more */
        domain_unref(snapshot->domain);
        snapshot_definition_free(snapshot->definition);
        g_free(snapshot->nvram_file);
        object_done(object);
        g_free(snapshot);
}

DomainSnapshot *snapshot_new(Domain *domain, SnapshotDefinition *definition)
{
        DomainSnapshot *snapshot = g_new0(DomainSnapshot, 1);

        object_init(&snapshot->object, OBJECT_SNAPSHOT, domain->object.driver, domain->object.uuid,
                    definition->name, NULL, domain->object.owner, snapshot_free);
        snapshot->domain = domain_ref(domain);
        snapshot->definition = definition;
        return snapshot;
}

static void list_changed(Domain *domain)
{
        domain->n_snapshots = domain->snapshots->len;
        object_changed(&domain->object, "Snapshots");
}

int snapshot_add(DomainSnapshot *snapshot)
{
        Domain *domain = snapshot->domain;
        int r = object_table_add(domain->object.driver->objects, &snapshot->object);

        if (r < 0)
                return r;
        g_ptr_array_add(domain->snapshots, snapshot);
        list_changed(domain);
        return 0;
}

void snapshot_remove(DomainSnapshot *snapshot)
{
        _cleanup_(domain_unrefp) Domain *domain = domain_ref(snapshot->domain);

        (void)g_ptr_array_remove(domain->snapshots, snapshot); /* the table holds it */
        list_changed(domain);
        object_table_remove(domain->object.driver->objects, &snapshot->object);
}

void snapshot_set_current(Domain *domain, DomainSnapshot *snapshot)
{
        for (unsigned i = 0; i < domain->snapshots->len; i++) {
                DomainSnapshot *other = domain->snapshots->pdata[i];

                if (other->is_current != (other == snapshot))
                        object_changed(&other->object, "Current");
                other->is_current = other == snapshot;
        }
}

void snapshot_set_definition(DomainSnapshot *snapshot, SnapshotDefinition *definition)
{
        static const char *const properties[] = { "Description", "Parent", "State", "CreatedAt", "Kind" };

        snapshot_definition_free(snapshot->definition);
        snapshot->definition = definition;
        for (size_t i = 0; i < G_N_ELEMENTS(properties); i++)
                object_changed(&snapshot->object, properties[i]);
}

void snapshot_set_parent(DomainSnapshot *snapshot, const char *parent)
{
        char *copy = g_strdup(parent);

        g_free(snapshot->definition->parent);
        snapshot->definition->parent = copy;
        object_changed(&snapshot->object, "Parent");
}

DomainSnapshot *snapshot_find(const Domain *domain, const char *name)
{
        for (unsigned i = 0; i < domain->snapshots->len; i++) {
                DomainSnapshot *snapshot = domain->snapshots->pdata[i];

                if (g_strcmp0(snapshot->object.name, name) == 0)
                        return snapshot;
        }
        return NULL;
}

DomainSnapshot *snapshot_current(const Domain *domain)
{
        for (unsigned i = 0; i < domain->snapshots->len; i++) {
                DomainSnapshot *snapshot = domain->snapshots->pdata[i];

                if (snapshot->is_current)
                        return snapshot;
        }
        return NULL;
}

DomainSnapshot *snapshot_parent(const DomainSnapshot *snapshot)
{
        return snapshot->definition->parent ? snapshot_find(snapshot->domain, snapshot->definition->parent)
                                            : NULL;
}

bool snapshot_descends(const DomainSnapshot *snapshot, const DomainSnapshot *of)
{
        unsigned n = snapshot->domain->snapshots->len; /* a circle that a file on disk had ends as well */

        for (const DomainSnapshot *up = snapshot_parent(snapshot); up && n > 0;
             up = snapshot_parent(up), n--)
                if (up == of)
                        return true;
        return false;
}

static bool has_children(const DomainSnapshot *snapshot)
{
        const GPtrArray *all = snapshot->domain->snapshots;

        for (unsigned i = 0; i < all->len; i++) {
                const DomainSnapshot *other = all->pdata[i];

                if (g_strcmp0(other->definition->parent, snapshot->object.name) == 0)
                        return true;
        }
        return false;
}

static uint32_t flags_of(const DomainSnapshot *snapshot)
{
        const SnapshotDefinition *definition = snapshot->definition;

        return LIST_METADATA | (has_children(snapshot) ? LIST_NO_LEAVES : LIST_LEAVES) |
               (definition->state == SNAPSHOT_SHUTOFF     ? LIST_INACTIVE
                : definition->state == SNAPSHOT_DISK_ONLY ? LIST_DISK_ONLY
                                                          : LIST_ACTIVE) |
               (snapshot_definition_is_external(definition) ? LIST_EXTERNAL : LIST_INTERNAL);
}

static bool is_wanted(const DomainSnapshot *snapshot, uint32_t wanted)
{
        static const uint32_t groups[] = { LIST_METADATA | LIST_NO_METADATA, LIST_LEAVES | LIST_NO_LEAVES,
                                           LIST_INACTIVE | LIST_ACTIVE | LIST_DISK_ONLY,
                                           LIST_INTERNAL | LIST_EXTERNAL };
        uint32_t flags = flags_of(snapshot);

        for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
                if (wanted & groups[i] && !(wanted & groups[i] & flags))
                        return false;
        return true;
}

static unsigned depth_of(const DomainSnapshot *snapshot)
{
        unsigned depth = 0;

        for (const DomainSnapshot *up = snapshot_parent(snapshot);
             up && depth < snapshot->domain->snapshots->len; up = snapshot_parent(up))
                depth++;
        return depth;
}

static int compare_depths(const void *a, const void *b)
{
        const DomainSnapshot *left = *(DomainSnapshot *const *)a, *right = *(DomainSnapshot *const *)b;
        unsigned left_depth = depth_of(left), right_depth = depth_of(right);

        return left_depth < right_depth ? -1 : left_depth > right_depth;
}

int snapshot_list(const char *operation, const Domain *domain, const DomainSnapshot *from, uint32_t flags,
                  GPtrArray **ret_snapshots, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *list = g_ptr_array_new_with_free_func(object_release);
        int r = error_check_flags(error, operation, flags, LIST_ALL);

        if (r < 0)
                return r;
        for (unsigned i = 0; i < domain->snapshots->len; i++) {
                DomainSnapshot *snapshot = domain->snapshots->pdata[i];
                bool is_child = from && snapshot_parent(snapshot) == from;
                bool is_inside = from ? is_child || (flags & LIST_ROOTS && snapshot_descends(snapshot, from))
                                      : !(flags & LIST_ROOTS) || !snapshot_parent(snapshot);

                if (is_inside && is_wanted(snapshot, flags))
                        g_ptr_array_add(list, snapshot_ref(snapshot));
        }
        if (flags & LIST_TOPOLOGICAL)
                g_ptr_array_sort(list, compare_depths);
        *ret_snapshots = TAKE_PTR(list);
        return 0;
}
