/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Saved machines by the names of files, which are not there: each owner has names of their own. */

#include "driver.h"

/* An element of TestState.saved. */
void images_release(void *saved);

int test_domain_save(Call *call, Domain *domain, const char *to, const char *xml, uint32_t flags,
                     Error *error);
int test_connect_domain_restore(Call *call, const char *from, const char *xml, uint32_t flags,
                                Error *error) AWAITS;
int test_connect_domain_save_image_define_xml(Call *call, const char *file, const char *xml, uint32_t flags,
                                              Error *error);
int test_connect_domain_save_image_get_xml_desc(Call *call, const char *file, uint32_t flags, char **ret_xml,
                                                Error *error);
