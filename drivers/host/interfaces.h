/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's network interfaces of a driver: those that the kernel has, and those that are defined, in
 * CONFIG/interface/NAME.xml. A driver that has them opens them with itself and names these operations in its
 * table. */

#include "driver.h"
#include "objects/host.h"

int interfaces_open(Driver *driver, Error *error);
/* Brings up, once, those that are to be up from the host's boot on. */
void interfaces_run(Driver *driver) AWAITS;
void interfaces_close(Driver *driver);

int interfaces_define_xml(Call *call, const char *xml, uint32_t flags, HostInterface **ret_interface,
                          Error *error) AWAITS;
int interfaces_change_begin(Call *call, uint32_t flags, Error *error) AWAITS;
int interfaces_change_commit(Call *call, uint32_t flags, Error *error) AWAITS;
int interfaces_change_rollback(Call *call, uint32_t flags, Error *error) AWAITS;
int interfaces_create(Call *call, HostInterface *interface, uint32_t flags, Error *error) AWAITS;
int interfaces_destroy(Call *call, HostInterface *interface, uint32_t flags, Error *error) AWAITS;
int interfaces_get_xml_desc(Call *call, HostInterface *interface, uint32_t flags, char **ret_xml,
                            Error *error);
int interfaces_undefine(Call *call, HostInterface *interface, Error *error) AWAITS;
