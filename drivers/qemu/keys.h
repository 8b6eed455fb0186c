/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys pressed for the guest, by the numbers that keyboards and systems give them. */

#include "drivers/qemu/machine.h"

/* The number that QEMU knows the key by, or -EINVAL: `code` is none of the set (virKeycodeSet). */
int key_to_qemu(uint32_t codeset, uint32_t code);

int qemu_domain_send_key(Call *call, Domain *domain, uint32_t codeset, uint32_t hold_msec,
                         GVariant *keycodes, uint32_t flags, Error *error) AWAITS;
