/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the firmware and the kernel say of the host as a whole. */

#include "driver.h"

/* As Connect.GetSysinfo: SMBIOS. */
int host_get_sysinfo(Call *call, uint32_t flags, char **ret_sysinfo, Error *error);
/* As Connect.NodeGetMemoryParameters and its counterpart: how the kernel merges equal pages. */
int host_get_memory_parameters(Call *call, uint32_t flags, GVariant **ret_parameters, Error *error);
int host_set_memory_parameters(Call *call, GVariant *parameters, uint32_t flags, Error *error);
