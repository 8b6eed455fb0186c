/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Used by the start, by defining and by whoever wants to see a command line. */

#include "drivers/qemu/prepare.h"
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define PORT_FIRST 5900
#define PORT_LAST  65535
#define PORT_TRIES 1000

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

static int machine_check(const Prepared *prepared, bool runs, Error *error)
{
        const DomainDefinition *live = prepared->live;

        if (!live->os.machine || !capabilities_find_machine(prepared->capabilities, live->os.machine))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "%s has no machine type '%s'",
                                 prepared->binary, live->os.machine ? live->os.machine : "");
        if (runs && live->type == DOMAIN_TYPE_KVM && !prepared->capabilities->has_kvm)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "Domain '%s' is of type kvm, which this host cannot do: type qemu runs without KVM",
                        live->name);
        return 0;
}

/* The machine's own end of a channel, where the definition leaves the place to us. */
static void channels_place(DomainDefinition *live, const char *folder)
{
        LIST_FOREACH (channel, live->devices.channels) {
                ChardevSource *source = &channel->source;

                if (source->type != CHARDEV_TYPE_UNIX || source->path || source->mode == SOCKET_CONNECT)
                        continue;
                source->mode = SOCKET_BIND;
                source->path = g_strdup_printf("%s/%s.sock", folder, channel->info.alias);
        }
}

/* Is it free now? Who takes it before QEMU does makes the start fail. */
static bool port_is_free(uint16_t port)
{
        const struct sockaddr_in address = { .sin_family = AF_INET,
                                             .sin_port = htons(port),
                                             .sin_addr.s_addr = htonl(INADDR_ANY) };
        _cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int yes = 1;

        return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) >= 0 &&
               bind(fd, (const struct sockaddr *)&address, sizeof address) >= 0;
}

/* SPICE cannot choose a port by itself. */
static int spice_ports_choose(DomainDefinition *live, Error *error)
{
        static uint16_t last = PORT_LAST; /* machines that start at once do not get the same */

        LIST_FOREACH (graphics, live->devices.graphics) {
                unsigned tries = 0;

                if (graphics->type != GRAPHICS_TYPE_SPICE || graphics->port > 0 || graphics->tls_port > 0)
                        continue;
                do {
                        last = last >= PORT_LAST ? PORT_FIRST : last + 1;
                } while (!port_is_free(last) && ++tries < PORT_TRIES);
                if (tries == PORT_TRIES)
                        return error_set(error, ERROR_OPERATION_FAILED, "There is no free port for SPICE");
                graphics->has_port = true;
                graphics->port = last;
        }
        return 0;
}

static int prepare(const Driver *driver, const DomainDefinition *definition, uid_t owner, const char *folder,
                   bool passes_files, bool runs, uint64_t deadline_usec, Prepared *ret_prepared,
                   Error *error) AWAITS
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
        r = machine_check(&prepared, runs, error);
        if (r >= 0 && runs)
                r = spice_ports_choose(prepared.live, error);
        if (r < 0)
                return r;
        domain_definition_assign_aliases(prepared.live);
        channels_place(prepared.live, folder);
        prepared.line = command_line_new(prepared.live, &(CommandHost){
                                                                .binary = prepared.binary,
                                                                .folder = folder,
                                                                .passes_files = passes_files,
                                                                .runs = runs,
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

int prepare_start(const Driver *driver, const DomainDefinition *definition, uid_t owner, const char *folder,
                  bool passes_files, uint64_t deadline_usec, Prepared *ret_prepared, Error *error)
{
        return prepare(driver, definition, owner, folder, passes_files, true, deadline_usec, ret_prepared,
                       error);
}

int prepare_show(const Driver *driver, const DomainDefinition *definition, uid_t owner, const char *folder,
                 uint64_t deadline_usec, Prepared *ret_prepared, Error *error)
{
        return prepare(driver, definition, owner, folder, false, false, deadline_usec, ret_prepared, error);
}
