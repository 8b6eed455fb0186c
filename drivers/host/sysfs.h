/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Single values of /sys, whose attributes are small texts. */

#include "core/error.h"

/* NULL if it cannot be read; without the newline. The caller frees. Also larger or binary ones are cut. */
char *sysfs_read(const char *folder, const char *name);
bool sysfs_read_number(const char *folder, const char *name, int base, uint64_t *ret_value);
/* The last name of what a link points to: a driver, a group. NULL: there is no such link. */
char *sysfs_read_link_name(const char *folder, const char *name);
/* -errno. */
int sysfs_write(const char *folder, const char *name, const char *value);
