/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The definitions on disk: CONFIG/qemu/UUID.xml, each a <machine> with its owner, autostart and the time of
 * its making, around the <domain>. */

#include "drivers/qemu/machine.h"

/* Stores `definition` (its machine's own if NULL) with the domain's owner and autostart. The old file stays
 * if that fails. */
int definition_store(Domain *domain, const DomainDefinition *definition, bool is_autostart,
                     Error *error) AWAITS;
int definition_remove(Domain *domain, Error *error) AWAITS;
/* Adds a domain to the driver's table for every definition; what cannot be read is logged and left alone. */
int definitions_load(Driver *driver, Error *error);
