/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/call.h"
#include "objects/storage.h"

/* What both families do with the definition of a pool, which is taken over. */
int storage_pool_define(CallFrame *frame, StoragePoolDefinition *definition, StoragePool **ret_pool,
                        Error *error) AWAITS;
