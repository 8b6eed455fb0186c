/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/network/links.h"

int links_visit(LinkVisit visit, void *data, Error *error)
{
        struct nl_sock *socket = nl_socket_alloc();
        struct nl_cache *cache = NULL;
        int r = socket ? nl_connect(socket, NETLINK_ROUTE) : -NLE_NOMEM;

        if (r >= 0)
                r = rtnl_link_alloc_cache(socket, AF_UNSPEC, &cache);
        for (struct nl_object *at = r < 0 ? NULL : nl_cache_get_first(cache); at; at = nl_cache_get_next(at))
                visit(socket, (struct rtnl_link *)at, data);
        nl_cache_free(cache);
        nl_socket_free(socket);
        return r < 0 ? error_set(error, ERROR_OPERATION_FAILED, "Cannot list the host's devices: %s",
                                 nl_geterror(r))
                     : 0;
}
