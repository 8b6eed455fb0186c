/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Virtual networks of a driver: their definitions, stored in CONFIG/network/UUID.xml. A driver that has them
 * opens them with itself and names these operations in its table. */

#include "driver.h"
#include "model/network.h"
#include "objects/network.h"

/* Reads what is stored. A file that cannot be read is logged and left alone. */
int networks_open(Driver *driver, Error *error);
void networks_close(Driver *driver);

/* As DriverType.define_network. */
int networks_define(Call *call, Network *existing, NetworkDefinition *definition, Network **ret_network,
                    Error *error) AWAITS;

int networks_get_xml_desc(Call *call, Network *network, uint32_t flags, char **ret_xml, Error *error);
int networks_undefine(Call *call, Network *network, Error *error) AWAITS;
