/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The disks behind a SCSI host, as sysfs shows them: volumes of pools of types scsi and iscsi. */

#include "drivers/storage/backend.h"

/* Of the host of that number, called unit:BUS:TARGET:LUN. */
int luns_list(const StoragePoolDefinition *pool, unsigned host, GPtrArray **ret_entries,
              BackendSizes *ret_sizes, Error *error) AWAITS;
/* The number in "host7"; -EINVAL for another text. */
int luns_host_number(const char *name, unsigned *ret_host);
