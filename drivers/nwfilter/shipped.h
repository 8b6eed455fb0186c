/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The filters that come with virtbus, share/virtbus/nwfilter/NAME.xml. */

#include "core/error.h"
#include "model/nwfilter.h"

/* All of them, by name (FilterDefinition; the array frees). Files that are none are logged and left out; an
 * empty array if they are not installed. */
GPtrArray *shipped_read(void);
