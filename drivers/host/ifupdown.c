/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ifupdown: one file of ours for each interface, in the folder that /etc/network/interfaces reads, and ifup
 * and ifdown. Bridges, bonds and VLANs are made by commands in the file, so that no other package is needed.
 * Names were checked (host-manager.h) and so were addresses; numbers are written anew. */

#include "core/child.h"
#include "core/store.h"
#include "drivers/host/host-manager.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NAME       "ifupdown"
#define MAIN_FILE  "etc/network/interfaces"
#define FOLDER     "etc/network/interfaces.d"
#define PREFIX     "virtbus-"
#define FILE_MAX   (1024 * 1024)
#define OUTPUT_MAX (64 * 1024)

static char *host_path(const Driver *driver, const char *path)
{
        return g_build_filename(driver->config->root ? driver->config->root : "/", path, NULL);
}

/* The folder may be read by "source-directory", which takes no dots. */
static char *file_name(const char *name)
{
        GString *text = g_string_new(PREFIX);

        for (const char *c = name; *c; c++)
                if (g_ascii_isalnum(*c) || *c == '-')
                        g_string_append_c(text, *c);
                else
                        g_string_append_printf(text, "_%02x", (unsigned char)*c);
        return g_string_free(text, FALSE);
}

static const char *find_tool(const char *const *paths)
{
        for (; *paths; paths++)
                if (access(*paths, X_OK) >= 0)
                        return *paths;
        return NULL;
}

static const char *find_ifup(void)
{
        return find_tool((const char *const[]){ "/sbin/ifup", "/usr/sbin/ifup", NULL });
}

static const char *find_ifdown(void)
{
        return find_tool((const char *const[]){ "/sbin/ifdown", "/usr/sbin/ifdown", NULL });
}

static const char *find_ifquery(void)
{
        return find_tool((const char *const[]){ "/sbin/ifquery", "/usr/sbin/ifquery", NULL });
}

static int run_tool(const char *tool, const char *name, uint64_t deadline_usec, Error *error) AWAITS
{
        const char *words[] = { tool, name, NULL };

        if (!tool)
                return error_set(error, ERROR_NOT_SUPPORTED, "This host has no " NAME " any more");
        return child_run(&(ChildOptions){ .arguments = words,
                                          .stdin_fd = -1,
                                          .stdout_fd = -1,
                                          .stderr_fd = -1,
                                          .umask = 0022 },
                         NULL, 0, OUTPUT_MAX, deadline_usec, NULL, NULL, error);
}

static int manages(const Driver *driver, const char *device _unused_, bool has_device _unused_,
                   uint64_t deadline_usec _unused_, Error *error _unused_)
{
        _cleanup_(freep) char *path = host_path(driver, MAIN_FILE);

        return driver->config->is_system && find_ifup() && access(path, F_OK) >= 0;
}

/* Called with the first two words of each line of a file; other than 0 ends that. */
typedef int (*LineSeen)(const char *first, const char *second, const void *data);

static int read_lines(const char *path, LineSeen seen, const void *data)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;
        char *rest, *next;
        int r = 0;

        if (store_read(AT_FDCWD, path, FILE_MAX, &text, &size, NULL) < 0)
                return 0; /* what cannot be read says nothing */
        for (char *line = strtok_r(text, "\n", &rest); line && r == 0; line = strtok_r(NULL, "\n", &rest)) {
                const char *first = strtok_r(line, " \t", &next);
                const char *second = first ? strtok_r(NULL, " \t", &next) : NULL;

                if (second)
                        r = seen(first, second, data);
        }
        return r;
}

static int sources_folder(const char *first, const char *second, const void *data _unused_)
{
        static const char *const folder = "/" FOLDER;
        _cleanup_(freep) char *full =
                second[0] == '/' ? g_strdup(second) : g_build_filename("/etc/network", second, NULL);
        const char *rest = g_str_has_prefix(full, folder) ? full + strlen(folder) : NULL;

        if (rest && strcmp(first, "source-directory") == 0)
                return rest[strspn(rest, "/")] == '\0';
        return rest && strcmp(first, "source") == 0 && strcmp(rest, "/*") == 0;
}

static int configures(const char *first, const char *second, const void *data)
{
        return strcmp(first, "iface") == 0 && strcmp(second, data) == 0;
}

static int check_file(const char *path, const char *device, Error *error)
{
        return read_lines(path, configures, device) == 0
                       ? 0
                       : error_set(error, ERROR_OPERATION_INVALID,
                                   "The interface '%s' is configured by %s, which is not of virtbus: change "
                                   "it there",
                                   device, path);
}

/* The files that are known by name can be told; others may be read by them. */
static int check_files(const Driver *driver, const char *device, Error *error)
{
        _cleanup_(freep) char *main_file = host_path(driver, MAIN_FILE), *folder = host_path(driver, FOLDER);
        GDir *listing = g_dir_open(folder, 0, NULL);
        const char *name;
        int r = check_file(main_file, device, error);

        while (listing && r >= 0 && (name = g_dir_read_name(listing))) {
                _cleanup_(freep) char *path = g_build_filename(folder, name, NULL);

                if (!g_str_has_prefix(name, PREFIX))
                        r = check_file(path, device, error);
        }
        if (listing)
                g_dir_close(listing);
        return r;
}

static int check_free(const Driver *driver, const char *device, bool has_device _unused_,
                      uint64_t deadline_usec, Error *error)
{
        _cleanup_(freep) char *folder = host_path(driver, FOLDER), *own = file_name(device);
        _cleanup_(freep) char *path = g_build_filename(folder, own, NULL);
        _cleanup_(error_clear) Error unseen = {};
        int r = check_files(driver, device, error);

        if (r < 0 || access(path, F_OK) >= 0 ||
            run_tool(find_ifquery(), device, deadline_usec, &unseen) < 0) /* it knows no such interface */
                return r;
        return error_set(error, ERROR_OPERATION_INVALID,
                         "The interface '%s' is configured in a file that /" MAIN_FILE
                         " reads, which is not of virtbus: change it there",
                         device);
}

static int check(const HostInterfaceDefinition *definition, Error *error)
{
        LIST_FOREACH (member, definition->bridge.members) {
                if (member->type != HOST_INTERFACE_ETHERNET || member->protocols.count > 0)
                        return error_set(
                                error, ERROR_CONFIG_UNSUPPORTED,
                                "interface '%s': '%s' in it is more than an ethernet interface without "
                                "<protocol>: with " NAME " define that one by itself",
                                definition->name, member->name);
        }
        return 0;
}

static void add_bond_options(GString *text, const InterfaceBond *bond)
{
        if (bond->mode != BOND_MODE_UNSPECIFIED)
                g_string_append_printf(text, " mode %s", bond_mode_to_string(bond->mode));
        if (bond->miimon) {
                g_string_append_printf(text, " miimon %u updelay %u downdelay %u", bond->miimon->frequency,
                                       bond->miimon->updelay, bond->miimon->downdelay);
                if (bond->miimon->carrier != BOND_CARRIER_UNSPECIFIED)
                        g_string_append_printf(text, " use_carrier %d",
                                               bond->miimon->carrier == BOND_CARRIER_NETIF);
        }
        if (bond->arpmon) {
                g_string_append_printf(text, " arp_interval %u arp_ip_target %s", bond->arpmon->interval,
                                       bond->arpmon->target);
                if (bond->arpmon->validate != BOND_VALIDATE_UNSPECIFIED)
                        g_string_append_printf(text, " arp_validate %s",
                                               bond_validate_to_string(bond->arpmon->validate));
        }
}

static void add_making(GString *text, const HostInterfaceDefinition *definition)
{
        const InterfaceBridge *bridge = &definition->bridge;
        const char *name = definition->name;

        if (definition->type == HOST_INTERFACE_VLAN) /* ifup makes one of its own for a name as eth0.7 */
                g_string_append_printf(text, "        pre-up ip link del dev %s 2> /dev/null || true\n",
                                       name);
        g_string_append(text, "        pre-up ip link add");
        if (definition->type == HOST_INTERFACE_VLAN)
                g_string_append_printf(text, " link %s", definition->vlan.device);
        g_string_append_printf(text, " name %s", name);
        if (definition->mac[0])
                g_string_append_printf(text, " address %s", definition->mac);
        g_string_append_printf(text, " type %s", host_interface_type_to_string(definition->type));
        if (definition->type == HOST_INTERFACE_VLAN)
                g_string_append_printf(text, " id %u", definition->vlan.tag);
        if (definition->type == HOST_INTERFACE_BOND)
                add_bond_options(text, &definition->bond);
        if (bridge->stp != ON_OFF_ABSENT)
                g_string_append_printf(text, " stp_state %d", bridge->stp == ON);
        if (bridge->delay)
                g_string_append_printf(text, " forward_delay %u",
                                       (unsigned)(g_ascii_strtod(bridge->delay, NULL) * 100));
        g_string_append_c(text, '\n');
}

/* A bond takes only what is down. */
static void add_member(GString *text, const HostInterfaceDefinition *definition,
                       const HostInterfaceDefinition *member)
{
        if (definition->type == HOST_INTERFACE_BOND)
                g_string_append_printf(text, "        pre-up ip link set dev %s down\n", member->name);
        if (member->mtu)
                g_string_append_printf(text, "        pre-up ip link set dev %s mtu %u\n", member->name,
                                       member->mtu);
        g_string_append_printf(text, "        pre-up ip link set dev %s master %s\n", member->name,
                               definition->name);
        g_string_append_printf(text, "        pre-up ip link set dev %s up\n", member->name);
}

/* The device itself; its addresses are more of the same name. */
static void add_device(GString *text, const HostInterfaceDefinition *definition)
{
        g_string_append_printf(text, "iface %s inet manual\n", definition->name);
        if (definition->type != HOST_INTERFACE_ETHERNET)
                add_making(text, definition);
        LIST_FOREACH (member, definition->bridge.members) {
                add_member(text, definition, member);
        }
        LIST_FOREACH (member, definition->bond.members) {
                add_member(text, definition, member);
        }
        if (definition->mtu)
                g_string_append_printf(text, "        pre-up ip link set dev %s mtu %u\n", definition->name,
                                       definition->mtu);
        g_string_append_printf(text, "        up ip link set dev %s up\n", definition->name);
        if (definition->type != HOST_INTERFACE_ETHERNET)
                g_string_append_printf(text, "        post-down ip link del dev %s\n", definition->name);
        else
                g_string_append_printf(text, "        post-down ip link set dev %s down\n",
                                       definition->name);
}

/* Duplicate detection would keep ifup waiting for a carrier that a new bridge has not got. */
static void add_protocol(GString *text, const char *name, const InterfaceProtocol *protocol)
{
        bool is_ipv4 = strcmp(protocol->family, "ipv4") == 0;
        const char *family = is_ipv4 ? "inet" : "inet6";

        if (protocol->dhcp)
                g_string_append_printf(text, "iface %s %s dhcp\n", name, family);
        else if (protocol->autoconf)
                g_string_append_printf(text, "iface %s %s auto\n", name, family);
        LIST_FOREACH (ip, protocol->ips) {
                g_string_append_printf(text, "iface %s %s static\n        address %s/%u\n", name, family,
                                       ip->address,
                                       ip->has_prefix ? ip->prefix
                                       : is_ipv4      ? 32
                                                      : 128);
                if (!is_ipv4)
                        g_string_append(text, "        dad-attempts 0\n");
        }
        if (protocol->routes.count == 0)
                return;
        g_string_append_printf(text, "iface %s %s manual\n", name, family);
        LIST_FOREACH (route, protocol->routes) {
                g_string_append_printf(text, "        up ip %s route append default via %s dev %s\n",
                                       is_ipv4 ? "-4" : "-6", route->gateway, name);
        }
}

static char *file_text(const HostInterfaceDefinition *definition)
{
        GString *text = g_string_new("# Made by virtbus, which writes it anew\n");

        if (definition->start == START_MODE_ONBOOT)
                g_string_append_printf(text, "auto %s\n", definition->name);
        else if (definition->start == START_MODE_HOTPLUG)
                g_string_append_printf(text, "allow-hotplug %s\n", definition->name);
        add_device(text, definition);
        LIST_FOREACH (protocol, definition->protocols) {
                add_protocol(text, definition->name, protocol);
        }
        return g_string_free(text, FALSE);
}

static int write_file(int folder_fd, const char *name, const HostInterfaceDefinition *definition,
                      Error *error) AWAITS
{
        _cleanup_(freep) char *file = file_name(name), *before = NULL;
        _cleanup_(freep) char *text = definition ? file_text(definition) : NULL;
        size_t size;

        if (!definition)
                return store_remove(folder_fd, file, error);
        if (store_read(folder_fd, file, FILE_MAX, &before, &size, NULL) >= 0 && strcmp(before, text) == 0)
                return 0;
        return store_write(folder_fd, file, text, strlen(text), 0644, error);
}

static int store(const Driver *driver, const char *name, const HostInterfaceDefinition *definition,
                 bool is_up _unused_, uint64_t deadline_usec _unused_, Error *error)
{
        _cleanup_(freep) char *main_file = host_path(driver, MAIN_FILE), *folder = host_path(driver, FOLDER);
        _cleanup_(closep) int fd = -EBADF;

        if (definition && read_lines(main_file, sources_folder, NULL) == 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The interface '%s' would be a file in %s, which %s does not read: 'source "
                                 "/" FOLDER "/*' in it does that",
                                 name, folder, main_file);
        fd = store_open_folder(folder, 0755, error);
        return fd < 0 ? fd : write_file(fd, name, definition, error);
}

static int start(const Driver *driver _unused_, const HostInterfaceDefinition *definition,
                 uint64_t deadline_usec, Error *error)
{
        return run_tool(find_ifup(), definition->name, deadline_usec, error);
}

/* Also of what it does not think is up: it may have been brought up half. */
static int stop(const Driver *driver _unused_, const HostInterfaceDefinition *definition,
                uint64_t deadline_usec, Error *error)
{
        return run_tool(find_ifdown(), definition->name, deadline_usec, error);
}

static int settle(const Driver *driver, GHashTable *definitions, uint64_t deadline_usec _unused_,
                  Error *error)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *files =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = NULL;
        _cleanup_(freep) char *folder = host_path(driver, FOLDER);
        _cleanup_(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        GHashTableIter iterator;
        gpointer name, definition;
        int r = fd < 0 ? 0 : store_list(fd, "", &names, error);

        if (fd < 0 || r < 0)
                return r;
        g_hash_table_iter_init(&iterator, definitions);
        while (r >= 0 && g_hash_table_iter_next(&iterator, &name, &definition)) {
                g_hash_table_add(files, file_name(name));
                r = write_file(fd, name, definition, error);
        }
        for (unsigned i = 0; r >= 0 && i < names->len; i++)
                if (g_str_has_prefix(names->pdata[i], PREFIX) &&
                    !g_hash_table_contains(files, names->pdata[i]))
                        r = store_remove(fd, names->pdata[i], error);
        return r;
}

const HostManager ifupdown_manager = {
        .name = NAME,
        .knows_hotplug = true,
        .manages = manages,
        .check_free = check_free,
        .check = check,
        .store = store,
        .start = start,
        .stop = stop,
        .settle = settle,
};
