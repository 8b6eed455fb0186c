/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What QEMU says of its migration or dump, in libvirt's names. The numbers of the last job stay until the
 * next one or until somebody has asked for them. */

#include "drivers/qemu/memory-job.h"
#include "core/fiber.h"
#include "drivers/qemu/notices.h"
#include "model/transfer.h"
#include <string.h>

/* virDomainJobType. */
enum {
        TYPE_NONE = 0,
        TYPE_BOUNDED = 1,
        TYPE_UNBOUNDED = 2,
        TYPE_COMPLETED = 3,
        TYPE_FAILED = 4,
        TYPE_CANCELLED = 5,
};

typedef struct Progress {
        int type;
        uint64_t elapsed_msec, total, processed, remaining;
        json_t *answer; /* QEMU's; NULL: it said nothing */
} Progress;

static void progress_clear(Progress *progress)
{
        json_decref(progress->answer);
}

static uint64_t number(json_t *object, const char *key)
{
        json_int_t value = json_integer_value(json_object_get(object, key));

        return value < 0 ? 0 : (uint64_t)value;
}

void memory_job_begin(Domain *domain, MemoryJobKind kind, const char *query)
{
        machine_of(domain)->memory_job =
                (MemoryJob){ .kind = kind, .query = query, .since_usec = loop_now_usec() };
}

static void read_answer(Progress *progress, bool is_dump)
{
        json_t *counts = is_dump ? progress->answer : json_object_get(progress->answer, "ram");

        progress->total = number(counts, "total");
        progress->processed = number(counts, is_dump ? "completed" : "transferred");
        progress->remaining = is_dump ? progress->total - MIN(progress->total, progress->processed)
                                      : number(counts, "remaining");
}

/* All zero if nothing goes on, or QEMU has no numbers of it. */
static int query(const Domain *domain, Progress *ret_progress, Error *error) AWAITS
{
        const MemoryJob job = machine_of(domain)->memory_job;
        const bool is_dump = job.query && strcmp(job.query, "query-dump") == 0;
        int r = domain_check_active(domain, error);

        if (r < 0 || job.kind == MEMORY_JOB_NONE)
                return r;
        r = machine_check_monitor(domain, error);
        if (r >= 0 && job.query)
                r = qmp_call(machine_of(domain)->qmp, job.query, NULL, deadline_after_usec(QMP_TIMEOUT_USEC),
                             &ret_progress->answer, error);
        if (r < 0)
                return r;
        ret_progress->type = is_dump ? TYPE_BOUNDED : TYPE_UNBOUNDED;
        ret_progress->elapsed_msec = (loop_now_usec() - job.since_usec) / 1000;
        read_answer(ret_progress, is_dump);
        return 0;
}

static void add_number(GVariantBuilder *stats, const char *key, uint64_t value)
{
        g_variant_builder_add(stats, "{sv}", key, g_variant_new_uint64(value));
}

/* Of the transfer of memory, where QEMU tells them. */
static void add_transfer(GVariantBuilder *stats, json_t *answer)
{
        static const struct {
                const char *key, *name;
        } rows[] = {
                { "memory_constant", "duplicate" },         { "memory_normal", "normal" },
                { "memory_normal_bytes", "normal-bytes" },  { "memory_dirty_rate", "dirty-pages-rate" },
                { "memory_iteration", "dirty-sync-count" }, { "memory_page_size", "page-size" },
        };
        json_t *ram = json_object_get(answer, "ram");

        if (!ram)
                return;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                add_number(stats, rows[i].key, number(ram, rows[i].name));
        add_number(stats, "memory_bps",
                   (uint64_t)MAX(json_number_value(json_object_get(ram, "mbps")), 0) * 1000 * 1000 / 8);
        add_number(stats, "setup_time", number(answer, "setup-time"));
        if (json_object_get(answer, "downtime"))
                add_number(stats, "downtime", number(answer, "downtime"));
}

static void add_progress(GVariantBuilder *stats, MemoryJobKind kind, const Progress *progress)
{
        g_variant_builder_add(stats, "{sv}", "operation", g_variant_new_int32((gint32)kind));
        add_number(stats, "time_elapsed", progress->elapsed_msec);
        if (!progress->answer)
                return;
        add_number(stats, "data_total", progress->total);
        add_number(stats, "data_processed", progress->processed);
        add_number(stats, "data_remaining", progress->remaining);
        add_number(stats, "memory_total", progress->total);
        add_number(stats, "memory_processed", progress->processed);
        add_number(stats, "memory_remaining", progress->remaining);
        add_transfer(stats, progress->answer);
}

void memory_job_end(Domain *domain, int result, const Error *error)
{
        Machine *machine = machine_of(domain);
        const MemoryJob job = machine->memory_job;
        const bool was_cancelled = fiber_is_cancelled(fiber_current());
        _cleanup_(progress_clear) Progress progress = {};
        GVariantBuilder stats;
        GVariant *params;

        if (job.kind == MEMORY_JOB_NONE)
                return;
        fiber_clear_cancel();
        if (result >= 0)
                (void)query(domain, &progress, NULL); /* what it does not tell is left out */
        if (was_cancelled)
                fiber_cancel(fiber_current());
        progress.elapsed_msec = (loop_now_usec() - job.since_usec) / 1000;
        g_variant_builder_init(&stats, G_VARIANT_TYPE_VARDICT);
        add_progress(&stats, job.kind, &progress);
        g_variant_builder_add(&stats, "{sv}", "success", g_variant_new_boolean(result >= 0));
        if (result < 0 && error && error_is_set(error))
                g_variant_builder_add(&stats, "{sv}", "errmsg", g_variant_new_string(error->message));
        params = g_variant_ref_sink(g_variant_builder_end(&stats));
        g_clear_pointer(&machine->memory_job_ended, g_variant_unref);
        machine->memory_job_ended =
                g_variant_ref_sink(g_variant_new("(i@a{sv})",
                                                 result >= 0                               ? TYPE_COMPLETED
                                                 : error && error->code == ERROR_CANCELLED ? TYPE_CANCELLED
                                                                                           : TYPE_FAILED,
                                                 params));
        machine->memory_job = (MemoryJob){};
        notice_raise(domain, "JobCompleted", g_variant_new("(@a{sv})", params));
        g_variant_unref(params);
}

int qemu_domain_get_job_info(Call *call, Domain *domain, GVariant **ret_info, Error *error)
{
        _cleanup_(progress_clear) Progress progress = {};
        int r = query(domain, &progress, error);

        (void)call;
        if (r < 0)
                return r;
        *ret_info = g_variant_ref_sink(g_variant_new(
                "(ittttttttttt)", progress.type, progress.elapsed_msec, UINT64_C(0), progress.total,
                progress.processed, progress.remaining, progress.total, progress.processed,
                progress.remaining, UINT64_C(0), UINT64_C(0), UINT64_C(0)));
        return 0;
}

int qemu_domain_get_job_stats(Call *call, Domain *domain, uint32_t flags, GVariant **ret_stats, Error *error)
{
        Machine *machine = machine_of(domain);
        _cleanup_(progress_clear) Progress progress = {};
        GVariantBuilder stats;
        int r = transfer_take_ended(flags, &machine->memory_job_ended, ret_stats, error);

        (void)call;
        if (r > 0)
                return 0;
        if (r >= 0)
                r = query(domain, &progress, error);
        if (r < 0)
                return r;
        g_variant_builder_init(&stats, G_VARIANT_TYPE_VARDICT);
        if (progress.type != TYPE_NONE)
                add_progress(&stats, machine->memory_job.kind, &progress);
        *ret_stats =
                g_variant_ref_sink(g_variant_new("(i@a{sv})", progress.type, g_variant_builder_end(&stats)));
        return 0;
}
