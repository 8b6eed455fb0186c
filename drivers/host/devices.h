/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's devices of a driver, as the kernel and udev tell. A driver that has them opens them with itself
 * and names these operations in its table. */

#include "driver.h"
#include "objects/host.h"

void devices_open(Driver *driver) AWAITS;
/* Devices that are states: those of the definitions (NULL-terminated) at first. */
int devices_open_in_memory(Driver *driver, const char *const *definitions, Error *error);
void devices_close(Driver *driver);

int devices_create_xml(Call *call, const char *xml, uint32_t flags, NodeDevice **ret_device,
                       Error *error) AWAITS;
int devices_lookup_by_wwn(Call *call, const char *wwnn, const char *wwpn, uint32_t flags,
                          NodeDevice **ret_device, Error *error);
int devices_describe(Call *call, NodeDevice *device, uint32_t flags, GVariant **ret_device, Error *error);
int devices_destroy(Call *call, NodeDevice *device, Error *error) AWAITS;
int devices_detach(Call *call, NodeDevice *device, const char *driver, uint32_t flags, Error *error) AWAITS;
int devices_get_xml_desc(Call *call, NodeDevice *device, uint32_t flags, char **ret_xml, Error *error);
int devices_list_caps(Call *call, NodeDevice *device, char ***ret_names, Error *error);
int devices_re_attach(Call *call, NodeDevice *device, Error *error) AWAITS;
int devices_reset(Call *call, NodeDevice *device, Error *error) AWAITS;
