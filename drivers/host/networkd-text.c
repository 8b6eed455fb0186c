/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names were checked (host-manager.h) and so were addresses; numbers are written anew. */

#include "drivers/host/networkd-text.h"
#include <string.h>

static void file_free(void *data)
{
        NetworkdFile *file = data;

        g_free(file->folder);
        g_free(file->name);
        g_free(file->text);
        g_free(file);
}

static void add_file(GPtrArray *files, char *folder, char *name, char *text)
{
        NetworkdFile *file = g_new0(NetworkdFile, 1);

        file->folder = folder;
        file->name = name;
        file->text = text;
        g_ptr_array_add(files, file);
}

int networkd_check(const HostInterfaceDefinition *definition, Error *error)
{
        int r = 0;

        if (definition->bond.miimon && definition->bond.miimon->carrier == BOND_CARRIER_IOCTL)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "interface '%s': <miimon carrier='ioctl'>: systemd-networkd has 'netif' only",
                        definition->name);
        LIST_FOREACH (member, definition->bridge.members) {
                if (r >= 0)
                        r = networkd_check(member, error);
        }
        return r;
}

static void write_bond(GString *text, const InterfaceBond *bond)
{
        g_string_append(text, "\n[Bond]\n");
        if (bond->mode != BOND_MODE_UNSPECIFIED)
                g_string_append_printf(text, "Mode=%s\n", bond_mode_to_string(bond->mode));
        if (bond->miimon) {
                g_string_append_printf(text, "MIIMonitorSec=%ums\n", bond->miimon->frequency);
                if (bond->miimon->updelay)
                        g_string_append_printf(text, "UpDelaySec=%ums\n", bond->miimon->updelay);
                if (bond->miimon->downdelay)
                        g_string_append_printf(text, "DownDelaySec=%ums\n", bond->miimon->downdelay);
        }
        if (bond->arpmon) {
                g_string_append_printf(text, "ARPIntervalSec=%ums\nARPIPTargets=%s\n",
                                       bond->arpmon->interval, bond->arpmon->target);
                if (bond->arpmon->validate != BOND_VALIDATE_UNSPECIFIED)
                        g_string_append_printf(text, "ARPValidate=%s\n",
                                               bond_validate_to_string(bond->arpmon->validate));
        }
}

static void write_bridge(GString *text, const InterfaceBridge *bridge)
{
        g_string_append(text, "\n[Bridge]\n");
        if (bridge->stp != ON_OFF_ABSENT)
                g_string_append_printf(text, "STP=%s\n", bridge->stp == ON ? "yes" : "no");
        if (bridge->delay)
                g_string_append_printf(text, "ForwardDelaySec=%ums\n",
                                       (unsigned)(g_ascii_strtod(bridge->delay, NULL) * 1000));
}

static char *netdev_text(const HostInterfaceDefinition *definition, const char *owner)
{
        GString *text = g_string_new(NULL);

        g_string_append_printf(text, NETWORKD_TAG "%s\n[NetDev]\nName=%s\nKind=%s\n", owner,
                               definition->name, host_interface_type_to_string(definition->type));
        if (definition->mac[0])
                g_string_append_printf(text, "MACAddress=%s\n", definition->mac);
        if (definition->type == HOST_INTERFACE_BRIDGE)
                write_bridge(text, &definition->bridge);
        else if (definition->type == HOST_INTERFACE_BOND)
                write_bond(text, &definition->bond);
        else
                g_string_append_printf(text, "\n[VLAN]\nId=%u\n", definition->vlan.tag);
        return g_string_free(text, FALSE);
}

typedef struct Wanted {
        const InterfaceDhcp *dhcp4, *dhcp6;
        bool autoconf;
} Wanted;

static void write_protocol(GString *text, const InterfaceProtocol *protocol, Wanted *wanted)
{
        bool is_ipv4 = strcmp(protocol->family, "ipv4") == 0;

        LIST_FOREACH (ip, protocol->ips) {
                g_string_append_printf(text, "Address=%s/%u\n", ip->address,
                                       ip->has_prefix ? ip->prefix
                                       : is_ipv4      ? 32
                                                      : 128);
        }
        LIST_FOREACH (route, protocol->routes) {
                g_string_append_printf(text, "Gateway=%s\n", route->gateway);
        }
        wanted->autoconf = wanted->autoconf || protocol->autoconf;
        if (protocol->dhcp && is_ipv4)
                wanted->dhcp4 = protocol->dhcp;
        else if (protocol->dhcp)
                wanted->dhcp6 = protocol->dhcp;
}

static void write_name_servers(GString *text, const InterfaceDhcp *dhcp)
{
        if (dhcp->peerdns != YES_NO_ABSENT)
                g_string_append_printf(text, "UseDNS=%s\n", dhcp->peerdns == YES ? "yes" : "no");
}

/* An address that was given is there without a carrier, too: a bridge has none before its first port. */
static void write_protocols(GString *text, const HostInterfaceDefinition *definition)
{
        Wanted wanted = {};

        g_string_append(text,
                        "ConfigureWithoutCarrier=yes\nKeepConfiguration=no\nLinkLocalAddressing=ipv6\n");
        LIST_FOREACH (protocol, definition->protocols) {
                write_protocol(text, protocol, &wanted);
        }
        g_string_append_printf(text, "DHCP=%s\nIPv6AcceptRA=%s\n",
                               wanted.dhcp4 && wanted.dhcp6 ? "yes"
                               : wanted.dhcp4               ? "ipv4"
                               : wanted.dhcp6               ? "ipv6"
                                                            : "no",
                               wanted.autoconf || wanted.dhcp6 ? "yes" : "no");
        if (wanted.dhcp6) {
                g_string_append(text, "\n[DHCPv6]\nWithoutRA=solicit\n");
                write_name_servers(text, wanted.dhcp6);
                g_string_append_printf(text, "\n[IPv6AcceptRA]\nUseAutonomousPrefix=%s\n",
                                       wanted.autoconf ? "yes" : "no");
                write_name_servers(text, wanted.dhcp6);
        }
        if (wanted.dhcp4) {
                g_string_append(text, "\n[DHCPv4]\n");
                write_name_servers(text, wanted.dhcp4);
        }
}

static char *network_text(const HostInterfaceDefinition *definition, const char *owner,
                          const HostInterfaceDefinition *master)
{
        GString *text = g_string_new(NULL);

        g_string_append_printf(text, NETWORKD_TAG "%s\n", owner);
        /* Not when it is made: a bridge would follow its ports' again. */
        if (definition->mtu)
                g_string_append_printf(text, "[Link]\nMTUBytes=%u\n\n", definition->mtu);
        g_string_append(text, "[Network]\n");
        if (master)
                g_string_append_printf(text, "%s=%s\n",
                                       master->type == HOST_INTERFACE_BRIDGE ? "Bridge" : "Bond",
                                       master->name);
        if (!master || definition->protocols.count > 0)
                write_protocols(text, definition);
        return g_string_free(text, FALSE);
}

/* What the device has of its own stays as it is. */
static void add_main(GPtrArray *files, const char *device)
{
        add_file(files, NULL, g_strconcat(NETWORKD_PREFIX, device, NETWORK_SUFFIX, NULL),
                 g_strdup_printf(NETWORKD_MAIN_TAG
                                 "[Match]\nName=%s\n\n[Network]\n"
                                 "LinkLocalAddressing=no\nIPv6AcceptRA=no\nKeepConfiguration=yes\n",
                                 device));
}

static void add_drop_in(GPtrArray *files, const char *device, const char *owner, char *text)
{
        add_file(files, g_strconcat(NETWORKD_PREFIX, device, NETWORK_SUFFIX ".d", NULL),
                 g_strconcat(owner, DROP_IN_SUFFIX, NULL), text);
}

static void add_all(GPtrArray *files, const HostInterfaceDefinition *definition, const char *owner,
                    const HostInterfaceDefinition *master)
{
        if (definition->type != HOST_INTERFACE_ETHERNET)
                add_file(files, NULL, g_strconcat(NETWORKD_PREFIX, definition->name, NETDEV_SUFFIX, NULL),
                         netdev_text(definition, owner));
        add_drop_in(files, definition->name, owner, network_text(definition, owner, master));
        if (definition->type == HOST_INTERFACE_VLAN) {
                add_drop_in(
                        files, definition->vlan.device, owner,
                        g_strdup_printf(NETWORKD_TAG "%s\n[Network]\nVLAN=%s\n", owner, definition->name));
                add_main(files, definition->vlan.device);
        }
        LIST_FOREACH (member, definition->bridge.members) {
                add_all(files, member, owner, definition);
        }
        LIST_FOREACH (member, definition->bond.members) {
                add_all(files, member, owner, definition);
        }
        add_main(files, definition->name);
}

GPtrArray *networkd_files(const HostInterfaceDefinition *definition)
{
        GPtrArray *files = g_ptr_array_new_with_free_func(file_free);

        add_all(files, definition, definition->name, NULL);
        return files;
}

static void add_down(GPtrArray *files, const HostInterfaceDefinition *definition, const char *owner)
{
        const char *const suffixes[] = {
                NETWORK_SUFFIX,
                definition->type != HOST_INTERFACE_ETHERNET ? NETDEV_SUFFIX : NULL,
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(suffixes) && suffixes[i]; i++)
                add_file(files, g_strconcat(NETWORKD_PREFIX, definition->name, suffixes[i], ".d", NULL),
                         g_strconcat(owner, DOWN_SUFFIX, NULL),
                         g_strdup_printf(NETWORKD_TAG "%s\n[Match]\nKernelVersion=down\n", owner));
        LIST_FOREACH (member, definition->bridge.members) {
                add_down(files, member, owner);
        }
        LIST_FOREACH (member, definition->bond.members) {
                add_down(files, member, owner);
        }
}

GPtrArray *networkd_down_files(const HostInterfaceDefinition *definition)
{
        GPtrArray *files = g_ptr_array_new_with_free_func(file_free);

        add_down(files, definition, definition->name);
        return files;
}
