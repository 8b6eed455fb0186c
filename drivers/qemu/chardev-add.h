/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/json-stream.h"

/* The arguments of QMP's chardev-add for a value of -chardev ("socket,id=charchannel0,fd=fd7,server=on").
 * NULL: QEMU cannot add that kind while it runs. The caller frees. */
json_t *chardev_add_arguments(const char *option);
