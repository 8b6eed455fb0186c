/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is asked about snapshots, for every driver that has them. */

#include "driver.h"
#include "objects/snapshot.h"

int snapshots_list_domain_snapshots(Call *call, Domain *domain, uint32_t flags, GPtrArray **ret_snapshots,
                                    Error *error);
int snapshots_snapshot_current(Call *call, Domain *domain, uint32_t flags, DomainSnapshot **ret_snapshot,
                               Error *error);
int snapshots_snapshot_lookup_by_name(Call *call, Domain *domain, const char *name, uint32_t flags,
                                      DomainSnapshot **ret_snapshot, Error *error);
int snapshots_get_parent(Call *call, DomainSnapshot *snapshot, uint32_t flags, DomainSnapshot **ret_snapshot,
                         Error *error);
int snapshots_get_xml_desc(Call *call, DomainSnapshot *snapshot, uint32_t flags, char **ret_xml,
                           Error *error);
int snapshots_is_current(Call *call, DomainSnapshot *snapshot, uint32_t flags, bool *ret_is_current,
                         Error *error);
int snapshots_list_children(Call *call, DomainSnapshot *snapshot, uint32_t flags, GPtrArray **ret_snapshots,
                            Error *error);
