/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The definition of a checkpoint, from which an incremental backup counts: <domaincheckpoint>. */

#include "model/domain.h"

#define CHECKPOINT_KINDS(E) E(CHECKPOINT_ABSENT, NULL) E(CHECKPOINT_NO, "no") E(CHECKPOINT_BITMAP, "bitmap")
DECLARE_ENUM(CheckpointKind, checkpoint_kind, CHECKPOINT_KINDS)

typedef struct CheckpointDisk {
        char *name; /* the target in the machine */
        CheckpointKind checkpoint;
        char *bitmap;
        bool has_size;
        uint64_t size; /* bytes that changed since, of what exists only */
} CheckpointDisk;

typedef struct CheckpointDefinition {
        char *name, *description, *parent;
        int64_t creation_time; /* seconds since 1970 */
        LIST(CheckpointDisk) disks;
        DomainType domain_type; /* of `domain`; absent: there is none */
        DomainDefinition *domain;
} CheckpointDefinition;
extern const StructType checkpoint_definition_type;

/* A request for a new one (parent, time and domain are not read), or all of one that exists. */
int checkpoint_definition_parse(const char *xml, size_t size, bool is_redefinition,
                                CheckpointDefinition **ret, Error *error);
char *checkpoint_definition_format(const CheckpointDefinition *definition, unsigned flags);
CheckpointDefinition *checkpoint_definition_free(CheckpointDefinition *definition);
DEFINE_CLEANUP(CheckpointDefinition, checkpoint_definition_free)

/* Gives a request its name and time, and one disk for each of the machine's, in their order: without a list
 * all that can be written get a bitmap, else those that are not in it get none. */
int checkpoint_definition_complete(CheckpointDefinition *definition, const DomainDefinition *domain,
                                   int64_t now, Error *error);
