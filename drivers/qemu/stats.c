/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Statistics of one machine. What QEMU must be asked is asked at once, in one round; what it does not answer
 * in time is left out, and so is what a machine that does not run cannot have. */

#include "drivers/qemu/stats.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* virDomainStatsTypes. */
enum {
        STATS_STATE = 1 << 0,
        STATS_CPU_TOTAL = 1 << 1,
        STATS_BALLOON = 1 << 2,
        STATS_VCPU = 1 << 3,
        STATS_INTERFACE = 1 << 4,
        STATS_BLOCK = 1 << 5,
        STATS_KNOWN = (1 << 6) - 1,
};

/* How long QEMU may take: statistics are read every second. */
#define STATS_TIMEOUT_USEC (4 * G_USEC_PER_SEC)

typedef struct Answers {
        QmpCommand *blocks_command, *stats_command, *cpus_command;
        json_t *blocks, *stats, *cpus;
} Answers;

static void answers_clear(Answers *answers)
{
        qmp_command_free(answers->blocks_command);
        qmp_command_free(answers->stats_command);
        qmp_command_free(answers->cpus_command);
        json_decref(answers->blocks);
        json_decref(answers->stats);
        json_decref(answers->cpus);
}

static void answers_get(Domain *domain, uint32_t stats, uint64_t deadline_usec, Answers *answers) AWAITS
{
        Qmp *qmp;

        if (!domain_is_active(domain) || machine_check_monitor(domain, NULL) < 0)
                return;
        qmp = machine_of(domain)->qmp;
        if (stats & STATS_BLOCK) {
                answers->blocks_command = qmp_send(qmp, "query-block", NULL, -EBADF);
                answers->stats_command = qmp_send(qmp, "query-blockstats", NULL, -EBADF);
        }
        if (stats & STATS_VCPU)
                answers->cpus_command = qmp_send(qmp, "query-cpus-fast", NULL, -EBADF);
        /* What fails is left out of the answer. */
        if (answers->blocks_command)
                (void)qmp_wait(answers->blocks_command, deadline_usec, &answers->blocks, NULL);
        if (answers->stats_command)
                (void)qmp_wait(answers->stats_command, deadline_usec, &answers->stats, NULL);
        if (answers->cpus_command)
                (void)qmp_wait(answers->cpus_command, deadline_usec, &answers->cpus, NULL);
}

static void add(GVariantBuilder *records, GVariant *value, const char *format, ...) _printf_(3, 4);

static void add(GVariantBuilder *records, GVariant *value, const char *format, ...)
{
        _cleanup_(freep) char *key = NULL;
        va_list arguments;

        va_start(arguments, format);
        key = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        g_variant_builder_add(records, "{sv}", key, value);
}

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

static void add_cpu(GVariantBuilder *records, const Domain *domain)
{
        const Machine *machine = machine_of(domain);
        _cleanup_(freep) char *path = NULL;
        guint64 user, system;

        if (!machine->child)
                return;
        path = g_strdup_printf("/proc/%d/stat", child_get_pid(machine->child));
        if (!times_read(path, &user, &system))
                return;
        add(records, g_variant_new_uint64(user + system), "cpu.time");
        add(records, g_variant_new_uint64(user), "cpu.user");
        add(records, g_variant_new_uint64(system), "cpu.system");
}

static void add_vcpus(GVariantBuilder *records, const Domain *domain, const json_t *cpus)
{
        const DomainDefinition *definition = domain_current_definition(domain);
        size_t i;
        json_t *cpu;

        add(records, g_variant_new_uint32(definition->current_vcpus), "vcpu.current");
        add(records, g_variant_new_uint32(definition->vcpus), "vcpu.maximum");
        json_array_foreach(cpus, i, cpu)
        {
                json_int_t thread = json_integer_value(json_object_get(cpu, "thread-id"));
                const Machine *machine = machine_of(domain);
                _cleanup_(freep) char *path = NULL;
                guint64 user, system;

                if (!machine->child || thread <= 0)
                        continue;
                /* Only a thread of the machine's own process: the number is QEMU's word. */
                path = g_strdup_printf("/proc/%d/task/%" PRId64 "/stat", child_get_pid(machine->child),
                                       (int64_t)thread);
                add(records, g_variant_new_int32(1), "vcpu.%zu.state", i); /* VIR_VCPU_RUNNING */
                if (times_read(path, &user, &system))
                        add(records, g_variant_new_uint64(user + system), "vcpu.%zu.time", i);
        }
}

static void add_interfaces(GVariantBuilder *records, const DomainDefinition *definition)
{
        unsigned n = 0;

        LIST_FOREACH (interface, definition->devices.interfaces) {
                if (interface->target)
                        add(records, g_variant_new_string(interface->target), "net.%u.name", n);
                n++;
        }
        add(records, g_variant_new_uint32(n), "net.count");
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

static void add_number(GVariantBuilder *records, const json_t *object, const char *member, unsigned n,
                       const char *key)
{
        const json_t *value = json_object_get(object, member);

        if (json_is_integer(value) && json_integer_value(value) >= 0)
                add(records, g_variant_new_uint64((guint64)json_integer_value(value)), "block.%u.%s", n,
                    key);
}

static void add_block(GVariantBuilder *records, const DomainDisk *disk, unsigned n, const Answers *answers)
{
        static const struct {
                const char *member, *key;
        } counters[] = {
                { "rd_operations", "rd.reqs" },     { "rd_bytes", "rd.bytes" },
                { "rd_total_time_ns", "rd.times" }, { "wr_operations", "wr.reqs" },
                { "wr_bytes", "wr.bytes" },         { "wr_total_time_ns", "wr.times" },
                { "flush_operations", "fl.reqs" },  { "flush_total_time_ns", "fl.times" },
        };
        const char *path = disk->source.file ? disk->source.file : disk->source.dev;
        const json_t *stats, *image;

        add(records, g_variant_new_string(disk->target), "block.%u.name", n);
        if (path)
                add(records, g_variant_new_string(path), "block.%u.path", n);
        if (!disk->info.alias)
                return;
        stats = json_object_get(block_find(answers->stats, disk->info.alias), "stats");
        for (size_t i = 0; i < G_N_ELEMENTS(counters); i++)
                add_number(records, stats, counters[i].member, n, counters[i].key);
        image = json_object_get(json_object_get(block_find(answers->blocks, disk->info.alias), "inserted"),
                                "image");
        add_number(records, image, "actual-size", n, "allocation");
        add_number(records, image, "virtual-size", n, "capacity");
        add_number(records, image, "actual-size", n, "physical");
}

static void add_blocks(GVariantBuilder *records, const DomainDefinition *definition, const Answers *answers)
{
        unsigned n = 0;

        LIST_FOREACH (disk, definition->devices.disks)
                add_block(records, disk, n++, answers);
        add(records, g_variant_new_uint32(n), "block.count");
}

int qemu_domain_get_stats(Call *call, Domain *domain, uint32_t stats, uint32_t flags, GVariant **ret_records,
                          Error *error)
{
        _cleanup_(answers_clear) Answers answers = {};
        const DomainDefinition *definition;
        GVariantBuilder records;
        int r;

        r = error_check_flags(error, "GetStats", flags, 0);
        if (r >= 0 && stats & ~(uint32_t)STATS_KNOWN)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The QEMU driver has no statistics 0x%x (it has 0x%x)",
                              stats & ~(uint32_t)STATS_KNOWN, STATS_KNOWN);
        if (r < 0)
                return r;
        stats = stats ? stats : STATS_KNOWN;
        answers_get(domain, stats, MIN(call->deadline_usec, deadline_after_usec(STATS_TIMEOUT_USEC)),
                    &answers);
        definition = domain_current_definition(domain); /* it may have ended meanwhile */
        g_variant_builder_init(&records, G_VARIANT_TYPE_VARDICT);
        if (stats & STATS_STATE) {
                add(&records, g_variant_new_int32((gint32)domain->state), "state.state");
                add(&records, g_variant_new_int32(domain->reason), "state.reason");
        }
        if (stats & STATS_CPU_TOTAL && domain_is_active(domain))
                add_cpu(&records, domain);
        if (stats & STATS_BALLOON) {
                add(&records, g_variant_new_uint64(definition->current_memory_kib), "balloon.current");
                add(&records, g_variant_new_uint64(definition->memory_kib), "balloon.maximum");
        }
        if (stats & STATS_VCPU)
                add_vcpus(&records, domain, answers.cpus);
        if (stats & STATS_INTERFACE)
                add_interfaces(&records, definition);
        if (stats & STATS_BLOCK)
                add_blocks(&records, definition, &answers);
        *ret_records = g_variant_ref_sink(g_variant_builder_end(&records));
        return 0;
}
