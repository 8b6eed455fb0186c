/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Groups are read from QEMU's answers, which are anything, and from /proc, where a number that QEMU told
 * counts only below its own process. What is not there is left out. */

#include "drivers/qemu/stats-groups.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/perf.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* User and system time of a process or thread, in nanoseconds. */
static bool times_read(const char *path, guint64 *ret_user, guint64 *ret_system)
{
        _cleanup_(freep) char *text = NULL;
        const char *after;
        unsigned long long user, system;
        guint64 tick = UINT64_C(1000000000) / (guint64)sysconf(_SC_CLK_TCK);

        if (!g_file_get_contents(path, &text, NULL, NULL))
                return false;
        after = strrchr(text, ')'); /* the name before it may have anything in it */
        if (!after ||
            sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
                return false;
        *ret_user = user * tick;
        *ret_system = system * tick;
        return true;
}

static void add_cpu(Records *records, const Domain *domain)
{
        const Machine *machine = machine_of(domain);
        _cleanup_(freep) char *path = NULL;
        guint64 user, system;

        if (!machine->child)
                return;
        path = g_strdup_printf("/proc/%d/stat", child_get_pid(machine->child));
        if (!times_read(path, &user, &system))
                return;
        records_add_uint64(records, "cpu.time", user + system);
        records_add_uint64(records, "cpu.user", user);
        records_add_uint64(records, "cpu.system", system);
}

/* How long a thread had to wait for a processor, in nanoseconds. */
static bool delay_read(const char *path, unsigned long long *ret_delay)
{
        _cleanup_(freep) char *text = NULL;

        return g_file_get_contents(path, &text, NULL, NULL) && sscanf(text, "%*u %llu", ret_delay) == 1;
}

static void add_vcpu(Records *records, const Machine *machine, json_int_t number, json_int_t thread)
{
        _cleanup_(freep) char *folder =
                g_strdup_printf("/proc/%d/task/%" PRId64, child_get_pid(machine->child), (int64_t)thread);
        _cleanup_(freep) char *times = g_strconcat(folder, "/stat", NULL);
        _cleanup_(freep) char *schedule = g_strconcat(folder, "/schedstat", NULL);
        unsigned long long delay;
        guint64 user, system;

        records_add_int32(records, records_key(records, "vcpu.%d.state", (int)number),
                          1); /* VIR_VCPU_RUNNING */
        if (times_read(times, &user, &system))
                records_add_uint64(records, records_key(records, "vcpu.%d.time", (int)number),
                                   user + system);
        if (delay_read(schedule, &delay))
                records_add_uint64(records, records_key(records, "vcpu.%d.delay", (int)number), delay);
}

static void add_vcpus(Records *records, const Domain *domain, const json_t *cpus)
{
        const DomainDefinition *definition = domain_current_definition(domain);
        const Machine *machine = machine_of(domain);
        size_t i;
        json_t *cpu;

        records_add_uint32(records, "vcpu.current", definition->current_vcpus);
        records_add_uint32(records, "vcpu.maximum", definition->vcpus);
        json_array_foreach(cpus, i, cpu)
        {
                json_int_t thread = json_integer_value(json_object_get(cpu, "thread-id"));
                json_int_t number = json_integer_value(json_object_get(cpu, "cpu-index"));

                if (machine->child && thread > 0 && number >= 0 && number < definition->vcpus)
                        add_vcpu(records, machine, number, thread);
        }
}

/* In the order of libvirt's names, from the host's side; a guest receives what its tap sends. */
typedef struct Counters {
        guint64 values[8]; /* bytes, packets, errors, dropped; received, then sent */
} Counters;

GHashTable *stats_read_counters(void)
{
        GHashTable *counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        _cleanup_(freep) char *text = NULL;

        if (!g_file_get_contents("/proc/net/dev", &text, NULL, NULL))
                return counters;
        for (char *line = text, *next; line && *line; line = next) {
                char name[32];
                Counters *read = g_new0(Counters, 1);
                guint64 *v = read->values;

                next = strchr(line, '\n');
                if (next)
                        *next++ = 0;
                if (sscanf(line,
                           " %31[^: ]: %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                           " %*u %*u %*u %*u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
                           name, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) == 9)
                        g_hash_table_insert(counters, g_strdup(name), read);
                else
                        g_free(read);
        }
        return counters;
}

static void add_interfaces(Records *records, const DomainDefinition *definition, GHashTable *all_counters)
{
        static const char *const names[] = { "tx.bytes", "tx.pkts", "tx.errs", "tx.drop",
                                             "rx.bytes", "rx.pkts", "rx.errs", "rx.drop" };
        unsigned n = 0;

        LIST_FOREACH (interface, definition->devices.interfaces) {
                const Counters *counters = interface->target && all_counters
                                                   ? g_hash_table_lookup(all_counters, interface->target)
                                                   : NULL;

                if (interface->target)
                        records_add_string(records, records_key(records, "net.%u.name", n),
                                           interface->target);
                for (size_t i = 0; counters && i < G_N_ELEMENTS(names); i++)
                        records_add_uint64(records, records_key(records, "net.%u.%s", n, names[i]),
                                           counters->values[i]);
                n++;
        }
        records_add_uint32(records, "net.count", n);
}

/* The entry of query-block or query-blockstats about the device of that alias. */
static const json_t *block_find(const json_t *list, const char *alias)
{
        _cleanup_(freep) char *middle = g_strdup_printf("/%s/", alias), *end = g_strdup_printf("/%s", alias);
        size_t i;
        json_t *item;

        json_array_foreach(list, i, item)
        {
                const char *path = json_string_value(json_object_get(item, "qdev"));

                if (path &&
                    (strstr(path, middle) || g_str_has_suffix(path, end) || strcmp(path, alias) == 0))
                        return item;
        }
        return NULL;
}

static void add_number(Records *records, const json_t *object, const char *member, unsigned n,
                       const char *key)
{
        const json_t *value = json_object_get(object, member);

        if (json_is_integer(value) && json_integer_value(value) >= 0)
                records_add_uint64(records, records_key(records, "block.%u.%s", n, key),
                                   (guint64)json_integer_value(value));
}

static void add_counters(Records *records, const json_t *stats, unsigned n)
{
        static const struct {
                const char *member, *key;
        } counters[] = {
                { "rd_operations", "rd.reqs" },     { "rd_bytes", "rd.bytes" },
                { "rd_total_time_ns", "rd.times" }, { "wr_operations", "wr.reqs" },
                { "wr_bytes", "wr.bytes" },         { "wr_total_time_ns", "wr.times" },
                { "flush_operations", "fl.reqs" },  { "flush_total_time_ns", "fl.times" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(counters); i++)
                add_number(records, stats, counters[i].member, n, counters[i].key);
}

static void add_image(Records *records, const json_t *image, unsigned n)
{
        add_number(records, image, "actual-size", n, "allocation");
        add_number(records, image, "virtual-size", n, "capacity");
        add_number(records, image, "actual-size", n, "physical");
}

/* The images below a disk's own, each with an entry of its own; `n` is the next free number. */
static unsigned add_backing(Records *records, const DomainDisk *disk, unsigned n, const json_t *stats,
                            const json_t *image)
{
        unsigned index = 0;

        for (image = json_object_get(image, "backing-image"), stats = json_object_get(stats, "backing");
             image; image = json_object_get(image, "backing-image"),
            stats = json_object_get(stats, "backing"), n++) {
                const char *path = json_string_value(json_object_get(image, "filename"));

                records_add_string(records, records_key(records, "block.%u.name", n), disk->target);
                records_add_uint32(records, records_key(records, "block.%u.backingIndex", n), ++index);
                if (path)
                        records_add_string(records, records_key(records, "block.%u.path", n), path);
                add_counters(records, json_object_get(stats, "stats"), n);
                add_image(records, image, n);
        }
        return n;
}

/* What SetBlockThreshold set, of the file below the format; 0 is none. */
static void add_threshold(Records *records, const DomainDisk *disk, unsigned n, const json_t *nodes)
{
        _cleanup_(freep) char *name = chain_storage_node(disk, disk->source.index);
        size_t i;
        json_t *node;

        json_array_foreach(nodes, i, node)
        {
                const char *found = json_string_value(json_object_get(node, "node-name"));

                if (found && strcmp(found, name) == 0 &&
                    json_integer_value(json_object_get(node, "write_threshold")) > 0)
                        add_number(records, node, "write_threshold", n, "threshold");
        }
}

static unsigned add_block(Records *records, const DomainDisk *disk, unsigned n, const StatsSources *sources)
{
        const char *path = disk->source.file ? disk->source.file : disk->source.dev;
        const json_t *stats, *image;

        records_add_string(records, records_key(records, "block.%u.name", n), disk->target);
        if (path)
                records_add_string(records, records_key(records, "block.%u.path", n), path);
        if (!disk->info.alias)
                return n + 1;
        stats = block_find(sources->answers[STATS_QUERY_BLOCKSTATS], disk->info.alias);
        image = json_object_get(
                json_object_get(block_find(sources->answers[STATS_QUERY_BLOCKS], disk->info.alias),
                                "inserted"),
                "image");
        add_counters(records, json_object_get(stats, "stats"), n);
        add_image(records, image, n);
        add_threshold(records, disk, n, sources->answers[STATS_QUERY_NODES]);
        return sources->with_backing ? add_backing(records, disk, n + 1, stats, image) : n + 1;
}

static void add_blocks(Records *records, const DomainDefinition *definition, const StatsSources *sources)
{
        unsigned n = 0;

        LIST_FOREACH (disk, definition->devices.disks)
                n = add_block(records, disk, n, sources);
        records_add_uint32(records, "block.count", n);
}

static void add_resident(Records *records, const Machine *machine)
{
        _cleanup_(freep) char *path = NULL, *text = NULL;
        unsigned long long pages;

        if (!machine->child)
                return;
        path = g_strdup_printf("/proc/%d/statm", child_get_pid(machine->child));
        if (g_file_get_contents(path, &text, NULL, NULL) && sscanf(text, "%*u %llu", &pages) == 1)
                records_add_uint64(records, "balloon.rss", pages * (guint64)sysconf(_SC_PAGESIZE) / 1024);
}

static void add_balloon(Records *records, const Domain *domain, const StatsSources *sources)
{
        static const struct {
                const char *member, *key;
                unsigned divisor; /* bytes become KiB */
        } values[] = {
                { "stat-swap-in", "balloon.swap_in", 1024 },
                { "stat-swap-out", "balloon.swap_out", 1024 },
                { "stat-major-faults", "balloon.major_fault", 1 },
                { "stat-minor-faults", "balloon.minor_fault", 1 },
                { "stat-free-memory", "balloon.unused", 1024 },
                { "stat-total-memory", "balloon.available", 1024 },
                { "stat-available-memory", "balloon.usable", 1024 },
                { "stat-disk-caches", "balloon.disk_caches", 1024 },
                { "stat-htlb-pgalloc", "balloon.hugetlb_pgalloc", 1 },
                { "stat-htlb-pgfail", "balloon.hugetlb_pgfail", 1 },
        };
        const DomainDefinition *definition = domain_current_definition(domain);
        const json_t *told = sources->answers[STATS_QUERY_GUEST_MEMORY];
        json_int_t actual =
                json_integer_value(json_object_get(sources->answers[STATS_QUERY_BALLOON], "actual"));
        json_int_t updated = json_integer_value(json_object_get(told, "last-update"));

        records_add_uint64(records, "balloon.current",
                           actual > 0 ? (guint64)actual / 1024 : definition->current_memory_kib);
        records_add_uint64(records, "balloon.maximum", definition->memory_kib);
        for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
                const json_t *value = json_object_get(json_object_get(told, "stats"), values[i].member);

                if (json_is_integer(value) && json_integer_value(value) >= 0) /* -1: the guest is silent */
                        records_add_uint64(records, values[i].key,
                                           (guint64)json_integer_value(value) / values[i].divisor);
        }
        if (updated > 0)
                records_add_uint64(records, "balloon.last-update", (guint64)updated);
        if (domain_is_active(domain))
                add_resident(records, machine_of(domain));
}

static void add_iothreads(Records *records, const json_t *threads)
{
        static const char *const members[] = { "poll-max-ns", "poll-grow", "poll-shrink" };
        unsigned n = 0;
        size_t i;
        json_t *thread;

        if (!threads)
                return;
        json_array_foreach(threads, i, thread)
        {
                const char *name = json_string_value(json_object_get(thread, "id"));
                unsigned number;

                if (!name || sscanf(name, "iothread%u", &number) != 1)
                        continue;
                n++;
                for (size_t j = 0; j < G_N_ELEMENTS(members); j++) {
                        const json_t *value = json_object_get(thread, members[j]);

                        if (json_is_integer(value) && json_integer_value(value) >= 0)
                                records_add_uint64(
                                        records, records_key(records, "iothread.%u.%s", number, members[j]),
                                        (guint64)json_integer_value(value));
                }
        }
        records_add_uint32(records, "iothread.count", n);
}

static void add_dirtyrate(Records *records, const json_t *rate)
{
        static const char *const words[] = { "unstarted", "measuring", "measured" };
        const char *status = json_string_value(json_object_get(rate, "status"));
        const char *mode = json_string_value(json_object_get(rate, "mode"));
        const json_t *megabytes = json_object_get(rate, "dirty-rate");

        for (int i = 0; status && i < (int)G_N_ELEMENTS(words); i++)
                if (strcmp(status, words[i]) == 0)
                        records_add_int32(records, "dirtyrate.calc_status", i);
        if (!rate)
                return;
        records_add_int64(records, "dirtyrate.calc_start_time",
                          json_integer_value(json_object_get(rate, "start-time")));
        records_add_int32(records, "dirtyrate.calc_period",
                          (int)json_integer_value(json_object_get(rate, "calc-time")));
        if (mode)
                records_add_string(records, "dirtyrate.calc_mode", mode);
        if (json_is_integer(megabytes))
                records_add_int64(records, "dirtyrate.megabytes_per_second", json_integer_value(megabytes));
}

void stats_add_groups(Records *records, const Domain *domain, uint32_t stats, const StatsSources *sources)
{
        const DomainDefinition *definition = domain_current_definition(domain);

        if (stats & STATS_STATE) {
                records_add_int32(records, "state.state", (gint32)domain->state);
                records_add_int32(records, "state.reason", domain->reason);
        }
        if (stats & STATS_CPU_TOTAL && domain_is_active(domain))
                add_cpu(records, domain);
        if (stats & STATS_BALLOON)
                add_balloon(records, domain, sources);
        if (stats & STATS_VCPU)
                add_vcpus(records, domain, sources->answers[STATS_QUERY_CPUS]);
        if (stats & STATS_INTERFACE)
                add_interfaces(records, definition, domain_is_active(domain) ? sources->counters : NULL);
        if (stats & STATS_BLOCK)
                add_blocks(records, definition, sources);
        if (stats & STATS_IOTHREAD)
                add_iothreads(records, sources->answers[STATS_QUERY_IOTHREADS]);
        if (stats & STATS_PERF)
                perf_add_records(records, domain);
        if (stats & STATS_DIRTYRATE)
                add_dirtyrate(records, sources->answers[STATS_QUERY_DIRTYRATE]);
}
