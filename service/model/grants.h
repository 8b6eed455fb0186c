/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host grants a machine, as dictionaries of type a{sv} with libvirt's keys: processor time, memory,
 * NUMA nodes, disk traffic. */

#include "model/domain.h"

typedef struct GrantKind {
        void (*tell)(const DomainDefinition *definition, GVariantBuilder *values);
        int (*take)(DomainDefinition *definition, const char *key, GVariant *value, Error *error);
} GrantKind;
extern const GrantKind grants_scheduler, grants_memory, grants_numa, grants_block_io;

/* All keys; floating. */
GVariant *grants_tell(const GrantKind *kind, const DomainDefinition *definition);
/* Those that are there; the definition is of no use after a failure. */
int grants_take(const GrantKind *kind, DomainDefinition *definition, GVariant *values, Error *error);
