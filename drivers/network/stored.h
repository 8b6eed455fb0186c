/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is kept of a network: its <network>, its owner, whether it starts by itself. */

#include "model/network.h"
#include <sys/types.h>

typedef struct StoredNetwork {
        NetworkDefinition *definition;
        uid_t owner;
        bool is_autostart;
} StoredNetwork;

/* The caller frees the text, or the definition. */
char *stored_network_format(const NetworkDefinition *definition, uid_t owner, bool is_autostart);
int stored_network_parse(const char *text, size_t size, StoredNetwork *ret, Error *error);
