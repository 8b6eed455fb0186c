/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job that takes time is one that was told to be slow (org.virtbus1.Connect.InjectFault): it can be looked
 * at and given up meanwhile. Memory has never been written to. */

#include "drivers/test/control.h"
#include "drivers/test/machine.h"
#include "model/transfer.h"
#include <string.h>

/* virDomainMemoryFlags, virDomainJobType. */
enum { MEMORY_VIRTUAL = 1 << 0, MEMORY_PHYSICAL = 1 << 1 };
enum { JOB_TYPE_NONE = 0, JOB_TYPE_UNBOUNDED = 2, JOB_TYPE_COMPLETED = 3 };

#define PEEK_MAX 65536

/* What moves the memory of a machine that runs, by the methods' names in both families; the others are no
 * jobs to clients of libvirt. NULL: nothing does. */
static Job *memory_job(const Domain *domain)
{
        static const char *const operations[] = { "Save", "ManagedSave", "SnapshotCreateXML",
                                                  "CreateSnapshot", NULL };
        Job *job = job_queue_current(domain->object.jobs);

        return job && domain->live && g_strv_contains(operations, job_get_operation(job)) ? job : NULL;
}

static uint64_t elapsed_msec(const Job *job)
{
        return job ? (uint64_t)(g_get_monotonic_time() - (int64_t)job_get_started_usec(job)) / 1000 : 0;
}

int test_domain_get_job_info(Call *call, Domain *domain, GVariant **ret_info, Error *error)
{
        const Job *job = memory_job(domain);
        const guint64 none = 0, total = job ? domain->live->current_memory_kib * 1024 : 0;

        (void)call, (void)error;
        *ret_info = g_variant_ref_sink(
                g_variant_new("(ittttttttttt)", job ? JOB_TYPE_UNBOUNDED : JOB_TYPE_NONE, elapsed_msec(job),
                              none, total, none, total, total, none, total, none, none, none));
        return 0;
}

void control_job_completed(Domain *domain, int operation, const Job *job)
{
        Machine *machine = machine_of(domain);
        const struct {
                const char *key;
                uint64_t value;
        } numbers[] = {
                { "time_elapsed", elapsed_msec(job) },
                { "memory_total", domain->live->current_memory_kib * 1024 },
                { "memory_processed", domain->live->current_memory_kib * 1024 },
                { "memory_remaining", 0 },
        };
        _cleanup_(g_variant_unrefp) GVariant *params = NULL;
        GVariantBuilder stats;

        g_variant_builder_init(&stats, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&stats, "{sv}", "operation", g_variant_new_int32(operation));
        for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
                g_variant_builder_add(&stats, "{sv}", numbers[i].key,
                                      g_variant_new_uint64(numbers[i].value));
        g_variant_builder_add(&stats, "{sv}", "success", g_variant_new_boolean(true));
        g_clear_pointer(&machine->job_ended, g_variant_unref);
        machine->job_ended = g_variant_ref_sink(g_variant_new("(ia{sv})", JOB_TYPE_COMPLETED, &stats));
        params = g_variant_get_child_value(machine->job_ended, 1);
        machine_signal(domain, "JobCompleted", g_variant_new("(@a{sv})", params));
}

int test_domain_get_job_stats(Call *call, Domain *domain, uint32_t flags, GVariant **ret_stats, Error *error)
{
        const Job *job = memory_job(domain);
        GVariantBuilder stats;
        int r = transfer_take_ended(flags, &machine_of(domain)->job_ended, ret_stats, error);

        (void)call;
        if (r != 0)
                return MIN(r, 0);
        g_variant_builder_init(&stats, G_VARIANT_TYPE_VARDICT);
        if (job) {
                g_variant_builder_add(&stats, "{sv}", "time_elapsed",
                                      g_variant_new_uint64(elapsed_msec(job)));
                g_variant_builder_add(&stats, "{sv}", "memory_total",
                                      g_variant_new_uint64(domain->live->current_memory_kib * 1024));
        }
        *ret_stats = g_variant_ref_sink(g_variant_new("(i@a{sv})", job ? JOB_TYPE_UNBOUNDED : JOB_TYPE_NONE,
                                                      g_variant_builder_end(&stats)));
        return 0;
}

int test_domain_abort_job(Call *call, Domain *domain, Error *error)
{
        Job *job = memory_job(domain);
        int r = domain_check_active(domain, error);

        (void)call;
        if (r >= 0 && !job)
                r = error_set(error, ERROR_OPERATION_INVALID,
                              "No transfer of memory that could be given up goes on at the %s",
                              object_describe(&domain->object));
        if (r >= 0)
                job_cancel(job);
        return r;
}

int test_domain_memory_peek(Call *call, Domain *domain, uint64_t offset, uint64_t size, uint32_t flags,
                            GVariant **ret_buffer, Error *error)
{
        _cleanup_(freep) uint8_t *zeros = NULL;
        int r = error_check_flags(error, "MemoryPeek", flags, MEMORY_VIRTUAL | MEMORY_PHYSICAL);

        (void)call;
        if (r >= 0 && flags != MEMORY_VIRTUAL && flags != MEMORY_PHYSICAL)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "MemoryPeek needs one of VIRTUAL (1) and PHYSICAL (2)");
        if (r >= 0 && (size == 0 || size > PEEK_MAX))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "MemoryPeek reads 1 to %d bytes at a time",
                              PEEK_MAX);
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0 && (offset > UINT64_MAX - size || offset + size > domain->live->memory_kib * 1024))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "The memory of the %s ends before that",
                              object_describe(&domain->object));
        if (r < 0)
                return r;
        zeros = g_malloc0(size);
        *ret_buffer = g_variant_ref_sink(g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, zeros, size, 1));
        return 0;
}

/* Nobody waits for anybody, and nobody is kept apart. */
int test_domain_get_control_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                 Error *error)
{
        int r = error_check_flags(error, "GetControlInfo", flags, 0);

        (void)call;
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0)
                *ret_info = g_variant_ref_sink(g_variant_new("(uut)", 0, 0, UINT64_C(0)));
        return r;
}

int test_domain_get_security_label_list(Call *call, Domain *domain, GVariant **ret_labels, Error *error)
{
        (void)call, (void)domain, (void)error;
        *ret_labels = g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(sb)"), NULL, 0));
        return 0;
}

/* None puts itself to sleep. */
int test_domain_pm_wakeup(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "PMWakeup", flags, 0);

        (void)call;
        if (r >= 0)
                r = domain_check_active(domain, error);
        return r < 0 ? r
                     : error_set(error, ERROR_OPERATION_INVALID, "The guest of the %s does not sleep",
                                 object_describe(&domain->object));
}
