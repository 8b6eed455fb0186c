/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The card is spoken with by netlink, which is a step of a worker: its driver may ask the hardware. */

#include "drivers/host/virtual-function.h"
#include "core/worker.h"
#include "drivers/host/sysfs.h"
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/ether.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/sriov.h>
#include <string.h>

/* More than any card has. */
#define FUNCTIONS_MAX 4096u

/* Beside the card itself a switch in it may have devices for what is plugged into it ("pf0vf1", "pf0sf2").
 */
static bool is_card(const char *folder, const char *name)
{
        _cleanup_(freep) char *path = g_build_filename(folder, name, NULL),
                              *port = sysfs_read(path, "phys_port_name");
        uint64_t number = 0;

        return !(port && g_str_has_prefix(port, "pf")) &&
               (!sysfs_read_number(path, "dev_port", 10, &number) || number == 0);
}

/* The network device of the PCI device in that folder; NULL: it has none. The caller frees. */
static char *find_card(const char *folder)
{
        _cleanup_(freep) char *network = g_build_filename(folder, "net", NULL);
        g_autoptr(GDir) names = g_dir_open(network, 0, NULL);
        const char *name;

        while (names && (name = g_dir_read_name(names)))
                if (strlen(name) < IF_NAMESIZE && is_card(network, name))
                        return g_strdup(name);
        return NULL;
}

/* The name of its function of that number; NULL: it has not so many. The caller frees. */
static char *function_at(const char *folder, unsigned number)
{
        _cleanup_(freep) char *link = g_strdup_printf("virtfn%u", number);

        return sysfs_read_link_name(folder, link);
}

int virtual_function_find(const char *devices, const char *name, VirtualFunction *ret_function, Error *error)
{
        _cleanup_(freep) char *folder = g_build_filename(devices, name, "physfn", NULL), *card = NULL;

        if (access(folder, F_OK) < 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "PCI device %s is no virtual function of an SR-IOV card, whose MAC address "
                                 "could be set: <hostdev type='pci'> gives a device as it is",
                                 name);
        card = find_card(folder);
        if (!card)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "PCI device %s is no virtual function of a network card that the host uses",
                                 name);
        for (unsigned i = 0; i < FUNCTIONS_MAX; i++) {
                _cleanup_(freep) char *function = function_at(folder, i);

                if (!function)
                        break;
                if (strcmp(function, name) != 0)
                        continue;
                g_strlcpy(ret_function->card, card, sizeof ret_function->card);
                ret_function->number = i;
                return 0;
        }
        return error_set(error, ERROR_OPERATION_FAILED, "The card %s does not have its virtual function %s",
                         card, name);
}

int virtual_function_list(const char *devices, const char *card, GPtrArray **ret_names, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(freep) char *folder = g_build_filename(devices, card, "device", NULL);
        char *name;

        if (strchr(card, '/') || access(folder, F_OK) < 0)
                return error_set(error, ERROR_OPERATION_FAILED, "This host has no network card '%s'", card);
        for (unsigned i = 0; i < FUNCTIONS_MAX && (name = function_at(folder, i)); i++)
                g_ptr_array_add(names, name);
        if (names->len == 0)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The network card '%s' has no virtual functions: the number of them is "
                                 "written into %s/sriov_numvfs",
                                 card, folder);
        *ret_names = TAKE_PTR(names);
        return 0;
}

typedef struct Task {
        VirtualFunction function;
        FunctionSettings settings;
        Error error;
} Task;

static struct nl_sock *socket_free(struct nl_sock *socket)
{
        nl_socket_free(socket);
        return NULL;
}
DEFINE_CLEANUP(struct nl_sock, socket_free)

static int fail(Task *task, int result, const char *what)
{
        return error_set(&task->error, ERROR_OPERATION_FAILED,
                         "Cannot %s virtual function %u of the network card '%s': %s", what,
                         task->function.number, task->function.card, nl_geterror(result));
}

static int socket_open(Task *task, struct nl_sock **ret_socket)
{
        _cleanup_(socket_freep) struct nl_sock *socket = nl_socket_alloc();
        int r = socket ? nl_connect(socket, NETLINK_ROUTE) : -NLE_NOMEM;

        if (r < 0)
                return fail(task, r, "speak with the kernel about");
        *ret_socket = TAKE_PTR(socket);
        return 0;
}

static void read_function(struct rtnl_link_vf *function, FunctionSettings *settings)
{
        struct nl_addr *address;
        nl_vf_vlans_t *vlans;

        if (rtnl_link_vf_get_addr(function, &address) >= 0 && nl_addr_get_len(address) == 6)
                (void)nl_addr2str(address, settings->mac, sizeof settings->mac);
        if (rtnl_link_vf_get_vlans(function, &vlans) < 0)
                return;
        if (vlans->size > 0) {
                settings->vlan = (uint16_t)vlans->vlans[0].vf_vlan;
                settings->priority = (uint8_t)vlans->vlans[0].vf_vlan_qos;
        }
        rtnl_link_vf_vlan_put(vlans);
}

static int look(Task *task, struct nl_sock *socket, FunctionSettings *ret_settings, bool *ret_up)
{
        struct rtnl_link *link = NULL;
        struct rtnl_link_vf *function;
        int r = rtnl_link_get_kernel(socket, 0, task->function.card, &link);

        if (r < 0)
                return fail(task, r, "look at");
        function = rtnl_link_vf_get(link, task->function.number);
        *ret_settings = (FunctionSettings){};
        if (function) {
                read_function(function, ret_settings);
                rtnl_link_vf_put(function);
        }
        *ret_up = rtnl_link_get_flags(link) & IFF_UP;
        rtnl_link_put(link);
        if (*ret_settings->mac)
                return 0;
        return error_set(&task->error, ERROR_OPERATION_FAILED,
                         "The network card '%s' tells no MAC address of its virtual function %u",
                         task->function.card, task->function.number);
}

static int read_step(void *data)
{
        Task *task = data;
        _cleanup_(socket_freep) struct nl_sock *socket = NULL;
        bool is_up;
        int r = socket_open(task, &socket);

        if (r >= 0)
                r = look(task, socket, &task->settings, &is_up);
        if (r < 0 || is_up)
                return r;
        return error_set(&task->error, ERROR_OPERATION_FAILED,
                         "The network card '%s' is down: nothing would reach its virtual function %u",
                         task->function.card, task->function.number);
}

/* A card that knows no VLANs refuses also none. */
static void put_settings(struct nl_msg *message, const Task *task, const FunctionSettings *present)
{
        struct ifla_vf_mac mac = { .vf = task->function.number };
        const struct ifla_vf_vlan vlan = { .vf = task->function.number,
                                           .vlan = task->settings.vlan,
                                           .qos = task->settings.priority };
        struct nlattr *list, *info;
        struct ether_addr address = {};

        (void)ether_aton_r(task->settings.mac, &address); /* the model or the card has made it */
        memcpy(mac.mac, &address, sizeof address);
        list = nla_nest_start(message, IFLA_VFINFO_LIST); /* there is room for all of it */
        info = nla_nest_start(message, IFLA_VF_INFO);
        (void)nla_put(message, IFLA_VF_MAC, sizeof mac, &mac);
        if (present->vlan != vlan.vlan || present->priority != vlan.qos)
                (void)nla_put(message, IFLA_VF_VLAN, sizeof vlan, &vlan);
        (void)nla_nest_end(message, info);
        (void)nla_nest_end(message, list);
}

static int set_step(void *data)
{
        Task *task = data;
        _cleanup_(socket_freep) struct nl_sock *socket = NULL;
        FunctionSettings present;
        struct nl_msg *message;
        bool is_up;
        int r = socket_open(task, &socket);

        if (r >= 0)
                r = look(task, socket, &present, &is_up);
        if (r < 0)
                return r;
        message = nlmsg_alloc_simple(RTM_SETLINK, 0);
        (void)nlmsg_append(message, &(struct ifinfomsg){}, sizeof(struct ifinfomsg), NLMSG_ALIGNTO);
        (void)nla_put_string(message, IFLA_IFNAME, task->function.card);
        put_settings(message, task, &present);
        r = nl_send_sync(socket, message);
        return r < 0 ? fail(task, r, "set MAC address and VLAN of") : 0;
}

static int run(WorkerFunction step, Task *task, Error *error) AWAITS
{
        int r = worker_finish(step, task);

        if (r < 0)
                error_move(error, &task->error);
        return r;
}

int virtual_function_read(const VirtualFunction *function, FunctionSettings *ret_settings, Error *error)
{
        Task task = { .function = *function };
        int r = run(read_step, &task, error);

        if (r >= 0)
                *ret_settings = task.settings;
        return r;
}

int virtual_function_set(const VirtualFunction *function, const FunctionSettings *settings, Error *error)
{
        Task task = { .function = *function, .settings = *settings };

        return run(set_step, &task, error);
}
