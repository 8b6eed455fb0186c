/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How many processors the guest has and can get (-smp), and the threads that disks and controllers may use.
 */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"
#include <inttypes.h>

/* QEMU starts with the first processors there are; others would have to be plugged in one by one. */
static int check_list(const DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (vcpu, definition->vcpu_list) {
                bool is_first = vcpu->id < definition->current_vcpus;

                if ((vcpu->enabled == YES) != is_first)
                        return device_unsupported(
                                error,
                                "The QEMU driver enables the first vcpus: it cannot start with vcpu %u %s",
                                vcpu->id, is_first ? "missing" : "enabled");
        }
        return 0;
}

static void add_iothread(CommandLine *line, uint32_t id, const DomainIothread *iothread)
{
        _cleanup_(freep) char *name = g_strdup_printf("iothread%u", id);
        json_t *object = json_pack("{s:s, s:s}", "qom-type", "iothread", "id", name);

        if (iothread && iothread->has_pool_min)
                json_object_set_new(object, "thread-pool-min", json_integer(iothread->pool_min));
        if (iothread && iothread->has_pool_max)
                json_object_set_new(object, "thread-pool-max", json_integer(iothread->pool_max));
        command_add_json(line, "-object", object);
}

static const DomainIothread *find_iothread(const DomainDefinition *definition, uint32_t id)
{
        LIST_FOREACH (iothread, definition->iothread_list) {
                if (iothread->id == id)
                        return iothread;
        }
        return NULL;
}

/* Those with a number of their own, then as many more as were asked for, by the lowest free numbers. */
static void add_iothreads(CommandLine *line)
{
        const DomainDefinition *definition = line->definition;
        uint32_t missing = definition->iothreads > definition->iothread_list.count
                                   ? definition->iothreads - definition->iothread_list.count
                                   : 0;

        LIST_FOREACH (iothread, definition->iothread_list)
                add_iothread(line, iothread->id, iothread);
        for (uint32_t id = 1; missing > 0; id++) {
                if (find_iothread(definition, id))
                        continue;
                add_iothread(line, id, NULL);
                missing--;
        }
}

int command_vcpus(CommandLine *line, Error *error)
{
        const DomainDefinition *definition = line->definition;
        const CpuTopology *topology = definition->cpu ? definition->cpu->topology : NULL;
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        uint64_t product;
        int r;

        r = line->host.runs ? check_list(definition, error) : 0;
        if (r < 0)
                return r;
        g_string_append_printf(text, "%u", definition->current_vcpus);
        if (definition->vcpus > definition->current_vcpus)
                g_string_append_printf(text, ",maxcpus=%u", definition->vcpus);
        if (topology) {
                uint32_t dies = MAX(topology->dies, 1), clusters = MAX(topology->clusters, 1);

                product =
                        (uint64_t)topology->sockets * dies * clusters * topology->cores * topology->threads;
                if (product != definition->vcpus)
                        return error_set(error, ERROR_INVALID_XML,
                                         "<topology> makes %" PRIu64 " processors, <vcpu> says %u", product,
                                         definition->vcpus);
                g_string_append_printf(text, ",sockets=%u", topology->sockets);
                if (machine_is_x86(definition))
                        g_string_append_printf(text, ",dies=%u", dies);
                if (clusters > 1)
                        g_string_append_printf(text, ",clusters=%u", clusters);
                g_string_append_printf(text, ",cores=%u,threads=%u", topology->cores, topology->threads);
        } else
                g_string_append_printf(text, ",sockets=%u,cores=1,threads=1", definition->vcpus);
        command_add_option(line, "-smp", "%s", text->str);
        add_iothreads(line);
        return 0;
}
