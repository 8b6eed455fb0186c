/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pools have in common that a tool makes of whole devices, and whose volumes are raw. */

#include "drivers/storage/backend.h"

/* Runs a tool with `words`, up to a NULL, and the pool's devices behind them: those that something uses are
 * refused and, unless it is said to overwrite, those with anything on them. */
int blocks_build(const StoragePoolDefinition *pool, BackendBuild how, const char *tool, const char *purpose,
                 const char *const *words, Error *error) AWAITS;
/* ERROR_CONFIG_UNSUPPORTED for another format, for encryption and, unless it `has_backing`, for a backing
 * store. `what` is the plural of such volumes. */
int blocks_check_new(const StorageVolumeDefinition *volume, const char *what, bool has_backing,
                     Error *error);
