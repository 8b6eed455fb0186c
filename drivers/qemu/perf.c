/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel counts for a thread and for those that it starts later; so there is a descriptor for every
 * thread that QEMU has when the counting begins, and their sum is the machine's. */

#include "drivers/qemu/perf.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/status.h"
#include "model/perf-events.h"
#include <errno.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

/* Of QEMU's threads; more are not counted. */
#define THREADS_MAX 1024

static const struct {
        const char *key;
        uint32_t type;
        uint64_t config;
} events[PERF_KIND_COUNT] = {
        [PERF_CACHE_MISSES] = { "perf.cache_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES },
        [PERF_CACHE_REFERENCES] = { "perf.cache_references", PERF_TYPE_HARDWARE,
                                    PERF_COUNT_HW_CACHE_REFERENCES },
        [PERF_INSTRUCTIONS] = { "perf.instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS },
        [PERF_CPU_CYCLES] = { "perf.cpu_cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
        [PERF_BRANCH_INSTRUCTIONS] = { "perf.branch_instructions", PERF_TYPE_HARDWARE,
                                       PERF_COUNT_HW_BRANCH_INSTRUCTIONS },
        [PERF_BRANCH_MISSES] = { "perf.branch_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES },
        [PERF_BUS_CYCLES] = { "perf.bus_cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BUS_CYCLES },
        [PERF_STALLED_CYCLES_FRONTEND] = { "perf.stalled_cycles_frontend", PERF_TYPE_HARDWARE,
                                           PERF_COUNT_HW_STALLED_CYCLES_FRONTEND },
        [PERF_STALLED_CYCLES_BACKEND] = { "perf.stalled_cycles_backend", PERF_TYPE_HARDWARE,
                                          PERF_COUNT_HW_STALLED_CYCLES_BACKEND },
        [PERF_REF_CPU_CYCLES] = { "perf.ref_cpu_cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_REF_CPU_CYCLES },
        [PERF_CPU_CLOCK] = { "perf.cpu_clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK },
        [PERF_TASK_CLOCK] = { "perf.task_clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK },
        [PERF_PAGE_FAULTS] = { "perf.page_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS },
        [PERF_CONTEXT_SWITCHES] = { "perf.context_switches", PERF_TYPE_SOFTWARE,
                                    PERF_COUNT_SW_CONTEXT_SWITCHES },
        [PERF_CPU_MIGRATIONS] = { "perf.cpu_migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS },
        [PERF_PAGE_FAULTS_MIN] = { "perf.page_faults_min", PERF_TYPE_SOFTWARE,
                                   PERF_COUNT_SW_PAGE_FAULTS_MIN },
        [PERF_PAGE_FAULTS_MAJ] = { "perf.page_faults_maj", PERF_TYPE_SOFTWARE,
                                   PERF_COUNT_SW_PAGE_FAULTS_MAJ },
        [PERF_ALIGNMENT_FAULTS] = { "perf.alignment_faults", PERF_TYPE_SOFTWARE,
                                    PERF_COUNT_SW_ALIGNMENT_FAULTS },
        [PERF_EMULATION_FAULTS] = { "perf.emulation_faults", PERF_TYPE_SOFTWARE,
                                    PERF_COUNT_SW_EMULATION_FAULTS },
};

/* Of one event; NULL is none. */
static void fds_free(void *data)
{
        GArray *fds = data;

        for (unsigned i = 0; fds && i < fds->len; i++)
                (void)close(g_array_index(fds, int, i)); /* nothing was written */
        if (fds)
                g_array_unref(fds);
}

/* Takes the descriptors over; NULL ends the counting. */
static void set_fds(Machine *machine, size_t event, GArray *fds)
{
        if (!machine->perf) {
                machine->perf = g_ptr_array_new_with_free_func(fds_free);
                g_ptr_array_set_size(machine->perf, PERF_KIND_COUNT);
        }
        fds_free(machine->perf->pdata[event]);
        machine->perf->pdata[event] = fds;
}

static int open_counter(pid_t thread, size_t event)
{
        struct perf_event_attr attributes = { .type = events[event].type,
                                              .size = sizeof attributes,
                                              .config = events[event].config,
                                              .inherit = 1 };

        return (int)syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static int count(const Domain *domain, size_t event, Error *error)
{
        Machine *machine = machine_of(domain);
        _cleanup_(freep) char *path = g_strdup_printf("/proc/%d/task", (int)child_get_pid(machine->child));
        g_autoptr(GDir) tasks = g_dir_open(path, 0, NULL);
        GArray *fds = g_array_new(false, false, sizeof(int));
        const char *name;

        while (tasks && fds->len < THREADS_MAX && (name = g_dir_read_name(tasks))) {
                int fd = open_counter((pid_t)g_ascii_strtoll(name, NULL, 10), event);

                if (fd >= 0) {
                        g_array_append_val(fds, fd);
                        continue;
                }
                if (errno == ESRCH)
                        continue; /* a thread of QEMU may end at any time */
                fds_free(fds);
                return errno == EACCES || errno == EPERM
                               ? error_set(error, ERROR_NOT_SUPPORTED,
                                           "The kernel does not let the daemon count %s "
                                           "(kernel.perf_event_paranoid)",
                                           perf_kind_to_string((PerfKind)event))
                               : error_set(error, ERROR_NOT_SUPPORTED, "This host does not count %s: %s",
                                           perf_kind_to_string((PerfKind)event), g_strerror(errno));
        }
        set_fds(machine, event, fds);
        return 0;
}

/* What the host counts is for those who share it. */
static int check_owner(const Domain *domain, Error *error)
{
        return domain->object.driver->config->is_system && domain->object.owner != 0
                       ? error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                   "Events are counted for shared machines: the %s is a user's",
                                   object_describe(&domain->object))
                       : 0;
}

int perf_begin(const Domain *domain, const DomainDefinition *definition, Error *error)
{
        int r = 0;

        LIST_FOREACH (event, definition->perf_events) {
                if (r < 0 || event->enabled != YES)
                        continue;
                r = check_owner(domain, error);
                if (r >= 0)
                        r = perf_kind_find(event->name, error);
                if (r >= 0 && machine_of(domain)->child)
                        r = count(domain, (size_t)r, error);
        }
        return MIN(r, 0);
}

void perf_add_records(Records *records, const Domain *domain)
{
        const GPtrArray *counters = machine_of(domain)->perf;

        for (size_t i = 0; counters && i < PERF_KIND_COUNT; i++) {
                const GArray *fds = counters->pdata[i];
                uint64_t sum = 0, value;

                for (unsigned j = 0; fds && j < fds->len; j++)
                        if (read(g_array_index(fds, int, j), &value, sizeof value) == sizeof value)
                                sum += value;
                if (fds)
                        records_add_uint64(records, events[i].key, sum);
        }
}

int qemu_domain_get_perf_events(Call *call, Domain *domain, uint32_t flags, GVariant **ret_events,
                                Error *error)
{
        int r = impact_choose(domain, "GetPerfEvents", 0, &flags, error);

        (void)call;
        if (r >= 0)
                *ret_events =
                        g_variant_ref_sink(grants_tell(&grants_perf, impact_definition(domain, flags)));
        return r;
}

/* What is counted already goes on from where it is; after a failure all is as before. */
static int count_live(Domain *domain, const DomainDefinition *changed, Error *error)
{
        Machine *machine = machine_of(domain);
        int r = 0;

        if (!machine->child)
                return domain_check_active(domain, error);
        for (size_t i = 0; r >= 0 && i < PERF_KIND_COUNT; i++)
                if (perf_is_wanted(changed, (PerfKind)i) && !perf_is_wanted(domain->live, (PerfKind)i))
                        r = count(domain, i, error);
        for (size_t i = 0; machine->perf && i < PERF_KIND_COUNT; i++)
                if (!perf_is_wanted(r < 0 ? domain->live : changed, (PerfKind)i))
                        set_fds(machine, i, NULL);
        return r;
}

int qemu_domain_set_perf_events(Call *call, Domain *domain, GVariant *values, uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *live = NULL, *kept = NULL;
        int r = impact_choose(domain, "SetPerfEvents", 0, &flags, error);

        (void)call;
        if (r >= 0 && flags & AFFECT_CONFIG) {
                kept = domain_definition_copy(domain->definition);
                r = grants_take(&grants_perf, kept, values, error);
        }
        if (r >= 0 && flags & AFFECT_LIVE)
                r = check_owner(domain, error);
        if (r >= 0 && flags & AFFECT_LIVE) {
                live = domain_definition_copy(domain->live);
                r = grants_take(&grants_perf, live, values, error);
        }
        if (r >= 0 && kept)
                r = impact_begin(domain, kept, error);
        if (r < 0)
                return r;
        if (live)
                r = count_live(domain, live, error);
        if (r >= 0 && live) {
                (void)grants_take(&grants_perf, domain->live, values, NULL); /* as the copy took them */
                r = status_save(domain, error);
        }
        return kept ? impact_end(domain, &kept, r) : r;
}
