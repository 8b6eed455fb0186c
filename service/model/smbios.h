/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The firmware's tables about the hardware, SMBIOS, as a <sysinfo> element. They may be anything: what does
 * not fit is left out. */

#include "core/error.h"

/* The caller frees. */
char *smbios_format(const uint8_t *table, size_t size);
