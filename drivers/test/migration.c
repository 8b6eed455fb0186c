/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Machines are not moved anywhere, but what a migration would go by can be said and read. */

#include "drivers/test/migration.h"
#include "drivers/test/machine.h"
#include "model/transfer.h"
#include <inttypes.h>

#define POSTCOPY    (1u << 0)  /* virDomainMigrateMaxSpeedFlags */
#define CACHE_BYTES (64 << 20) /* QEMU's */

/* Of the phase after the guest has moved there is nothing to say for a machine that does not run. */
static int check(const Domain *domain, const char *operation, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, operation, flags, POSTCOPY);

        return r >= 0 && flags & POSTCOPY ? domain_check_active(domain, error) : r;
}

int test_domain_migrate_get_max_speed(Call *call, Domain *domain, uint32_t flags, uint64_t *ret_speed_mib,
                                      Error *error)
{
        const uint64_t *speeds_mib = machine_of(domain)->migration_speeds_mib;
        int r = check(domain, "MigrateGetMaxSpeed", flags, error);

        (void)call;
        if (r >= 0)
                *ret_speed_mib = speeds_mib[flags] > 0 ? speeds_mib[flags] : TRANSFER_SPEED_MIB_MAX;
        return r;
}

int test_domain_migrate_set_max_speed(Call *call, Domain *domain, uint64_t speed_mib, uint32_t flags,
                                      Error *error)
{
        int r = check(domain, "MigrateSetMaxSpeed", flags, error);

        (void)call;
        if (r >= 0)
                r = transfer_check_speed(speed_mib, error);
        if (r >= 0)
                machine_of(domain)->migration_speeds_mib[flags] = speed_mib;
        return r;
}

int test_domain_migrate_get_compression_cache(Call *call, Domain *domain, uint32_t flags,
                                              uint64_t *ret_bytes, Error *error)
{
        uint64_t bytes = machine_of(domain)->compression_cache;
        int r = error_check_flags(error, "MigrateGetCompressionCache", flags, 0);

        (void)call;
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0)
                *ret_bytes = bytes > 0 ? bytes : CACHE_BYTES;
        return r;
}

int test_domain_migrate_set_compression_cache(Call *call, Domain *domain, uint64_t bytes, uint32_t flags,
                                              Error *error)
{
        int r = error_check_flags(error, "MigrateSetCompressionCache", flags, 0);

        (void)call;
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0 && (bytes < 4096 || bytes > INT64_MAX || (bytes & (bytes - 1)) != 0))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "A cache of %" PRIu64 " bytes cannot be had: its size is a power of two, "
                              "of a page at least",
                              bytes);
        if (r >= 0)
                machine_of(domain)->compression_cache = bytes;
        return r;
}
