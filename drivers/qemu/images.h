/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver.h"

/* Refuses images that a machine which runs already uses otherwise than by reading, or that `definition`
 * would write to while one reads them, unless both say <shareable/>. QEMU's locks do the same; this error
 * names the other machine. */
int images_check(const Domain *domain, const DomainDefinition *definition, uint64_t deadline_usec,
                 Error *error) AWAITS;
