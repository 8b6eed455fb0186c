/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Changes that are of the running machine, of its definition, or of both (virDomainModificationImpact). */

#include "drivers/qemu/machine.h"

enum {
        AFFECT_LIVE = 1 << 0,
        AFFECT_CONFIG = 1 << 1,
};

/* Checks the flags, of which `known` are the operation's own, and sets which of the two is meant if none is
 * said. */
int impact_choose(const Domain *domain, const char *operation, uint32_t known, uint32_t *flags,
                  Error *error);
/* What is asked about: the live or the stored definition. Borrowed. */
const DomainDefinition *impact_definition(const Domain *domain, uint32_t flags);
/* A definition that would be stored and not read again would be a machine that is lost: refuses it. */
int impact_check(const DomainDefinition *definition, Error *error);
/* Stores the changed definition, which is taken over, before it counts. */
int impact_store(Domain *domain, DomainDefinition **changed, Error *error) AWAITS;
/* Where the running machine follows in between: begin() writes `changed` to the disk, before anything
 * happens that cannot be taken back. end() is told what became of the machine (`result`, which it returns):
 * then `changed`, which is taken over, counts, or what was stored before is written again. */
int impact_begin(Domain *domain, const DomainDefinition *changed, Error *error) AWAITS;
int impact_end(Domain *domain, DomainDefinition **changed, int result) AWAITS;
