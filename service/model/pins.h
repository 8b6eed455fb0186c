/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* On which of the host's processors a machine's threads may run: rows of its definition, and maps of
 * booleans as clients know them. */

#include "model/domain.h"

typedef enum ThreadKind {
        THREAD_EMULATOR,
        THREAD_VCPU,
        THREAD_IOTHREAD,
} ThreadKind;

/* "0-3"; borrowed. NULL: on all. `id` is the vCPU's or I/O thread's. */
const char *pin_get(const DomainDefinition *definition, ThreadKind kind, uint32_t id);
void pin_set(DomainDefinition *definition, ThreadKind kind, uint32_t id, const char *set);

/* Of type ab into "0-3", which the caller frees; one that is set is there, and at least one is. */
int pin_set_of_map(GVariant *map, unsigned n_processors, char **ret_set, Error *error);
/* Floating. */
GVariant *pin_map_of_set(const char *set, unsigned n_processors);
/* What is asked for each processor of the machine, of type aab. */
GVariant *pin_vcpu_maps(const DomainDefinition *definition, unsigned n_processors);
