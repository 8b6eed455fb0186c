/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What goes with a machine's definition: the same rule for every driver, and for whoever is told beforehand.
 */

#include "objects/domain.h"

/* virDomainUndefineFlagsValues. There are no checkpoints: forgetting them is done. */
enum {
        UNDEFINE_MANAGED_SAVE = 1 << 0,
        UNDEFINE_SNAPSHOTS_METADATA = 1 << 1,
        UNDEFINE_NVRAM = 1 << 2,
        UNDEFINE_KEEP_NVRAM = 1 << 3,
        UNDEFINE_CHECKPOINTS_METADATA = 1 << 4,
        UNDEFINE_TPM = 1 << 5,
        UNDEFINE_KEEP_TPM = 1 << 6,
        UNDEFINE_ALL = (1 << 7) - 1,
};

/* ERROR_INVALID_ARGUMENT for flags that are none or say both, ERROR_OPERATION_INVALID for a machine that is
 * transient or has what these flags do not throw away. */
int undefine_check(const Domain *domain, uint32_t flags, Error *error);
/* Without a flag about it, as the definition says: true also if there is no TPM. */
bool undefine_removes_tpm(const DomainDefinition *definition, uint32_t flags);
