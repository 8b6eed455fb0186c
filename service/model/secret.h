/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A secret's definition: what libvirt's <secret> says, as a structure. The value is never a part of it. */

#include "model/table.h"

/* virSecretUsageType. */
#define SECRET_USAGE_TYPES(E)                                                                               \
        E(SECRET_USAGE_NONE, "none")                                                                        \
        E(SECRET_USAGE_VOLUME, "volume")                                                                    \
        E(SECRET_USAGE_CEPH, "ceph")                                                                        \
        E(SECRET_USAGE_ISCSI, "iscsi")                                                                      \
        E(SECRET_USAGE_TLS, "tls")                                                                          \
        E(SECRET_USAGE_VTPM, "vtpm")
DECLARE_ENUM(SecretUsageType, secret_usage_type, SECRET_USAGE_TYPES)

typedef struct SecretDefinition {
        YesNo is_ephemeral; /* kept in memory only */
        YesNo is_private;   /* the value is never given out */
        char uuid[37];
        char *description;
        SecretUsageType usage_type;
        char *volume, *name, *target; /* the one that belongs to the type */
} SecretDefinition;

extern const StructType secret_definition_type;

int secret_definition_parse(const char *xml, size_t size, unsigned flags, SecretDefinition **ret,
                            Error *error);
char *secret_definition_format(const SecretDefinition *definition);
/* Values as DefineSecret takes them. */
int secret_definition_from_variant(GVariant *variant, SecretDefinition **ret, Error *error);
SecretDefinition *secret_definition_free(SecretDefinition *definition);
DEFINE_CLEANUP(SecretDefinition, secret_definition_free)

/* Gives it a UUID, and says no where nothing was said. */
void secret_definition_complete(SecretDefinition *definition);
/* The path, name or target that it is for; "" for SECRET_USAGE_NONE. */
const char *secret_definition_usage(const SecretDefinition *definition);
