/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's network devices and their addresses, as the kernel tells them: read once, then kept by its
 * notifications. */

#include "model/host-interface.h"
#include <netlink/route/link.h>

typedef struct Links Links;

/* A device came, went, or is not what it was, or one of its addresses. Called on the loop. */
typedef void (*LinksChanged)(int index, void *data);

int links_open(LinksChanged changed, void *data, Links **ret_links, Error *error);
Links *links_free(Links *links);

/* Takes in what the kernel has told so far: after a change of our own, so that its answer finds it. */
void links_read(Links *links);

/* Borrowed; NULL: gone. */
struct rtnl_link *links_get(const Links *links, int index);
/* The indexes of all, as an array of int that the caller frees. */
GArray *links_list(const Links *links);
/* "ADDRESS/PREFIX" of each, to be freed with g_strfreev(). */
char **links_addresses(const Links *links, int index);
/* "" if it is in none, or that one is not known. */
const char *links_master(const Links *links, int index);
/* "52:54:...", to be freed; "" if it has none of six bytes. */
char *link_mac(struct rtnl_link *link);
HostInterfaceType link_type(struct rtnl_link *link);
HostLinkState link_state(struct rtnl_link *link);

/* What there is, as a definition. */
HostInterfaceDefinition *links_describe(const Links *links, int index);
