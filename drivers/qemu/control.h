/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether QEMU listens, and small things that are asked of it or refused. */

#include "drivers/qemu/machine.h"

int qemu_domain_get_control_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                 Error *error);
int qemu_domain_get_security_label_list(Call *call, Domain *domain, GVariant **ret_labels, Error *error);
int qemu_domain_pm_wakeup(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
