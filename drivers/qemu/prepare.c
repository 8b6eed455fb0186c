/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Used by the start, by defining and by whoever wants to see a command line. */

#include "drivers/qemu/prepare.h"
#include <string.h>
#include <time.h>

char *prepare_binary(const Driver *driver, const DomainDefinition *definition)
{
        if (definition->devices.emulator)
                return g_strdup(definition->devices.emulator);
        return capabilities_binary_for(qemu_driver(driver)->cache,
                                       definition->os.arch ? definition->os.arch : "x86_64");
}

/* "pc" -> "pc-i440fx-7.2": what is stored stays the same machine when QEMU is upgraded. */
static void machine_name_complete(DomainDefinition *definition, const QemuCapabilities *capabilities)
{
        const QemuMachine *machine =
                definition->os.machine ? capabilities_find_machine(capabilities, definition->os.machine)
                                       : capabilities_default_machine(capabilities);

        if (!machine)
                return;
        g_free(definition->os.machine);
        definition->os.machine = g_strdup(machine->name);
}

int prepare_definition(const Driver *driver, DomainDefinition *definition, uid_t owner, Error *error)
{
        _cleanup_(freep) char *binary = prepare_binary(driver, definition);
        const QemuCapabilities *capabilities = capabilities_get(qemu_driver(driver)->cache, binary, owner);

        if (definition->type != DOMAIN_TYPE_QEMU && definition->type != DOMAIN_TYPE_KVM)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The QEMU driver runs domains of type qemu and kvm, not %s",
                                 domain_type_to_string(definition->type));
        if (capabilities)
                machine_name_complete(definition, capabilities);
        if (!definition->os.machine)
                definition->os.machine =
                        g_strdup("pc"); /* QEMU's own default; its full name is found at the start */
        if (!definition->devices.emulator)
                definition->devices.emulator = TAKE_PTR(binary);
        return domain_definition_complete(definition, error);
}

void prepared_clear(Prepared *prepared)
{
        domain_definition_free(prepared->live);
        capabilities_unref(prepared->capabilities);
        command_line_free(prepared->line);
        g_free(prepared->binary);
        *prepared = (Prepared){};
}

static int machine_check(const Prepared *prepared, Error *error)
{
        const DomainDefinition *live = prepared->live;

        if (!live->os.machine || !capabilities_find_machine(prepared->capabilities, live->os.machine))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "%s has no machine type '%s'",
                                 prepared->binary, live->os.machine ? live->os.machine : "");
        if (live->type == DOMAIN_TYPE_KVM && !prepared->capabilities->has_kvm)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "Domain '%s' is of type kvm, which this host cannot do: type qemu runs without KVM",
                        live->name);
        return 0;
}

int prepare_start(const Driver *driver, const DomainDefinition *definition, uid_t owner, const char *folder,
                  bool passes_files, uint64_t deadline_usec, Prepared *ret_prepared, Error *error)
{
        _cleanup_(prepared_clear) Prepared prepared = {};
        CapabilitiesCache *cache = qemu_driver(driver)->cache;
        int r;

        prepared.live = domain_definition_copy(definition);
        prepared.binary = prepare_binary(driver, definition);
        r = capabilities_wait(cache, prepared.binary, owner, deadline_usec, &prepared.capabilities, error);
        if (r < 0)
                return r;
        machine_name_complete(prepared.live, prepared.capabilities);
        r = machine_check(&prepared, error);
        if (r < 0)
                return r;
        domain_definition_assign_aliases(prepared.live);
        prepared.line =
                command_line_new(prepared.live, &(CommandHost){
                                                        .binary = prepared.binary,
                                                        .folder = folder,
                                                        .passes_files = passes_files,
                                                        .can_use_kvm = prepared.capabilities->has_kvm,
                                                        .cpu_vendor = capabilities_cpu_vendor(cache),
                                                        .version = prepared.capabilities->version,
                                                        .now_sec = time(NULL),
                                                });
        r = command_build(prepared.line, error);
        if (r < 0)
                return r;
        *ret_prepared = prepared;
        prepared = (Prepared){};
        return 0;
}
