/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is there when a process begins: the objects that clients of libvirt's test:///default know. */

#include "driver.h"

/* Of the host's devices; NULL-terminated. */
extern const char *const defaults_devices[];
int defaults_make(Driver *driver, Error *error) AWAITS;
