/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver.h"

/* Refuses images that a machine which runs already uses otherwise than by reading, or that `definition`
 * would write to while one reads them, unless both say <shareable/>. QEMU's locks do the same; this error
 * names the other machine. */
int images_check(const Domain *domain, const DomainDefinition *definition, uint64_t deadline_usec,
                 Error *error) AWAITS;
/* Refuses an image that a machine runs with, this one too, or that one which starts may get: nobody else
 * could have it beside the disk of this machine that is to be written there. With `is_own` it is this
 * machine's already, and only others are looked at. */
int images_check_copy(const Domain *domain, const DomainDisk *place, bool is_own, uint64_t deadline_usec,
                      Error *error) AWAITS;
