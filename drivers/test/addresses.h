/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Addresses that guests have in networks: as if they had asked a DHCP server. */

#include "driver.h"

/* After the definition of the run came or changed, and before it goes. */
void addresses_follow(Domain *domain);
void addresses_end(Domain *domain);

int test_domain_interface_addresses(Call *call, Domain *domain, uint32_t source, uint32_t flags,
                                    GVariant **ret_interfaces, Error *error);
