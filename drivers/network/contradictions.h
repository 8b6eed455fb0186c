/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a definition may say and no network can be: addresses that overlap, hosts that are there twice. */

#include "model/network.h"

int contradictions_check(const NetworkDefinition *definition, Error *error);
