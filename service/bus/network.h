/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What both families do with the definition of a network, which is taken over. */

#include "bus/call.h"
#include "objects/network.h"

int network_define(CallFrame *frame, NetworkDefinition *definition, Network **ret_network,
                   Error *error) AWAITS;
/* Brings it up without storing it. */
int network_create(CallFrame *frame, NetworkDefinition *definition, Network **ret_network,
                   Error *error) AWAITS;
