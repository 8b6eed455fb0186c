/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <interface>: the card that the guest sees and, before it, what it is plugged into on the host. */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/memory-backend.h"
#include <inttypes.h>
#include <string.h>

#define QUEUES_MAX 256u /* of a tap, in the kernel */

static void set_socket(json_t *netdev, const DomainInterface *interface, const char *key)
{
        _cleanup_(freep) char *address = g_strdup_printf(
                "%s:%u", interface->source_address ? interface->source_address : "", interface->source_port);

        json_set_string(netdev, "type", "socket");
        json_set_string(netdev, key, address);
        if (interface->local_address) {
                _cleanup_(freep) char *local =
                        g_strdup_printf("%s:%u", interface->local_address, interface->local_port);

                json_set_string(netdev, "localaddr", local);
        }
}

static bool has_taps(const DomainInterface *interface)
{
        return (interface->type == INTERFACE_TYPE_NETWORK && !interface_function(interface)) ||
               interface->type == INTERFACE_TYPE_BRIDGE || interface->type == INTERFACE_TYPE_DIRECT ||
               interface->type == INTERFACE_TYPE_ETHERNET;
}

static unsigned queues_of(const DomainInterface *interface)
{
        return MAX(interface->queues, 1);
}

static unsigned index_of(const DomainDefinition *definition, const DomainInterface *interface)
{
        unsigned index = 0;

        while (definition->devices.interfaces.items[index] != interface)
                index++;
        return index;
}

static void set_taps(CommandLine *line, json_t *netdev, const DomainInterface *interface, bool has_header)
{
        unsigned n_queues = queues_of(interface),
                 fd = command_taps(line, index_of(line->definition, interface), n_queues, has_header);
        _cleanup_(string_builder_freep) GString *fds = g_string_new(NULL);

        for (unsigned i = 0; i < n_queues; i++) {
                _cleanup_(freep) char *name = command_fd(line, fd + i);

                g_string_append_printf(fds, "%s%s", i > 0 ? ":" : "", name);
        }
        json_set_string(netdev, "type", "tap");
        json_set_string(netdev, n_queues > 1 ? "fds" : "fd", fds->str);
        if (interface->has_sndbuf)
                json_object_set_new(netdev, "sndbuf", json_integer((json_int_t)interface->sndbuf));
}

/* A switch of the host reads the guest's memory itself. */
static int set_vhost_user(CommandLine *line, json_t *netdev, const DomainInterface *interface, Error *error)
{
        _cleanup_(freep) char *id = g_strdup_printf("char%s", interface->info.alias), *path = NULL;
        bool listens = g_strcmp0(interface->source_unix_mode, "server") == 0;

        if (line->host.runs && !memory_is_shared(line->definition))
                return error_set(error, ERROR_INVALID_XML,
                                 "An interface of type 'vhostuser' needs memory that can be shared: "
                                 "<memoryBacking> with <access mode='shared'/>");
        path = command_escape(interface->source_path);
        if (interface->source_reconnect_enabled == YES)
                command_add_option(line, "-chardev", "socket,id=%s,path=%s,reconnect=%u", id, path,
                                   interface->source_reconnect_timeout);
        else
                command_add_option(line, "-chardev", "socket,id=%s,path=%s%s", id, path,
                                   listens ? ",server=on" : "");
        json_set_string(netdev, "type", "vhost-user");
        json_set_string(netdev, "chardev", id);
        json_set_number(netdev, "queues", interface->queues);
        return 0;
}

static void set_vdpa(CommandLine *line, json_t *netdev, const DomainInterface *interface)
{
        _cleanup_(freep) char *path = command_device_file(line, interface->source_dev);

        json_set_string(netdev, "type", "vhost-vdpa");
        json_set_string(netdev, "vhostdev", path);
        json_set_number(netdev, "queues", interface->queues > 1 ? interface->queues : 0);
}

static int add_netdev(CommandLine *line, const DomainInterface *interface, const char *id, bool is_virtio,
                      Error *error)
{
        _cleanup_(json_decrefp) json_t *netdev = json_object();
        int r = 0;

        switch (interface->type) {
        case INTERFACE_TYPE_USER:
                r = command_user_network(line, netdev, interface, index_of(line->definition, interface),
                                         error);
                break;
        case INTERFACE_TYPE_SERVER:
                set_socket(netdev, interface, "listen");
                break;
        case INTERFACE_TYPE_CLIENT:
                set_socket(netdev, interface, "connect");
                break;
        case INTERFACE_TYPE_MCAST:
                set_socket(netdev, interface, "mcast");
                break;
        case INTERFACE_TYPE_UDP:
                set_socket(netdev, interface, "udp");
                break;
        case INTERFACE_TYPE_VHOSTUSER:
                r = set_vhost_user(line, netdev, interface, error);
                break;
        case INTERFACE_TYPE_VDPA:
                set_vdpa(line, netdev, interface);
                break;
        case INTERFACE_TYPE_NETWORK:
        case INTERFACE_TYPE_BRIDGE:
        case INTERFACE_TYPE_DIRECT:
        case INTERFACE_TYPE_ETHERNET:
                if (line->host.runs) {
                        set_taps(line, netdev, interface, is_virtio);
                        break;
                }
                /* fall through */
        default:
                if (line->host.runs)
                        return device_unsupported(error, "The QEMU driver has no interfaces of type '%s'",
                                                  interface_type_to_string(interface->type));
                /* What the daemon would plug into the host; by hand, QEMU's own script does that. */
                json_set_string(netdev, "type", "tap");
                json_set_string(netdev, "ifname", interface->target);
                break;
        }
        if (r < 0)
                return r;
        json_set_string(netdev, "id", id);
        command_add_json(line, "-netdev", TAKE_PTR(netdev));
        return 0;
}

static void set_host_offloads(json_t *device, const InterfaceOffloads *offloads)
{
        json_set_on_off(device, "csum", offloads->csum);
        json_set_on_off(device, "gso", offloads->gso);
        json_set_on_off(device, "host_tso4", offloads->tso4);
        json_set_on_off(device, "host_tso6", offloads->tso6);
        json_set_on_off(device, "host_ecn", offloads->ecn);
        json_set_on_off(device, "host_ufo", offloads->ufo);
        json_set_on_off(device, "mrg_rxbuf", offloads->mrg_rxbuf);
}

static void set_guest_offloads(json_t *device, const InterfaceOffloads *offloads)
{
        json_set_on_off(device, "guest_csum", offloads->csum);
        json_set_on_off(device, "guest_tso4", offloads->tso4);
        json_set_on_off(device, "guest_tso6", offloads->tso6);
        json_set_on_off(device, "guest_ecn", offloads->ecn);
        json_set_on_off(device, "guest_ufo", offloads->ufo);
}

static void set_virtio_net(json_t *device, const DomainInterface *interface)
{
        device_set_virtio(device, &interface->virtio);
        if (interface->txmode != INTERFACE_TXMODE_DEFAULT)
                json_set_string(device, "tx", interface->txmode == INTERFACE_TXMODE_TIMER ? "timer" : "bh");
        json_set_on_off(device, "ioeventfd", interface->ioeventfd);
        json_set_on_off(device, "event_idx", interface->event_idx);
        json_set_on_off(device, "rss", interface->rss);
        json_set_on_off(device, "hash", interface->rss_hash_report);
        json_set_number(device, "rx_queue_size", interface->rx_queue_size);
        json_set_number(device, "tx_queue_size", interface->tx_queue_size);
        json_set_number(device, "host_mtu", interface->mtu);
        if (interface->host_offloads)
                set_host_offloads(device, interface->host_offloads);
        if (interface->guest_offloads)
                set_guest_offloads(device, interface->guest_offloads);
}

/* The driver for a <model type>; the caller frees. */
static char *device_driver(const DomainInterface *interface)
{
        const char *model = interface->model ? interface->model : "rtl8139";

        if (strcmp(model, "virtio") == 0)
                return device_virtio_driver("virtio-net", &interface->info, VIRTIO_MODEL_VIRTIO);
        if (strcmp(model, "virtio-transitional") == 0)
                return device_virtio_driver("virtio-net", &interface->info, VIRTIO_MODEL_TRANSITIONAL);
        if (strcmp(model, "virtio-non-transitional") == 0)
                return device_virtio_driver("virtio-net", &interface->info, VIRTIO_MODEL_NON_TRANSITIONAL);
        return g_strdup(model);
}

static bool has_queues(const DomainInterface *interface)
{
        return has_taps(interface) || interface->type == INTERFACE_TYPE_VHOSTUSER ||
               interface->type == INTERFACE_TYPE_VDPA;
}

int interface_bandwidth_check(const DomainInterface *interface, Error *error)
{
        if (interface->bandwidth && (!has_taps(interface) || interface->target_managed == NO))
                return device_unsupported(error,
                                          "An interface of type '%s' has no device on the host whose "
                                          "bandwidth is the daemon's to limit",
                                          interface_type_to_string(interface->type));
        return 0;
}

/* What only a tap could do is refused rather than forgotten. */
static int check(const CommandLine *line, const DomainInterface *interface, Error *error)
{
        int r;

        if (!line->host.runs)
                return 0;
        r = interface_bandwidth_check(interface, error);
        if (r < 0)
                return r;
        if (interface->vlan && interface->type != INTERFACE_TYPE_NETWORK &&
            interface->type != INTERFACE_TYPE_BRIDGE)
                return device_unsupported(
                        error, "An interface of type '%s' is not on a bridge: it can have no <vlan>",
                        interface_type_to_string(interface->type));
        if (interface->virtualport)
                return device_unsupported(error,
                                          "The QEMU driver sets no <virtualport> on the ports of bridges");
        if (interface->filter && !has_taps(interface))
                return device_unsupported(error, "An interface of type '%s' cannot have a <filterref>",
                                          interface_type_to_string(interface->type));
        if (interface->queues > (has_queues(interface) ? QUEUES_MAX : 1))
                return device_unsupported(error, "An interface of type '%s' has at most %u queues",
                                          interface_type_to_string(interface->type),
                                          has_queues(interface) ? QUEUES_MAX : 1);
        if (has_taps(interface) && (interface->script || interface->downscript || interface->backend_tap ||
                                    interface->backend_vhost || interface->coalesce))
                return device_unsupported(error,
                                          "The QEMU driver has no scripts, backends and coalescing of taps");
        if (has_taps(interface) && interface->driver_name == INTERFACE_DRIVER_VHOST)
                return device_unsupported(error, "The QEMU driver has no interfaces with driver vhost");
        if (interface->teaming != TEAMING_ABSENT)
                return device_unsupported(error, "The QEMU driver has no teams of interfaces");
        return 0;
}

/* What the card does for a virtual function is an address and a VLAN, and no more. */
static int check_function(const DomainInterface *interface, Error *error)
{
        const Vlan *vlan = interface->vlan;
        const char *what = interface->bandwidth              ? "<bandwidth>"
                           : interface->virtualport          ? "<virtualport>"
                           : interface->filter               ? "<filterref>"
                           : interface->target               ? "<target dev='...'>"
                           : interface->link == LINK_DOWN    ? "<link state='down'>"
                           : interface->mtu > 0              ? "<mtu>"
                           : interface->coalesce             ? "<coalesce>"
                           : interface->port_isolated == YES ? "<port isolated='yes'>"
                                                             : NULL;

        if (what)
                return device_unsupported(error,
                                          "Interface %s is a virtual function of a card: it can have no %s",
                                          interface->mac, what);
        if (interface->teaming != TEAMING_ABSENT)
                return device_unsupported(error, "The QEMU driver has no teams of interfaces");
        if (interface->type == INTERFACE_TYPE_HOSTDEV &&
            interface->driver_name != INTERFACE_DRIVER_DEFAULT &&
            interface->driver_name != INTERFACE_DRIVER_VFIO)
                return device_unsupported(error, "Interface %s: the driver '%s' does not exist, 'vfio' does",
                                          interface->mac,
                                          interface_driver_to_string(interface->driver_name));
        if (vlan && (vlan->trunk == YES || vlan->tags.count != 1 ||
                     vlan->tags.items[0]->native_mode != VLAN_NATIVE_DEFAULT))
                return device_unsupported(error,
                                          "Interface %s is a virtual function of a card: it can be in one "
                                          "VLAN, and has no trunk",
                                          interface->mac);
        return 0;
}

/* The guest sees nothing of the host but that. */
static int add_function(CommandLine *line, const DomainInterface *interface, Error *error)
{
        _cleanup_(freep) char *address = device_address_to_string(interface->source_device);
        _cleanup_(json_decrefp) json_t *device = device_new("vfio-pci", &interface->info);
        int r = line->host.runs ? check_function(interface, error) : 0;

        if (r < 0)
                return r;
        json_set_string(device, "host", address);
        r = device_set_info(line, device, &interface->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

int command_interface(CommandLine *line, const DomainInterface *interface, Error *error)
{
        _cleanup_(freep) char *id = g_strdup_printf("host%s", interface->info.alias);
        _cleanup_(freep) char *driver = device_driver(interface);
        _cleanup_(json_decrefp) json_t *device = device_new(driver, &interface->info);
        bool is_virtio = g_str_has_prefix(driver, "virtio-net");
        int r;

        if (interface_function(interface))
                return add_function(line, interface, error);
        r = check(line, interface, error);
        if (r >= 0)
                r = add_netdev(line, interface, id, is_virtio, error);
        if (r < 0)
                return r;
        json_set_string(device, "netdev", id);
        json_set_string(device, "mac", interface->mac);
        if (is_virtio)
                set_virtio_net(device, interface);
        if (is_virtio && line->host.runs && interface->queues > 1) {
                json_set_bool(device, "mq", true);
                json_set_number(device, "vectors", 2 * interface->queues + 2); /* in, out; change, control */
        }
        r = device_set_info(line, device, &interface->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}
