/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/machine.h"

/* DriverType.check_domain. */
int qemu_check_domain(Call *call, const DomainDefinition *definition, Error *error) AWAITS;

int qemu_connect_domain_xml_to_native(Call *call, const char *format, const char *xml, uint32_t flags,
                                      char **ret_native, Error *error) AWAITS;
