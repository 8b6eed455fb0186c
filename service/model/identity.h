/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Random identities for what a definition leaves open. */

#include "core/uuid.h"

#define IDENTITY_MAC_MAX 18

void identity_make_uuid(char ret_uuid[static UUID_STRING_MAX]);
/* In the range that KVM guests use. */
void identity_make_mac(char ret_mac[static IDENTITY_MAC_MAX]);
