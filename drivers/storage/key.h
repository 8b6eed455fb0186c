/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/storage/backend.h"

/* The value of the secret that the pool's <auth>, which must be of that type, names; errors name the pool.
 * The caller frees by secrets_value_free(). */
int pool_key_find(const StoragePoolDefinition *pool, PoolAuthType type, uint8_t **ret_value,
                  size_t *ret_size, Error *error);
