/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The host is a state as well: eight processors that are idle, 3 GiB of memory of which the running machines
 * have theirs. What is said here and what the operations on machines check are the same numbers. */

#include "drivers/test/host.h"
#include "core/xml.h"
#include "drivers/cpu/compare.h"
#include "drivers/test/state.h"
#include "model/values.h"
#include <string.h>
#include <time.h>

#define ALL_TOGETHER (-1) /* VIR_NODE_CPU_STATS_ALL_CPUS, VIR_NODE_MEMORY_STATS_ALL_CELLS */
#define CORES        2    /* of each of the processor's sockets */

#define HOST_CPU_MODEL "qemu64"

/* What a definition may name; the 64-bit ones are for x86_64 only. */
static const struct {
        const char *name;
        bool is_64_bit;
} models[] = {
        { "486", false },    { "pentium", false }, { "pentium2", false }, { "pentium3", false },
        { "qemu32", false }, { "qemu64", true },   { "kvm64", true },
};

static const struct {
        const char *name, *wordsize;
} architectures[] = { { "i686", "32" }, { "x86_64", "64" } };

static void element(XmlWriter *writer, const char *name, const char *text)
{
        xml_writer_open(writer, name);
        xml_writer_text(writer, text);
        xml_writer_close(writer);
}

static void attribute_number(XmlWriter *writer, const char *name, unsigned number)
{
        char text[16];

        g_snprintf(text, sizeof text, "%u", number);
        xml_writer_attribute(writer, name, text);
}

static void write_topology(XmlWriter *writer)
{
        _cleanup_(freep) char *memory = g_strdup_printf("%llu", HOST_MEMORY_KIB);

        xml_writer_open(writer, "topology");
        xml_writer_open(writer, "cells");
        attribute_number(writer, "num", 1);
        xml_writer_open(writer, "cell");
        attribute_number(writer, "id", 0);
        xml_writer_open(writer, "memory");
        xml_writer_attribute(writer, "unit", "KiB");
        xml_writer_text(writer, memory);
        xml_writer_close(writer);
        xml_writer_open(writer, "cpus");
        attribute_number(writer, "num", HOST_CPUS);
        for (unsigned i = 0; i < HOST_CPUS; i++) {
                xml_writer_open(writer, "cpu");
                attribute_number(writer, "id", i);
                attribute_number(writer, "socket_id", i / CORES);
                attribute_number(writer, "core_id", i % CORES);
                xml_writer_close(writer);
        }
        xml_writer_close(writer);
        xml_writer_close(writer);
        xml_writer_close(writer);
        xml_writer_close(writer);
}

static void write_guest(XmlWriter *writer, const char *arch, const char *wordsize)
{
        xml_writer_open(writer, "guest");
        element(writer, "os_type", "hvm");
        xml_writer_open(writer, "arch");
        xml_writer_attribute(writer, "name", arch);
        element(writer, "wordsize", wordsize);
        xml_writer_open(writer, "domain");
        xml_writer_attribute(writer, "type", "test");
        xml_writer_close(writer);
        xml_writer_close(writer);
        xml_writer_close(writer);
}

int test_connect_get_capabilities(Call *call, char **ret_capabilities, Error *error)
{
        XmlWriter *writer = xml_writer_new();

        (void)call, (void)error;
        xml_writer_open(writer, "capabilities");
        xml_writer_open(writer, "host");
        xml_writer_open(writer, "cpu");
        element(writer, "arch", "i686");
        element(writer, "model", HOST_CPU_MODEL);
        xml_writer_close(writer);
        write_topology(writer);
        xml_writer_close(writer);
        for (size_t i = 0; i < G_N_ELEMENTS(architectures); i++)
                write_guest(writer, architectures[i].name, architectures[i].wordsize);
        xml_writer_close(writer);
        *ret_capabilities = xml_writer_finish(writer);
        return 0;
}

int test_connect_compare_cpu(Call *call, const char *xml, uint32_t flags, int32_t *ret_result, Error *error)
{
        const CpuProcessor processor = {
                .features = *cpu_model_features((unsigned)cpu_model_find(HOST_CPU_MODEL)),
        };
        _cleanup_(cpu_wish_clear) CpuWish wish = {};
        int r = cpu_wish_parse("CompareCPU", xml, flags, &wish, error);

        (void)call;
        return r < 0 ? r : cpu_wish_compare(&wish, &processor, ret_result, error);
}

int test_connect_get_cpu_model_names(Call *call, const char *arch, uint32_t flags, char ***ret_models,
                                     Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
        bool is_64_bit = strcmp(arch, "x86_64") == 0;
        int r = error_check_flags(error, "GetCPUModelNames", flags, 0);

        (void)call;
        if (r >= 0 && !is_64_bit && strcmp(arch, "i686") != 0)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "The Test driver's host runs i686 and x86_64, not '%s'", arch);
        if (r < 0)
                return r;
        for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
                if (is_64_bit || !models[i].is_64_bit)
                        g_ptr_array_add(names, g_strdup(models[i].name));
        g_ptr_array_add(names, NULL);
        *ret_models = (char **)g_ptr_array_free(TAKE_PTR(names), FALSE);
        return 0;
}

int test_connect_get_sysinfo(Call *call, uint32_t flags, char **ret_sysinfo, Error *error)
{
        XmlWriter *writer;
        int r = error_check_flags(error, "GetSysinfo", flags, 0);

        (void)call;
        if (r < 0)
                return r;
        writer = xml_writer_new();
        xml_writer_open(writer, "sysinfo");
        xml_writer_attribute(writer, "type", "smbios");
        xml_writer_open(writer, "system");
        for (int i = 0; i < 2; i++) {
                xml_writer_open(writer, "entry");
                xml_writer_attribute(writer, "name", i == 0 ? "manufacturer" : "product");
                xml_writer_text(writer, i == 0 ? "virtbus" : "Test");
                xml_writer_close(writer);
        }
        xml_writer_close(writer);
        xml_writer_close(writer);
        *ret_sysinfo = xml_writer_finish(writer);
        return 0;
}

int test_connect_node_get_cpu_map(Call *call, uint32_t flags, GVariant **ret_map, Error *error)
{
        GVariantBuilder map;
        int r = error_check_flags(error, "NodeGetCPUMap", flags, 0);

        (void)call;
        if (r < 0)
                return r;
        g_variant_builder_init(&map, G_VARIANT_TYPE("ab"));
        for (unsigned i = 0; i < HOST_CPUS; i++)
                g_variant_builder_add(&map, "b", TRUE);
        *ret_map = g_variant_ref_sink(g_variant_builder_end(&map));
        return 0;
}

/* They have been idle since the real host's start. */
int test_connect_node_get_cpu_stats(Call *call, int32_t cpu, uint32_t flags, GVariant **ret_stats,
                                    Error *error)
{
        static const char *const busy[] = { "user", "kernel", "iowait" };
        struct timespec now;
        GVariantBuilder stats;
        guint64 idle;
        int r = error_check_flags(error, "NodeGetCPUStats", flags, 0);

        (void)call;
        if (r >= 0 && (cpu < ALL_TOGETHER || cpu >= HOST_CPUS))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "The host has no online processor %d: -1 stands for all together", cpu);
        if (r < 0)
                return r;
        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* it is always there */
        idle = (guint64)now.tv_sec * 1000000000 + (guint64)now.tv_nsec;
        g_variant_builder_init(&stats, G_VARIANT_TYPE("a{st}"));
        for (size_t i = 0; i < G_N_ELEMENTS(busy); i++)
                g_variant_builder_add(&stats, "{st}", busy[i], G_GUINT64_CONSTANT(0));
        g_variant_builder_add(&stats, "{st}", "idle", cpu == ALL_TOGETHER ? idle * HOST_CPUS : idle);
        *ret_stats = g_variant_ref_sink(g_variant_builder_end(&stats));
        return 0;
}

static uint64_t free_kib(const Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = object_table_list(driver->objects, OBJECT_DOMAIN);
        uint64_t used = 0;

        for (unsigned i = 0; i < domains->len; i++) {
                const Domain *domain = domains->pdata[i];

                if (domain->live)
                        used += MIN(domain->live->current_memory_kib, HOST_MEMORY_KIB);
        }
        return HOST_MEMORY_KIB - MIN(used, HOST_MEMORY_KIB); /* machines in memory may have more than all */
}

int test_connect_node_get_free_memory(Call *call, uint64_t *ret_bytes, Error *error)
{
        (void)error;
        *ret_bytes = free_kib(call->driver) * 1024;
        return 0;
}

int test_connect_node_get_memory_stats(Call *call, int32_t cell, uint32_t flags, GVariant **ret_stats,
                                       Error *error)
{
        GVariantBuilder stats;
        int r = error_check_flags(error, "NodeGetMemoryStats", flags, 0);

        if (r >= 0 && (cell < ALL_TOGETHER || cell > 0))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "The host has no NUMA node %d: -1 stands for all", cell);
        if (r < 0)
                return r;
        g_variant_builder_init(&stats, G_VARIANT_TYPE("a{st}"));
        g_variant_builder_add(&stats, "{st}", "total", HOST_MEMORY_KIB);
        g_variant_builder_add(&stats, "{st}", "free", free_kib(call->driver));
        *ret_stats = g_variant_ref_sink(g_variant_builder_end(&stats));
        return 0;
}

int test_connect_node_get_security_model(Call *call, GVariant **ret_model, Error *error)
{
        (void)call, (void)error;
        *ret_model = g_variant_ref_sink(g_variant_new("(ss)", "", ""));
        return 0;
}

static int take_memory_parameter(void *target, const char *key, GVariant *value, Error *error)
{
        TestState *state = target;
        uint32_t *at = strcmp(key, "shm_pages_to_scan") == 0        ? &state->pages_to_scan
                       : strcmp(key, "shm_sleep_millisecs") == 0    ? &state->sleep_msec
                       : strcmp(key, "shm_merge_across_nodes") == 0 ? &state->merges_across_nodes
                                                                    : NULL;

        if (!at)
                return error_set(error, ERROR_INVALID_ARGUMENT, "There is no parameter '%s' that can be set",
                                 key);
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
                return error_set(error, ERROR_INVALID_ARGUMENT, "%s is of type u", key);
        if (at == &state->merges_across_nodes && g_variant_get_uint32(value) > 1)
                return error_set(error, ERROR_INVALID_ARGUMENT, "%s is 0 or 1", key);
        *at = g_variant_get_uint32(value);
        return 0;
}

int test_connect_node_set_memory_parameters(Call *call, GVariant *params, uint32_t flags, Error *error)
{
        TestState changed = *test_state(call->driver);
        int r = error_check_flags(error, "NodeSetMemoryParameters", flags, 0);

        if (r >= 0)
                r = values_take(params, take_memory_parameter, &changed, error);
        if (r >= 0)
                *test_state(call->driver) = changed; /* all or nothing */
        return r;
}

int test_connect_node_get_memory_parameters(Call *call, uint32_t flags, GVariant **ret_params, Error *error)
{
        const TestState *state = test_state(call->driver);
        const struct {
                const char *key;
                uint32_t value;
        } values[] = {
                { "shm_pages_to_scan", state->pages_to_scan },
                { "shm_sleep_millisecs", state->sleep_msec },
                { "shm_merge_across_nodes", state->merges_across_nodes },
        };
        GVariantBuilder params;
        int r = error_check_flags(error, "NodeGetMemoryParameters", flags, 0);

        if (r < 0)
                return r;
        g_variant_builder_init(&params, G_VARIANT_TYPE_VARDICT);
        for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
                g_variant_builder_add(&params, "{sv}", values[i].key, g_variant_new_uint32(values[i].value));
        *ret_params = g_variant_ref_sink(g_variant_builder_end(&params));
        return 0;
}
