/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which addresses a guest has, from what passes its device: the answers of DHCP servers, and, if that is
 * trusted, what the guest sends. */

#include "core/error.h"

typedef enum LearnMode {
        LEARN_ANY,  /* the first address that the guest uses; DHCP's answers later */
        LEARN_DHCP, /* DHCP's answers alone */
} LearnMode;

/* `seconds`: how long the address is the guest's; 0: for ever. `replaces`: it has no other. */
typedef void (*LearnFound)(const char *address, uint32_t seconds, bool replaces, void *data);

typedef struct Learner Learner;

/* `servers`: texts; NULL or empty: any server is believed. `knows`: an address is known already. `found` is
 * called on the loop, and may not free the learner. */
int learner_new(unsigned device, const char *mac, LearnMode mode, const GPtrArray *servers, bool knows,
                LearnFound found, void *data, Learner **ret_learner, Error *error);
Learner *learner_free(Learner *learner);

/* The address that a DHCP server gives to the hardware address by this frame; false: it gives none. */
bool learn_read_dhcp(const uint8_t *frame, size_t size, const uint8_t *mac, const GPtrArray *servers,
                     char address[static 16], uint32_t *ret_seconds);
