/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* I/O threads of a machine: those with a number in the definition, and as many more as it counts, which have
 * the lowest free numbers. */

#include "model/domain.h"

uint32_t iothread_count(const DomainDefinition *definition);
bool iothread_is_there(const DomainDefinition *definition, uint32_t id);

/* Whether one of that number can be added, or taken away as nothing uses it. */
int iothread_check_new(const DomainDefinition *definition, uint32_t id, Error *error);
int iothread_check_unused(const DomainDefinition *definition, uint32_t id, Error *error);
/* After these. */
void iothread_add(DomainDefinition *definition, uint32_t id);
void iothread_remove(DomainDefinition *definition, uint32_t id);

/* Each with the processors that it may run on, of type a(uab). Floating. */
GVariant *iothread_maps(const DomainDefinition *definition, unsigned n_processors);
