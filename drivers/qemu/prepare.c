/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Everything that is decided before the command line is built. Nothing is opened here but, for a moment, the
 * ports that are tried. */

#include "drivers/qemu/prepare.h"
#include "core/uuid.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/folder.h"
#include "objects/network.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/vhost.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#define SPICE_PORT_FIRST 5900
#define SPICE_PORT_LAST  65535

static void set_default_arch(DomainDefinition *definition)
{
        struct utsname host;

        if (definition->os.arch || uname(&host) < 0)
                return;
        definition->os.arch = g_strdup(arch_from_qemu(host.machine));
}

char *prepare_emulator(const Driver *driver, const DomainDefinition *definition)
{
        if (definition->devices.emulator)
                return g_strdup(definition->devices.emulator);
        return capabilities_binary_for(qemu_driver(driver)->capabilities,
                                       definition->os.arch ? definition->os.arch : "x86_64");
}

int prepare_machine_type(DomainDefinition *definition, const QemuCapabilities *capabilities, Error *error)
{
        const char *wanted = definition->os.machine;
        const QemuMachine *machine = wanted ? capabilities_find_machine(capabilities, wanted)
                                            : capabilities_default_machine(capabilities);

        if (!machine)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "%s has no machine type '%s'",
                                 capabilities->binary, wanted ? wanted : "of its own choice");
        if (!wanted || strcmp(wanted, machine->name) != 0) {
                g_free(definition->os.machine);
                definition->os.machine = g_strdup(machine->name);
        }
        return 0;
}

/* NULL for an emulator that cannot be asked: the start says why. The caller drops the reference. */
static int find_capabilities(const Driver *driver, const char *emulator, uid_t owner,
                             QemuCapabilities **ret_capabilities, Error *error) AWAITS
{
        CapabilitiesCache *cache = qemu_driver(driver)->capabilities;
        QemuCapabilities *known = capabilities_get(cache, emulator, owner);
        _cleanup_(error_clear) Error problem = {};

        *ret_capabilities = known ? capabilities_ref(known) : NULL;
        if (known ||
            capabilities_wait(cache, emulator, owner, DEADLINE_NEVER, ret_capabilities, &problem) >= 0 ||
            problem.code != ERROR_CANCELLED)
                return 0;
        error_move(error, &problem);
        return -ECANCELED;
}

int prepare_definition(const Driver *driver, DomainDefinition *definition, uid_t owner, Error *error)
{
        _cleanup_(capabilities_unrefp) QemuCapabilities *capabilities = NULL;
        int r;

        if (definition->type != DOMAIN_TYPE_QEMU && definition->type != DOMAIN_TYPE_KVM)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The QEMU driver runs domains of type qemu and kvm, not %s",
                                 domain_type_to_string(definition->type));
        set_default_arch(definition);
        if (!definition->devices.emulator)
                definition->devices.emulator = prepare_emulator(driver, definition);
        if (!g_path_is_absolute(definition->devices.emulator))
                return error_set(error, ERROR_INVALID_XML, "The emulator's path is not absolute: %s",
                                 definition->devices.emulator);
        r = find_capabilities(driver, definition->devices.emulator, owner, &capabilities, error);
        if (r >= 0 && capabilities)
                r = prepare_machine_type(definition, capabilities, error);
        return r < 0 ? r : domain_definition_complete(definition, error);
}

/* A channel without a path gets a socket in the run folder, named by what the guest calls it. */
static int set_channel_paths(DomainDefinition *live, const char *folder, Error *error)
{
        LIST_FOREACH (channel, live->devices.channels) {
                const char *name = channel->name ? channel->name : channel->info.alias;

                if (channel->source.type != CHARDEV_TYPE_UNIX || channel->source.path)
                        continue;
                if (!name || strchr(name, '/') || name[0] == '.')
                        return error_set(error, ERROR_INVALID_XML,
                                         "A channel of the name '%s' needs a path for its socket",
                                         name ? name : "");
                channel->source.path = g_build_filename(folder, name, NULL);
                channel->source.mode = SOCKET_BIND;
        }
        return 0;
}

/* Nobody listens there now. QEMU says so if somebody does by the time it is started. */
static bool port_is_free(uint16_t port)
{
        const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
        _cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int yes = 1;

        return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) >= 0 &&
               bind(fd, (const struct sockaddr *)&address, sizeof address) >= 0 && listen(fd, 1) >= 0;
}

static bool port_is_given(const Domain *domain, int32_t port)
{
        const DomainDefinition *definition = domain->live ? domain->live : machine_of(domain)->pending;

        if (!definition)
                return false;
        LIST_FOREACH (graphics, definition->devices.graphics) {
                if (graphics->type == GRAPHICS_TYPE_SPICE && graphics->has_port && graphics->port == port)
                        return true;
        }
        return false;
}

static int choose_spice_port(const Driver *driver, DomainGraphics *graphics, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = object_table_list(driver->objects, OBJECT_DOMAIN);

        for (int32_t port = SPICE_PORT_FIRST; port <= SPICE_PORT_LAST; port++) {
                bool is_taken = false;

                for (unsigned i = 0; i < domains->len && !is_taken; i++)
                        is_taken = port_is_given(domains->pdata[i], port);
                if (is_taken || !port_is_free((uint16_t)port))
                        continue;
                graphics->has_port = true;
                graphics->port = port;
                return 0;
        }
        return error_set(error, ERROR_OPERATION_FAILED, "No port is free for SPICE");
}

static bool listens_on_port(const DomainGraphics *graphics)
{
        if (graphics->socket)
                return false;
        LIST_FOREACH (listen, graphics->listens) {
                if (listen->type == LISTEN_NONE || listen->type == LISTEN_SOCKET)
                        return false;
        }
        return true;
}

static int set_graphics(const Driver *driver, DomainGraphics *graphics, const char *folder, Error *error)
{
        LIST_FOREACH (listen, graphics->listens) {
                _cleanup_(freep) char *name = NULL;

                if (listen->type != LISTEN_SOCKET || listen->socket || graphics->socket)
                        continue;
                name = g_strdup_printf("%s.sock", graphics_type_to_string(graphics->type));
                listen->socket = g_build_filename(folder, FOLDER_OWN, name, NULL);
        }
        if (graphics->type != GRAPHICS_TYPE_SPICE || !listens_on_port(graphics) ||
            (graphics->has_port && graphics->port > 0) || (graphics->has_tls_port && graphics->tls_port > 0))
                return 0;
        return choose_spice_port(driver, graphics, error);
}

static int make_genid(DomainDefinition *live, Error *error)
{
        uint8_t bytes[16];
        char text[33];

        if (!live->has_genid || live->genid[0])
                return 0;
        if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
                return error_set_errno(error, errno, "Cannot make a generation id");
        bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version and variant of a random UUID */
        bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
        for (size_t i = 0; i < sizeof bytes; i++)
                g_snprintf(text + 2 * i, 3, "%02x", bytes[i]);
        (void)uuid_parse(text, live->genid); /* 32 digits are one */
        return 0;
}

/* The caller frees. NULL: there is no such interface, or it has no address. */
static char *interface_address(const char *name)
{
        struct ifaddrs *all, *found;
        char *address = NULL;

        if (getifaddrs(&all) < 0)
                return NULL;
        for (found = all; found && !address; found = found->ifa_next) {
                const struct sockaddr_in *in = (const struct sockaddr_in *)found->ifa_addr;
                char text[INET_ADDRSTRLEN];

                if (in && in->sin_family == AF_INET && strcmp(found->ifa_name, name) == 0)
                        address = g_strdup(inet_ntop(AF_INET, &in->sin_addr, text, sizeof text));
        }
        freeifaddrs(all);
        return address;
}

static char *network_address(const Driver *driver, const char *name, uid_t owner)
{
        const Network *network = (Network *)object_table_owned(driver->objects, OBJECT_NETWORK, name, owner);

        return network && network->is_active && network->bridge ? interface_address(network->bridge) : NULL;
}

int prepare_listens(const Driver *driver, DomainDefinition *live, uid_t owner, Error *error)
{
        LIST_FOREACH (graphics, live->devices.graphics) {
                LIST_FOREACH (listen, graphics->listens) {
                        if (listen->type != LISTEN_NETWORK)
                                continue;
                        g_free(listen->address);
                        listen->address = network_address(driver, listen->network, owner);
                        if (!listen->address)
                                return error_set(
                                        error, ERROR_OPERATION_FAILED,
                                        "<graphics> cannot listen on network '%s': it is not up, or has no "
                                        "address of its own",
                                        listen->network);
                }
        }
        return 0;
}

/* The first number that a guest can have, and how many are tried. */
#define CID_FIRST 3
#define CID_TRIES 4096
#define VSOCK     "/dev/vhost-vsock"

int prepare_vsock(DomainDefinition *live, Error *error)
{
        DomainVsock *vsock = live->devices.vsock;
        _cleanup_(closep) int fd = -EBADF;

        if (!vsock)
                return 0;
        fd = open(VSOCK, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "<vsock> needs vhost-vsock, which this host does not have: %s " VSOCK,
                                 g_strerror(errno));
        if (vsock->cid > 0 && vsock->cid_auto != YES)
                return 0;
        /* The kernel knows which are taken. QEMU asks for it again, and says so if it was taken meanwhile.
         */
        for (uint64_t cid = CID_FIRST; cid < CID_FIRST + CID_TRIES; cid++) {
                if (ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &cid) < 0)
                        continue;
                vsock->cid = (uint32_t)cid;
                return 0;
        }
        return error_set(error, ERROR_OPERATION_FAILED, "No number is free for <vsock>");
}

int prepare_live(const Driver *driver, DomainDefinition *live, const char *folder, Error *error)
{
        int r;

        domain_definition_assign_aliases(live);
        chain_number(live);
        r = set_channel_paths(live, folder, error);
        if (r >= 0)
                r = make_genid(live, error);
        if (r < 0)
                return r;
        LIST_FOREACH (graphics, live->devices.graphics) {
                r = set_graphics(driver, graphics, folder, error);
                if (r < 0)
                        return r;
        }
        return 0;
}
