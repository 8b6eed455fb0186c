/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Network filters of a driver: their definitions, stored in CONFIG/nwfilter/UUID.xml; ports.h applies them.
 * A driver that has them opens them with itself and names these operations in its table. */

#include "driver.h"

int filters_open(Driver *driver, Error *error);
void filters_close(Driver *driver);
/* Adds those that come with virtbus, as far as there are none of their UUIDs and names. */
void filters_ship(Driver *driver);

/* As DriverType.define_nwfilter. */
int filters_define(Call *call, NWFilter *existing, FilterDefinition *definition, NWFilter **ret_filter,
                   Error *error) AWAITS;

int filters_get_xml_desc(Call *call, NWFilter *filter, uint32_t flags, char **ret_xml, Error *error);
int filters_undefine(Call *call, NWFilter *filter, Error *error) AWAITS;
