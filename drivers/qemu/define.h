/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Machines that come and go, as definitions. */

#include "drivers/qemu/machine.h"

/* DriverType's hooks (driver.h). */
/* A machine without a kept definition, in the driver's table, that is about to be started; whoever cannot
 * start it takes it out again. Takes the definition over. */
int define_transient(Call *call, DomainDefinition *definition, Domain **ret_domain, Error *error);

int qemu_define_domain(Call *call, Domain *existing, DomainDefinition *definition, Domain **ret_domain,
                       Error *error) AWAITS;
int qemu_create_domain(Call *call, Domain *existing, DomainDefinition *definition, uint32_t flags,
                       const int *fds, size_t n_fds, Domain **ret_domain, Error *error) AWAITS;

int qemu_domain_rename(Call *call, Domain *domain, const char *name, uint32_t flags, Error *error) AWAITS;
int qemu_domain_set_autostart(Call *call, Domain *domain, bool value, Error *error) AWAITS;
int qemu_domain_set_metadata(Call *call, Domain *domain, int32_t type, const char *metadata, const char *key,
                             const char *uri, uint32_t flags, Error *error) AWAITS;
