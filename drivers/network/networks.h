/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Virtual networks of a driver: their definitions in CONFIG/network/UUID.xml, those that are up also in
 * RUN/network/UUID.xml. A driver that has them opens them with itself and names these operations in its
 * table. */

#include "driver.h"
#include "model/network.h"
#include "objects/network.h"

/* Reads what is stored, where a file that cannot be read is logged and left alone, and takes back what was
 * up when the daemon ended. */
int networks_open(Driver *driver, Error *error) AWAITS;
/* Starts, once after the host's boot, those that start by themselves. */
void networks_run(Driver *driver) AWAITS;
void networks_close(Driver *driver);

/* As DriverType.define_network, create_network. */
int networks_define(Call *call, Network *existing, NetworkDefinition *definition, Network **ret_network,
                    Error *error) AWAITS;
int networks_create_transient(Call *call, Network *existing, NetworkDefinition *definition,
                              Network **ret_network, Error *error) AWAITS;

int networks_create(Call *call, Network *network, Error *error) AWAITS;
int networks_destroy(Call *call, Network *network, Error *error) AWAITS;
int networks_get_dhcp_leases(Call *call, Network *network, const char *mac, uint32_t flags,
                             GVariant **ret_leases, Error *error) AWAITS;
int networks_get_xml_desc(Call *call, Network *network, uint32_t flags, char **ret_xml, Error *error);
int networks_set_autostart(Call *call, Network *network, bool value, Error *error) AWAITS;
int networks_update(Call *call, Network *network, uint32_t command, uint32_t section, int32_t parent_index,
                    const char *xml, uint32_t flags, Error *error) AWAITS;
int networks_undefine(Call *call, Network *network, Error *error) AWAITS;
