/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/snapshots/reads.h"

int snapshots_list_domain_snapshots(Call *call, Domain *domain, uint32_t flags, GPtrArray **ret_snapshots,
                                    Error *error)
{
        (void)call;
        return snapshot_list("ListDomainSnapshots", domain, NULL, flags, ret_snapshots, error);
}

int snapshots_list_children(Call *call, DomainSnapshot *snapshot, uint32_t flags, GPtrArray **ret_snapshots,
                            Error *error)
{
        (void)call;
        return snapshot_list("ListChildren", snapshot->domain, snapshot, flags, ret_snapshots, error);
}

int snapshots_snapshot_current(Call *call, Domain *domain, uint32_t flags, DomainSnapshot **ret_snapshot,
                               Error *error)
{
        DomainSnapshot *current = snapshot_current(domain);
        int r = error_check_flags(error, "SnapshotCurrent", flags, 0);

        (void)call;
        if (r < 0)
                return r;
        if (!current)
                return error_set(error, ERROR_NO_SNAPSHOT,
                                 "Domain snapshot not found: the %s has no current one",
                                 object_describe(&domain->object));
        *ret_snapshot = snapshot_ref(current);
        return 0;
}

int snapshots_snapshot_lookup_by_name(Call *call, Domain *domain, const char *name, uint32_t flags,
                                      DomainSnapshot **ret_snapshot, Error *error)
{
        DomainSnapshot *found = snapshot_find(domain, name);
        int r = error_check_flags(error, "SnapshotLookupByName", flags, 0);

        (void)call;
        if (r < 0)
                return r;
        if (!found)
                return error_set(error, ERROR_NO_SNAPSHOT,
                                 "Domain snapshot not found: no domain snapshot with matching name '%s'",
                                 name);
        *ret_snapshot = snapshot_ref(found);
        return 0;
}

int snapshots_get_parent(Call *call, DomainSnapshot *snapshot, uint32_t flags, DomainSnapshot **ret_snapshot,
                         Error *error)
{
        DomainSnapshot *parent = snapshot_parent(snapshot);
        int r = error_check_flags(error, "GetParent", flags, 0);

        (void)call;
        if (r < 0)
                return r;
        if (!parent)
                return error_set(error, ERROR_NO_SNAPSHOT,
                                 "Domain snapshot not found: snapshot '%s' does not have a parent",
                                 snapshot->object.name);
        *ret_snapshot = snapshot_ref(parent);
        return 0;
}

int snapshots_get_xml_desc(Call *call, DomainSnapshot *snapshot, uint32_t flags, char **ret_xml,
                           Error *error)
{
        int r = error_check_flags(error, "GetXMLDesc", flags, DEFINITION_SECURE);

        (void)call;
        if (r >= 0)
                *ret_xml = snapshot_definition_format(snapshot->definition, flags);
        return r;
}

int snapshots_is_current(Call *call, DomainSnapshot *snapshot, uint32_t flags, bool *ret_is_current,
                         Error *error)
{
        int r = error_check_flags(error, "IsCurrent", flags, 0);

        (void)call;
        if (r >= 0)
                *ret_is_current = snapshot->is_current;
        return r;
}
