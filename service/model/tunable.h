/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the signal Tunable of org.libvirt.Domain tells of a change of a running machine: a floating tuple
 * (a{sv}) with libvirt's names. Of many values only those are told that the caller `given`. */

#include "model/domain.h"
#include "model/pins.h"

GVariant *tunable_of_scheduler(const DomainDefinition *definition, GVariant *given);
GVariant *tunable_of_disk(const DomainDisk *disk, GVariant *given);
GVariant *tunable_of_pin(ThreadKind kind, uint32_t id, const char *set);
