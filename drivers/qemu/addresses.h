/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The addresses that guests have: kept in the property Addresses as leases, neighbours and agents tell. */

#include "drivers/qemu/machine.h"

/* From here on they are kept for machines that run. */
void addresses_open(Driver *driver);
void addresses_close(Driver *driver);

/* The machine runs: called when it is started, and when it is taken back. */
void addresses_begin(Domain *domain);

int qemu_domain_interface_addresses(Call *call, Domain *domain, uint32_t source, uint32_t flags,
                                    GVariant **ret_ifaces, Error *error) AWAITS;
