/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that Domain.Save wrote, by their paths, with the rights of whom the machine belongs to. */

#include "drivers/qemu/machine.h"

int qemu_connect_domain_restore(Call *call, const char *from, const char *xml, uint32_t flags,
                                Error *error) AWAITS;
int qemu_connect_domain_save_image_get_xml_desc(Call *call, const char *file, uint32_t flags, char **ret_xml,
                                                Error *error) AWAITS;
int qemu_connect_domain_save_image_define_xml(Call *call, const char *file, const char *xml, uint32_t flags,
                                              Error *error) AWAITS;
