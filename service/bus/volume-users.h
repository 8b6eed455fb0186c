/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which machines name which volume: an index that follows the machines, so that a volume can be asked from
 * memory and announces when the answer changes. */

#include "driver.h"
#include "objects/storage.h"

void volume_users_watch(Driver *driver);
void volume_users_clear(void);

/* The machines of the volume's owner whose definition or run names it: counted, in the order of their paths.
 */
GPtrArray *volume_users_list(const StorageVolume *volume);
