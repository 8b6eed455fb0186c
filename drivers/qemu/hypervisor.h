/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which hypervisor a question is about: an emulator, an architecture, a machine type and a virtualization
 * type, each of which may be left to the driver. */

#include "drivers/qemu/machine.h"

typedef struct HypervisorName {
        const char *emulator, *arch, *machine, *virttype; /* NULL: the default */
} HypervisorName;

typedef struct Hypervisor {
        QemuCapabilities *capabilities; /* a reference */
        const QemuMachine *machine;
        const char *arch;
        bool with_kvm;
} Hypervisor;

/* Waits for the emulator to be asked, if it is not known yet. */
int hypervisor_find(Call *call, const HypervisorName *name, Hypervisor *ret_hypervisor, Error *error) AWAITS;
void hypervisor_clear(Hypervisor *hypervisor);
