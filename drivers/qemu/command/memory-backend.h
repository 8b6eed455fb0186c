/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a piece of the guest's memory is made of. */

#include "drivers/qemu/command/line.h"

typedef struct MemoryRequest {
        const char *id;
        uint64_t size; /* in bytes */
        bool has_cell; /* it is in this one of the guest's NUMA cells */
        uint32_t cell;
        NumaAccess access;          /* of the cell or device; by default it is <memoryBacking>'s */
        YesNo discard;              /* likewise */
        const DomainMemory *device; /* that is plugged; NULL: the machine's own memory */
} MemoryRequest;

/* Adds the object. */
int memory_backend(CommandLine *line, const MemoryRequest *request, Error *error);

/* Whether all of the guest's memory can be seen by other processes of the host, as vhost-user needs it. */
bool memory_is_shared(const DomainDefinition *definition);
