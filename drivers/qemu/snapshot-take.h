/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/machine.h"

int qemu_domain_snapshot_create_xml(Call *call, Domain *domain, const char *xml, uint32_t flags,
                                    DomainSnapshot **ret_snapshot, Error *error) AWAITS;
