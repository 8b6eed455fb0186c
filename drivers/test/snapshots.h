/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Snapshots in memory: the machine's definitions and its state, to which it can go back. */

#include "driver.h"
#include "objects/snapshot.h"

int test_domain_snapshot_create_xml(Call *call, Domain *domain, const char *xml, uint32_t flags,
                                    DomainSnapshot **ret_snapshot, Error *error) AWAITS;
int test_snapshot_delete(Call *call, DomainSnapshot *snapshot, uint32_t flags, Error *error);
int test_snapshot_revert(Call *call, DomainSnapshot *snapshot, uint32_t flags, Error *error);
/* For a machine that is undefined. */
void test_snapshots_forget(Domain *domain);
