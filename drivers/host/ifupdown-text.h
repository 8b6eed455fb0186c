/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A definition in the words of ifupdown (interfaces(5)), as one file. */

#include "model/host-interface.h"

/* What a file of ours begins with. */
#define IFUPDOWN_TAG "# Made by virtbus"

int ifupdown_check(const HostInterfaceDefinition *definition, Error *error);
/* The caller frees. */
char *ifupdown_text(const HostInterfaceDefinition *definition);
