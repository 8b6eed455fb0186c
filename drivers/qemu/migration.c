/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* QEMU keeps these numbers for its migrations, of which a transfer into a file is one: it begins without a
 * limit (memory-stream.c), and gives back the speed that was said. The speed is therefore remembered here as
 * well, and for machines that do not run. */

#include "drivers/qemu/migration.h"
#include "drivers/qemu/status.h"
#include "model/transfer.h"
#include <inttypes.h>

#define POSTCOPY          (1u << 0) /* virDomainMigrateMaxSpeedFlags */
#define MIB_SHIFT         20
#define DOWNTIME_MSEC_MAX (2000 * 1000) /* QEMU's */

static uint64_t command_deadline(const Call *call)
{
        return MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC));
}

static json_t *in_bytes(uint64_t speed_mib)
{
        return json_integer((json_int_t)(speed_mib << MIB_SHIFT));
}

QmpCommand *migration_send_speed(const Machine *machine)
{
        uint64_t speed_mib =
                machine->migration_speed_mib > 0 ? machine->migration_speed_mib : TRANSFER_SPEED_MIB_MAX;

        return qmp_send(machine->qmp, "migrate-set-parameters",
                        json_pack("{s:o}", "max-bandwidth", in_bytes(speed_mib)), -EBADF);
}

/* Takes the value over. */
static int set(Call *call, const Domain *domain, const char *name, json_t *value, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *owned = value;
        int r = machine_check_monitor(domain, error);

        if (r < 0)
                return r;
        return qmp_call(machine_of(domain)->qmp, "migrate-set-parameters", json_pack("{s:O}", name, owned),
                        command_deadline(call), NULL, error);
}

static int get(Call *call, const Domain *domain, const char *name, uint64_t *ret_value, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        const json_t *value;
        int r = machine_check_monitor(domain, error);

        if (r >= 0)
                r = qmp_call(machine_of(domain)->qmp, "query-migrate-parameters", NULL,
                             command_deadline(call), &answer, error);
        if (r < 0)
                return r;
        value = json_object_get(answer, name);
        if (!json_is_integer(value) || json_integer_value(value) < 0)
                return error_set(error, ERROR_NOT_SUPPORTED, "The QEMU of the %s does not tell its %s",
                                 object_describe(&domain->object), name);
        *ret_value = (uint64_t)json_integer_value(value);
        return 0;
}

int qemu_domain_migrate_get_max_speed(Call *call, Domain *domain, uint32_t flags, uint64_t *ret_speed_mib,
                                      Error *error)
{
        const Machine *machine = machine_of(domain);
        uint64_t bytes;
        int r = error_check_flags(error, "MigrateGetMaxSpeed", flags, POSTCOPY);

        if (r >= 0 && flags & POSTCOPY)
                r = get(call, domain, "max-postcopy-bandwidth", &bytes, error);
        if (r < 0)
                return r;
        if (flags & POSTCOPY)
                *ret_speed_mib = bytes > 0 ? bytes >> MIB_SHIFT : TRANSFER_SPEED_MIB_MAX;
        else
                *ret_speed_mib = machine->migration_speed_mib > 0 ? machine->migration_speed_mib
                                                                  : TRANSFER_SPEED_MIB_MAX;
        return 0;
}

/* QEMU first, so that what is remembered is what it does. One that is on its way is told without waiting: in
 * case it does not take commands yet, learn() tells it again. */
static int set_speed(Call *call, Domain *domain, uint64_t speed_mib, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        uint64_t run = machine->run;
        bool is_active = domain_is_active(domain);
        int r = is_active ? set(call, domain, "max-bandwidth", in_bytes(speed_mib), error) : 0;

        if (r < 0)
                return r;
        machine->migration_speed_mib = speed_mib;
        if (!is_active && machine_has_monitor(machine))
                qmp_command_free(migration_send_speed(machine)); /* nothing waits for the answer */
        return machine->run == run ? status_save(domain, error) : 0;
}

int qemu_domain_migrate_set_max_speed(Call *call, Domain *domain, uint64_t speed_mib, uint32_t flags,
                                      Error *error)
{
        int r = error_check_flags(error, "MigrateSetMaxSpeed", flags, POSTCOPY);

        if (r >= 0)
                r = transfer_check_speed(speed_mib, error);
        if (r < 0)
                return r;
        return flags & POSTCOPY ? set(call, domain, "max-postcopy-bandwidth", in_bytes(speed_mib), error)
                                : set_speed(call, domain, speed_mib, error);
}

int qemu_domain_migrate_set_max_downtime(Call *call, Domain *domain, uint64_t downtime_msec, uint32_t flags,
                                         Error *error)
{
        int r = error_check_flags(error, "MigrateSetMaxDowntime", flags, 0);

        if (r >= 0 && downtime_msec > DOWNTIME_MSEC_MAX)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "A guest cannot be asked to stand still for %" PRIu64 " ms: %d are the most",
                              downtime_msec, DOWNTIME_MSEC_MAX);
        if (r < 0)
                return r;
        return set(call, domain, "downtime-limit", json_integer((json_int_t)downtime_msec), error);
}

int qemu_domain_migrate_get_compression_cache(Call *call, Domain *domain, uint32_t flags,
                                              uint64_t *ret_bytes, Error *error)
{
        int r = error_check_flags(error, "MigrateGetCompressionCache", flags, 0);

        return r < 0 ? r : get(call, domain, "xbzrle-cache-size", ret_bytes, error);
}

int qemu_domain_migrate_set_compression_cache(Call *call, Domain *domain, uint64_t bytes, uint32_t flags,
                                              Error *error)
{
        int r = error_check_flags(error, "MigrateSetCompressionCache", flags, 0);

        if (r >= 0 && (bytes == 0 || bytes > INT64_MAX || (bytes & (bytes - 1)) != 0))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "A cache of %" PRIu64 " bytes cannot be had: its size is a power of two",
                              bytes);
        if (r < 0)
                return r;
        return set(call, domain, "xbzrle-cache-size", json_integer((json_int_t)bytes), error);
}
