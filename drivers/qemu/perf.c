/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel counts for a thread and for those that it starts later; so there is a descriptor for every
 * thread that QEMU has when the counting begins, and their sum is the machine's. */

#include "drivers/qemu/perf.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/status.h"
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>

/* Of QEMU's threads; more are not counted. */
#define THREADS_MAX 1024

static const struct {
        const char *name, *key;
        uint32_t type;
        uint64_t config;
} events[] = {
#define HARDWARE(name, config)                                                                              \
        {                                                                                                   \
                name, "perf." name, PERF_TYPE_HARDWARE, config                                              \
        }
#define SOFTWARE(name, config)                                                                              \
        {                                                                                                   \
                name, "perf." name, PERF_TYPE_SOFTWARE, config                                              \
        }
        HARDWARE("cache_misses", PERF_COUNT_HW_CACHE_MISSES),
        HARDWARE("cache_references", PERF_COUNT_HW_CACHE_REFERENCES),
        HARDWARE("instructions", PERF_COUNT_HW_INSTRUCTIONS),
        HARDWARE("cpu_cycles", PERF_COUNT_HW_CPU_CYCLES),
        HARDWARE("branch_instructions", PERF_COUNT_HW_BRANCH_INSTRUCTIONS),
        HARDWARE("branch_misses", PERF_COUNT_HW_BRANCH_MISSES),
        HARDWARE("bus_cycles", PERF_COUNT_HW_BUS_CYCLES),
        HARDWARE("stalled_cycles_frontend", PERF_COUNT_HW_STALLED_CYCLES_FRONTEND),
        HARDWARE("stalled_cycles_backend", PERF_COUNT_HW_STALLED_CYCLES_BACKEND),
        HARDWARE("ref_cpu_cycles", PERF_COUNT_HW_REF_CPU_CYCLES),
        SOFTWARE("cpu_clock", PERF_COUNT_SW_CPU_CLOCK),
        SOFTWARE("task_clock", PERF_COUNT_SW_TASK_CLOCK),
        SOFTWARE("page_faults", PERF_COUNT_SW_PAGE_FAULTS),
        SOFTWARE("context_switches", PERF_COUNT_SW_CONTEXT_SWITCHES),
        SOFTWARE("cpu_migrations", PERF_COUNT_SW_CPU_MIGRATIONS),
        SOFTWARE("page_faults_min", PERF_COUNT_SW_PAGE_FAULTS_MIN),
        SOFTWARE("page_faults_maj", PERF_COUNT_SW_PAGE_FAULTS_MAJ),
        SOFTWARE("alignment_faults", PERF_COUNT_SW_ALIGNMENT_FAULTS),
        SOFTWARE("emulation_faults", PERF_COUNT_SW_EMULATION_FAULTS),
#undef HARDWARE
#undef SOFTWARE
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
                g_ptr_array_set_size(machine->perf, G_N_ELEMENTS(events));
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
                                           events[event].name)
                               : error_set(error, ERROR_NOT_SUPPORTED, "This host does not count %s: %s",
                                           events[event].name, g_strerror(errno));
        }
        set_fds(machine, event, fds);
        return 0;
}

static int find(const char *name, Error *error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
                if (strcmp(events[i].name, name) == 0)
                        return (int)i;
        return error_set(error, ERROR_INVALID_ARGUMENT, "There is no event '%s' that could be counted",
                         name);
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

static bool is_wanted(const DomainDefinition *definition, const char *name)
{
        LIST_FOREACH (event, definition->perf_events) {
                if (strcmp(event->name, name) == 0)
                        return event->enabled == YES;
        }
        return false;
}

int perf_begin(const Domain *domain, const DomainDefinition *definition, Error *error)
{
        int r = 0;

        LIST_FOREACH (event, definition->perf_events) {
                if (r < 0 || event->enabled != YES)
                        continue;
                r = check_owner(domain, error);
                if (r >= 0)
                        r = find(event->name, error);
                if (r >= 0 && machine_of(domain)->child)
                        r = count(domain, (size_t)r, error);
        }
        return MIN(r, 0);
}

void perf_add_records(Records *records, const Domain *domain)
{
        const GPtrArray *counters = machine_of(domain)->perf;

        for (size_t i = 0; counters && i < G_N_ELEMENTS(events); i++) {
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
        const DomainDefinition *definition;
        GVariantBuilder values;
        int r = impact_choose(domain, "GetPerfEvents", 0, &flags, error);

        (void)call;
        if (r < 0)
                return r;
        definition = impact_definition(domain, flags);
        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
                g_variant_builder_add(&values, "{sv}", events[i].name,
                                      g_variant_new_boolean(is_wanted(definition, events[i].name)));
        *ret_events = g_variant_ref_sink(g_variant_builder_end(&values));
        return 0;
}

static int want(void *target, const char *name, GVariant *value, Error *error)
{
        DomainDefinition *definition = target;
        PerfEvent *wanted = NULL;
        int r = find(name, error);

        if (r >= 0 && !g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "%s is of type b", name);
        if (r < 0)
                return r;
        LIST_FOREACH (event, definition->perf_events) {
                if (strcmp(event->name, name) == 0)
                        wanted = event;
        }
        if (!wanted) {
                wanted = g_new0(PerfEvent, 1);
                wanted->name = g_strdup(name);
                list_append(&definition->perf_events, wanted);
        }
        wanted->enabled = g_variant_get_boolean(value) ? YES : NO;
        return 0;
}

/* What is counted already goes on from where it is; after a failure all is as before. */
static int count_live(Domain *domain, const DomainDefinition *changed, Error *error)
{
        Machine *machine = machine_of(domain);
        int r = 0;

        if (!machine->child)
                return domain_check_active(domain, error);
        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(events); i++)
                if (is_wanted(changed, events[i].name) && !is_wanted(domain->live, events[i].name))
                        r = count(domain, i, error);
        for (size_t i = 0; machine->perf && i < G_N_ELEMENTS(events); i++)
                if (!is_wanted(r < 0 ? domain->live : changed, events[i].name))
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
                r = impact_take(values, want, kept, error);
        }
        if (r >= 0 && flags & AFFECT_LIVE)
                r = check_owner(domain, error);
        if (r >= 0 && flags & AFFECT_LIVE) {
                live = domain_definition_copy(domain->live);
                r = impact_take(values, want, live, error);
        }
        if (r >= 0 && kept)
                r = impact_begin(domain, kept, error);
        if (r < 0)
                return r;
        if (live)
                r = count_live(domain, live, error);
        if (r >= 0 && live) {
                (void)impact_take(values, want, domain->live, NULL); /* as the copy took them */
                r = status_save(domain, error);
        }
        return kept ? impact_end(domain, &kept, r) : r;
}
