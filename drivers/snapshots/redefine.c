/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/snapshots/redefine.h"
#include <string.h>

/* A parent that is there, and no circle. */
static int check_parent(const Domain *domain, const SnapshotDefinition *definition,
                        const DomainSnapshot *existing, Error *error)
{
        const DomainSnapshot *parent = definition->parent ? snapshot_find(domain, definition->parent) : NULL;

        if (!definition->parent)
                return 0;
        if (!parent)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The parent '%s' of snapshot '%s' is not there: it has to be defined first",
                                 definition->parent, definition->name);
        if (existing && (parent == existing || snapshot_descends(parent, existing)))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "Snapshot '%s' was taken before '%s', which cannot be its parent",
                                 definition->name, definition->parent);
        return 0;
}

/* What is in the images does not change with a record. */
static int check_same(const SnapshotDefinition *definition, const SnapshotDefinition *old, Error *error)
{
        _cleanup_(freep) char *difference = NULL;

        if (snapshot_definition_is_offline(definition) != snapshot_definition_is_offline(old))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "Snapshot '%s' is of a machine that was %s, which cannot become %s",
                                 definition->name, snapshot_state_to_string(old->state),
                                 snapshot_state_to_string(definition->state));
        if ((definition->state == SNAPSHOT_DISK_ONLY) != (old->state == SNAPSHOT_DISK_ONLY))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "Snapshot '%s' cannot change between the disks only and all of the machine",
                                 definition->name);
        if (definition->domain && old->domain)
                difference = domain_definition_difference(definition->domain, old->domain, true);
        if (difference)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "Snapshot '%s' is of a machine that differs in %s", definition->name,
                                 difference);
        return 0;
}

static int complete_domain(const Domain *domain, DomainDefinition *definition, const char *snapshot,
                           Error *error)
{
        if (strcmp(definition->uuid, domain->object.uuid) != 0)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The definition in snapshot '%s' is of UUID %s, the machine's is %s",
                                 snapshot, definition->uuid, domain->object.uuid);
        return domain_definition_complete(definition, error);
}

static int check(const Domain *domain, SnapshotDefinition *definition, const DomainSnapshot *existing,
                 Error *error)
{
        bool is_external =
                definition->state == SNAPSHOT_DISK_ONLY || definition->memory == DISK_SNAPSHOT_EXTERNAL;
        int r = check_parent(domain, definition, existing, error);

        if (r >= 0 && !definition->domain && existing && existing->definition->domain)
                snapshot_definition_set_domain(definition,
                                               domain_definition_copy(existing->definition->domain), NULL);
        if (r >= 0 && !definition->domain && definition->domain_uuid[0] &&
            strcmp(definition->domain_uuid, domain->object.uuid) != 0)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "Snapshot '%s' is of another machine, %s",
                              definition->name, definition->domain_uuid);
        if (r >= 0 && definition->domain)
                r = complete_domain(domain, definition->domain, definition->name, error);
        if (r >= 0 && definition->inactive_domain)
                r = complete_domain(domain, definition->inactive_domain, definition->name, error);
        if (r >= 0 && existing)
                r = check_same(definition, existing->definition, error);
        if (r >= 0 && definition->domain)
                r = snapshot_definition_align(definition, definition->domain,
                                              is_external ? DISK_SNAPSHOT_EXTERNAL : DISK_SNAPSHOT_INTERNAL,
                                              error);
        return r;
}

int redefine_snapshot(Domain *domain, SnapshotDefinition *definition, uint32_t flags,
                      int (*apply)(Domain *domain, const SnapshotChange *change, Error *error),
                      DomainSnapshot **ret_snapshot, Error *error)
{
        _cleanup_(snapshot_definition_freep) SnapshotDefinition *owned = definition;
        _cleanup_(snapshot_unrefp) DomainSnapshot *existing = NULL, *added = NULL;
        SnapshotChange change = {};
        bool is_current = flags & CREATE_CURRENT;
        int r = snapshot_definition_complete(definition, definition->creation_time, error);

        if (r >= 0 && flags & CREATE_DISK_ONLY && definition->state != SNAPSHOT_DISK_ONLY)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "Flag DISK_ONLY (16) needs a snapshot in state disk-snapshot, '%s' is %s",
                              definition->name, snapshot_state_to_string(definition->state));
        if (r < 0)
                return r;
        existing = snapshot_find(domain, definition->name);
        if (existing)
                snapshot_ref(existing);
        r = check(domain, definition, existing, error);
        if (r < 0)
                return r;
        if (existing) {
                change.definitions = g_hash_table_new(NULL, NULL);
                g_hash_table_insert(change.definitions, existing, owned);
        } else {
                change.add = added = snapshot_new(domain, TAKE_PTR(owned));
        }
        change.sets_current = is_current;
        change.current = is_current ? (existing ? existing : added) : NULL;
        r = apply(domain, &change, error);
        if (change.definitions)
                g_hash_table_unref(change.definitions);
        if (r < 0)
                return r;
        (void)TAKE_PTR(owned); /* the snapshot has it */
        *ret_snapshot = existing ? TAKE_PTR(existing) : TAKE_PTR(added);
        return 0;
}
