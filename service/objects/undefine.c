/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "objects/undefine.h"

int undefine_check(const Domain *domain, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "Undefine", flags, UNDEFINE_ALL);

        if (r >= 0 && ((flags & UNDEFINE_NVRAM && flags & UNDEFINE_KEEP_NVRAM) ||
                       (flags & UNDEFINE_TPM && flags & UNDEFINE_KEEP_TPM)))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "Undefine cannot both keep and remove");
        if (r >= 0)
                r = domain_check_persistent(domain, error);
        if (r >= 0 && domain->has_managed_save && !(flags & UNDEFINE_MANAGED_SAVE))
                r = error_set(error, ERROR_OPERATION_INVALID,
                              "The %s has saved memory: flag MANAGED_SAVE (1) throws it away",
                              object_describe(&domain->object));
        if (r >= 0 && domain->snapshots->len > 0 && !(flags & UNDEFINE_SNAPSHOTS_METADATA))
                r = error_set(error, ERROR_OPERATION_INVALID,
                              "The %s has %u snapshots: flag SNAPSHOTS_METADATA (2) forgets their records",
                              object_describe(&domain->object), domain->snapshots->len);
        return r;
}

bool undefine_removes_tpm(const DomainDefinition *definition, uint32_t flags)
{
        if (flags & (UNDEFINE_TPM | UNDEFINE_KEEP_TPM))
                return flags & UNDEFINE_TPM;
        LIST_FOREACH (tpm, definition->devices.tpms) {
                if (tpm->persistent_state == YES)
                        return false;
        }
        return true;
}
