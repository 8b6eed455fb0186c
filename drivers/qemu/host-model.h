/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a definition leaves to the host's processor, in words that other hosts understand too. */

#include "drivers/cpu/definition.h"
#include "drivers/qemu/machine.h"

/* What a guest with CPU mode host-model gets; NULL if QEMU did not tell. */
DomainCpu *cpu_host_model(const QemuCapabilities *capabilities, bool with_kvm);

/* DriverType.update_cpu. */
void qemu_update_cpu(const Driver *driver, DomainDefinition *definition, uid_t owner);
