/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The host, from /proc and /sys, which answer from the kernel's memory. Everything is read when it is asked
 * for. */

#include "drivers/qemu/host.h"
#include "core/uuid.h"
#include "core/xml.h"
#include "drivers/cpu/definition.h"
#include "model/cpuset.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define ALL_TOGETHER (-1) /* VIR_NODE_CPU_STATS_ALL_CPUS, VIR_NODE_MEMORY_STATS_ALL_CELLS */

static int file_read(const char *path, char **ret_text, Error *error)
{
        GError *failure = NULL;

        if (!g_file_get_contents(path, ret_text, NULL, &failure)) {
                int r = error_set(error, ERROR_OPERATION_FAILED, "%s", failure->message);

                g_error_free(failure);
                return r;
        }
        g_strchomp(*ret_text);
        return 0;
}

/* "0-3" of a file of /sys, canonical. */
static int cpus_read(const char *name, char **ret_set, Error *error)
{
        _cleanup_(freep) char *path = g_build_filename("/sys/devices/system/cpu", name, NULL), *text = NULL;
        int r = file_read(path, &text, error);

        if (r < 0)
                return r;
        *ret_set = cpuset_canonical(text);
        return *ret_set ? 0 : error_set(error, ERROR_OPERATION_FAILED, "%s has no processors", path);
}

/* One more than the highest number in a canonical set. */
static unsigned cpus_end(const char *set)
{
        const char *last = strrchr(set, ',');

        last = last ? last + 1 : set;
        if (strchr(last, '-'))
                last = strchr(last, '-') + 1;
        return *last ? (unsigned)atoi(last) + 1 : 0;
}

int qemu_connect_node_get_cpu_map(Call *call, uint32_t flags, GVariant **ret_map, Error *error)
{
        _cleanup_(freep) char *present = NULL, *online = NULL;
        GVariantBuilder map;
        int r;

        (void)call; /* the same for everybody */
        r = error_check_flags(error, "NodeGetCPUMap", flags, 0);
        if (r >= 0)
                r = cpus_read("present", &present, error);
        if (r >= 0)
                r = cpus_read("online", &online, error);
        if (r < 0)
                return r;
        g_variant_builder_init(&map, G_VARIANT_TYPE("ab"));
        for (unsigned i = 0; i < cpus_end(present); i++)
                g_variant_builder_add(&map, "b", cpuset_has(online, i));
        *ret_map = g_variant_ref_sink(g_variant_builder_end(&map));
        return 0;
}

/* The columns of /proc/stat, in its unit. */
typedef struct CpuTimes {
        unsigned long long user, nice, system, idle, iowait, irq, softirq;
} CpuTimes;

static bool times_find(const char *text, const char *name, CpuTimes *ret_times)
{
        size_t size = strlen(name);

        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, name, size) == 0 && line[size] == ' ')
                        return sscanf(line + size, "%llu %llu %llu %llu %llu %llu %llu", &ret_times->user,
                                      &ret_times->nice, &ret_times->system, &ret_times->idle,
                                      &ret_times->iowait, &ret_times->irq, &ret_times->softirq) == 7;
        }
        return false;
}

int qemu_connect_node_get_cpu_stats(Call *call, int32_t cpu, uint32_t flags, GVariant **ret_stats,
                                    Error *error)
{
        _cleanup_(freep) char *text = NULL;
        char name[16] = "cpu";
        GVariantBuilder stats;
        CpuTimes times;
        guint64 tick;
        int r;

        (void)call;
        r = error_check_flags(error, "NodeGetCPUStats", flags, 0);
        if (r >= 0)
                r = file_read("/proc/stat", &text, error);
        if (r < 0)
                return r;
        if (cpu >= 0)
                g_snprintf(name, sizeof name, "cpu%d", cpu);
        if (cpu < ALL_TOGETHER || !times_find(text, name, &times))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The host has no online processor %d: -1 stands for all together", cpu);
        tick = UINT64_C(1000000000) / (guint64)sysconf(_SC_CLK_TCK);
        g_variant_builder_init(&stats, G_VARIANT_TYPE("a{st}"));
        g_variant_builder_add(&stats, "{st}", "user", (times.user + times.nice) * tick);
        g_variant_builder_add(&stats, "{st}", "kernel", (times.system + times.irq + times.softirq) * tick);
        g_variant_builder_add(&stats, "{st}", "idle", times.idle * tick);
        g_variant_builder_add(&stats, "{st}", "iowait", times.iowait * tick);
        *ret_stats = g_variant_ref_sink(g_variant_builder_end(&stats));
        return 0;
}

/* "MemFree:  123 kB", anywhere in a line: NUMA nodes' files put the node's number before it. */
static bool memory_find(const char *text, const char *name, guint64 *ret_kib)
{
        _cleanup_(freep) char *key = g_strconcat(name, ":", NULL);

        for (const char *at = strstr(text, key); at; at = strstr(at + 1, key)) {
                if (at != text && at[-1] != '\n' && at[-1] != ' ')
                        continue;
                *ret_kib = g_ascii_strtoull(at + strlen(key), NULL, 10);
                return true;
        }
        return false;
}

int qemu_connect_node_get_memory_stats(Call *call, int32_t cell, uint32_t flags, GVariant **ret_stats,
                                       Error *error)
{
        static const struct {
                const char *name, *key;
        } values[] = { { "total", "MemTotal" },
                       { "free", "MemFree" },
                       { "buffers", "Buffers" },
                       { "cached", "Cached" } };
        _cleanup_(freep) char *path = NULL, *text = NULL;
        GVariantBuilder stats;
        int r;

        (void)call;
        r = error_check_flags(error, "NodeGetMemoryStats", flags, 0);
        if (r >= 0 && cell < ALL_TOGETHER)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "The host has no NUMA node %d: -1 stands for all", cell);
        if (r < 0)
                return r;
        path = cell >= 0 ? g_strdup_printf("/sys/devices/system/node/node%d/meminfo", cell)
                         : g_strdup("/proc/meminfo");
        if (cell >= 0 && access(path, F_OK) < 0)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The host has no NUMA node %d: -1 stands for all", cell);
        r = file_read(path, &text, error);
        if (r < 0)
                return r;
        g_variant_builder_init(&stats, G_VARIANT_TYPE("a{st}"));
        for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
                guint64 kib;

                if (memory_find(text, values[i].key, &kib))
                        g_variant_builder_add(&stats, "{st}", values[i].name, kib);
        }
        *ret_stats = g_variant_ref_sink(g_variant_builder_end(&stats));
        return 0;
}

int qemu_connect_node_get_free_memory(Call *call, uint64_t *ret_bytes, Error *error)
{
        _cleanup_(freep) char *text = NULL;
        guint64 kib;
        int r = file_read("/proc/meminfo", &text, error);

        (void)call;
        if (r < 0)
                return r;
        if (!memory_find(text, "MemFree", &kib))
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "/proc/meminfo does not tell the free memory");
        *ret_bytes = kib * 1024;
        return 0;
}

int qemu_connect_node_get_security_model(Call *call, GVariant **ret_model, Error *error)
{
        (void)call;
        (void)error;
        /* Machines are separated by their users' rights alone. */
        *ret_model = g_variant_ref_sink(g_variant_new("(ss)", "", ""));
        return 0;
}

int qemu_connect_get_cpu_model_names(Call *call, const char *arch, uint32_t flags, char ***ret_models,
                                     Error *error)
{
        _cleanup_(capabilities_unrefp) QemuCapabilities *capabilities = NULL;
        CapabilitiesCache *cache = qemu_driver(call->driver)->capabilities;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(freep) char *binary = NULL;
        int r;

        r = error_check_flags(error, "GetCPUModelNames", flags, 0);
        if (r < 0)
                return r;
        binary = capabilities_binary_for(cache, arch);
        r = capabilities_wait(cache, binary, 0, call->deadline_usec, &capabilities, error);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < capabilities->tcg_cpus->len; i++)
                g_ptr_array_add(names, g_strdup(((QemuCpuModel *)capabilities->tcg_cpus->pdata[i])->name));
        g_ptr_array_add(names, NULL);
        *ret_models = (char **)g_ptr_array_free(TAKE_PTR(names), FALSE);
        return 0;
}

static void element(XmlWriter *writer, const char *name, const char *text)
{
        xml_writer_open(writer, name);
        if (text)
                xml_writer_text(writer, text);
        xml_writer_close(writer);
}

static void element_attribute(XmlWriter *writer, const char *name, const char *attribute, const char *value)
{
        xml_writer_open(writer, name);
        xml_writer_attribute(writer, attribute, value);
        xml_writer_close(writer);
}

static void write_memory(XmlWriter *writer)
{
        _cleanup_(freep) char *text = NULL;
        guint64 kib = 0;
        char number[24];

        if (file_read("/proc/meminfo", &text, NULL) < 0 || !memory_find(text, "MemTotal", &kib))
                return;
        g_snprintf(number, sizeof number, "%" G_GUINT64_FORMAT, kib);
        xml_writer_open(writer, "memory");
        xml_writer_attribute(writer, "unit", "KiB");
        xml_writer_text(writer, number);
        xml_writer_close(writer);
}

/* The host's processor as a model with what it has besides. */
static void write_processor(XmlWriter *writer)
{
        _cleanup_(cpu_definition_freep) DomainCpu *cpu = NULL;
        CpuProcessor processor;
        const CpuChoice choice = { .processor = &processor, .is_host = true };

        if (cpu_processor_read(&processor) && cpu_choose(&choice, &cpu, NULL) >= 0)
                struct_format(&domain_cpu_type, cpu, NULL, writer, 0);
}

/* One cell with all processors: NUMA is not looked at yet, and a guest is not told of it. */
static void write_host(XmlWriter *writer)
{
        _cleanup_(freep) char *uuid = NULL;
        struct utsname names;

        xml_writer_open(writer, "host");
        if (file_read("/sys/class/dmi/id/product_uuid", &uuid, NULL) >= 0) {
                char canonical[UUID_STRING_MAX];

                if (uuid_parse(uuid, canonical))
                        element(writer, "uuid", canonical);
        }
        xml_writer_open(writer, "cpu");
        if (uname(&names) == 0)
                element(writer, "arch", names.machine);
        write_processor(writer);
        xml_writer_close(writer);
        xml_writer_open(writer, "topology");
        element_attribute(writer, "cells", "num", "1");
        xml_writer_close(writer);
        write_memory(writer);
        xml_writer_close(writer);
}

static void write_machines(XmlWriter *writer, const QemuCapabilities *capabilities)
{
        for (unsigned i = 0; i < capabilities->machines->len; i++) {
                const QemuMachine *machine = capabilities->machines->pdata[i];
                char number[16];

                g_snprintf(number, sizeof number, "%u", machine->vcpus_max);
                xml_writer_open(writer, "machine");
                xml_writer_attribute(writer, "maxCpus", number);
                if (machine->is_deprecated)
                        xml_writer_attribute(writer, "deprecated", "yes");
                xml_writer_text(writer, machine->name);
                xml_writer_close(writer);
                if (!machine->alias)
                        continue;
                xml_writer_open(writer, "machine");
                xml_writer_attribute(writer, "canonical", machine->name);
                xml_writer_attribute(writer, "maxCpus", number);
                xml_writer_text(writer, machine->alias);
                xml_writer_close(writer);
        }
}

static void write_guest(QemuCapabilities *capabilities, void *data)
{
        XmlWriter *writer = data;

        xml_writer_open(writer, "guest");
        element(writer, "os_type", "hvm");
        xml_writer_open(writer, "arch");
        xml_writer_attribute(writer, "name", capabilities->arch);
        element(writer, "wordsize", strstr(capabilities->arch, "64") ? "64" : "32");
        element(writer, "emulator", capabilities->binary);
        write_machines(writer, capabilities);
        element_attribute(writer, "domain", "type", "qemu");
        if (capabilities->has_kvm)
                element_attribute(writer, "domain", "type", "kvm");
        xml_writer_close(writer);
        xml_writer_open(writer, "features");
        xml_writer_open(writer, "acpi");
        xml_writer_attribute(writer, "default", "on");
        xml_writer_attribute(writer, "toggle", "yes");
        xml_writer_close(writer);
        element(writer, "cpuselection", NULL);
        element(writer, "deviceboot", NULL);
        xml_writer_close(writer);
        xml_writer_close(writer);
}

int qemu_connect_get_capabilities(Call *call, char **ret_capabilities, Error *error)
{
        const QemuDriver *qemu = qemu_driver(call->driver);
        XmlWriter *writer = xml_writer_new();

        (void)error; /* from memory: what is not known yet is not in it */
        xml_writer_open(writer, "capabilities");
        write_host(writer);
        capabilities_foreach(qemu->capabilities, write_guest, writer);
        xml_writer_close(writer);
        *ret_capabilities = xml_writer_finish(writer);
        return 0;
}
