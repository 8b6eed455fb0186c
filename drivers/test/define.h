/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Machines that come and go, as definitions. */

#include "drivers/test/machine.h"

/* Refuses other types than test, and fills in what every definition has. */
int define_prepare(DomainDefinition *definition, Error *error);

/* The machine of a saved definition runs again: the one that is there, which must be the caller's and off,
 * or a transient one. */
int define_restore(Call *call, const DomainDefinition *saved, const MachineOrigin *origin, bool is_paused,
                   Error *error) AWAITS;

/* DriverType's hooks (driver.h). */
int test_prepare_domain(const Driver *driver, DomainDefinition *definition, uid_t owner, Error *error);
int test_define_domain(Call *call, Domain *existing, DomainDefinition *definition, Domain **ret_domain,
                       Error *error);
int test_create_domain(Call *call, Domain *existing, DomainDefinition *definition, uint32_t flags,
                       const int *fds, size_t n_fds, Domain **ret_domain, Error *error) AWAITS;

int test_domain_undefine(Call *call, Domain *domain, uint32_t flags, Error *error);
int test_domain_rename(Call *call, Domain *domain, const char *name, uint32_t flags, Error *error);
