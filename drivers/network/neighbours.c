/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/network/neighbours.h"
#include "core/worker.h"
#include <linux/neighbour.h>
#include <netlink/netlink.h>
#include <netlink/route/neighbour.h>

#define ADDRESS_TEXT_MAX 128

typedef struct Task {
        const char *mac;
        GPtrArray *addresses;
        int problem; /* libnl's number */
} Task;

static void look_at(Task *task, struct rtnl_neigh *neighbour)
{
        struct nl_addr *mac = rtnl_neigh_get_lladdr(neighbour), *address = rtnl_neigh_get_dst(neighbour);
        char text[ADDRESS_TEXT_MAX];
        int state = rtnl_neigh_get_state(neighbour);

        if (!mac || !address || (state > 0 && state & (NUD_FAILED | NUD_INCOMPLETE)) ||
            g_ascii_strcasecmp(nl_addr2str(mac, text, sizeof text), task->mac) != 0)
                return;
        g_ptr_array_add(task->addresses, g_strdup(nl_addr2str(address, text, sizeof text)));
}

static int find_step(void *data)
{
        Task *task = data;
        struct nl_sock *socket = nl_socket_alloc();
        struct nl_cache *cache = NULL;
        int r = socket ? nl_connect(socket, NETLINK_ROUTE) : -NLE_NOMEM;

        if (r >= 0)
                r = rtnl_neigh_alloc_cache(socket, &cache);
        for (struct nl_object *at = r < 0 ? NULL : nl_cache_get_first(cache); at; at = nl_cache_get_next(at))
                look_at(task, (struct rtnl_neigh *)at);
        nl_cache_free(cache);
        nl_socket_free(socket);
        task->problem = r;
        return r < 0 ? -EIO : 0;
}

int neighbours_find(const char *mac, GPtrArray **ret_addresses, Error *error)
{
        Task task = { .mac = mac, .addresses = g_ptr_array_new_with_free_func(g_free) };
        int r = worker_finish(find_step, &task);

        if (r >= 0) {
                *ret_addresses = task.addresses;
                return 0;
        }
        g_ptr_array_unref(task.addresses);
        return error_set(error, ERROR_OPERATION_FAILED, "Cannot read the host's table of neighbours: %s",
                         nl_geterror(task.problem));
}
