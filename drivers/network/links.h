/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The network devices of the host, as the kernel has them. */

#include "core/error.h"
#include <netlink/netlink.h>
#include <netlink/route/link.h>

typedef void (*LinkVisit)(struct nl_sock *socket, struct rtnl_link *link, void *data);

/* Calls `visit` for each, with a socket for what it wants of the kernel. Blocks: on a worker's thread. */
int links_visit(LinkVisit visit, void *data, Error *error);
