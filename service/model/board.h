/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the words of <os><type arch= machine=> mean for the devices that QEMU builds in. */

#include "model/domain.h"

typedef enum BoardFamily {
        BOARD_OTHER,
        BOARD_ISAPC,  /* no PCI at all */
        BOARD_I440FX, /* "pc", "pc-i440fx-7.2": PCI, with IDE and USB on the chip set */
        BOARD_Q35,    /* PCIe, with SATA on the chip set */
        BOARD_VIRT,   /* of ARM and RISC-V: PCIe and nothing else */
} BoardFamily;

BoardFamily board_family(const DomainDefinition *definition);
bool board_is_x86(const DomainDefinition *definition);
/* Whether QEMU is what runs it; without QEMU nothing is known about devices that are not written down. */
bool board_is_qemu(const DomainDefinition *definition);
