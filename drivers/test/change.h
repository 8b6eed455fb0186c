/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Changes of parts of a definition, of the running machine's or of the one that is kept, and what is told of
 * them. */

#include "driver.h"

/* virDomainModificationImpact, and what the flags of memory and processors add to it. */
enum {
        AFFECT_LIVE = 1 << 0,
        AFFECT_CONFIG = 1 << 1,
        AFFECT_MAXIMUM = 1 << 2,
};

/* The copies of one change; NULL is one that is not meant. */
typedef struct Change {
        DomainDefinition *live, *kept;
} Change;
void change_clear(Change *change);

/* Checks the flags, of which `known` are the operation's own, says in them which definitions are meant if
 * the caller did not, and copies these. */
int change_begin(Change *change, const Domain *domain, const char *operation, uint32_t *flags,
                 uint32_t known, Error *error);
/* The copies take their places. `property` follows from the definition that counts now; NULL for none. With
 * `is_applied` nothing of it waits for the next start. */
void change_apply(Change *change, Domain *domain, const char *property, bool is_applied);
/* The definition that is asked about: borrowed. */
int change_look(const Domain *domain, const char *operation, uint32_t flags,
                const DomainDefinition **ret_definition, Error *error);

int test_domain_get_vcpus(Call *call, Domain *domain, uint32_t flags, uint32_t *ret_vcpus, Error *error);
int test_domain_memory_stats(Call *call, Domain *domain, uint32_t flags, GVariant **ret_stats, Error *error);
int test_domain_set_autostart(Call *call, Domain *domain, bool value, Error *error);
int test_domain_set_memory(Call *call, Domain *domain, uint64_t memory, uint32_t flags, Error *error);
int test_domain_set_memory_stats_period(Call *call, Domain *domain, int32_t period_sec, uint32_t flags,
                                        Error *error);
int test_domain_set_metadata(Call *call, Domain *domain, int32_t type, const char *metadata, const char *key,
                             const char *uri, uint32_t flags, Error *error);
int test_domain_set_vcpus(Call *call, Domain *domain, uint32_t vcpus, uint32_t flags, Error *error);
