/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's table is asked for once and kept up to date by what it tells; if it could not tell all, the
 * table is asked for again. Its size is the kernel's to limit (gc_thresh3). */

#include "drivers/network/neighbours.h"
#include "core/log.h"
#include "core/loop.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE   32768
#define READS_AT_ONCE 16
#define MAC_TEXT_SIZE 18
#define SEEN          (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

struct Neighbours {
        NeighboursChanged changed;
        void *data;
        sd_event_source *source;
        GHashTable *macs; /* "INDEX ADDRESS" → hardware address */
};

static const char *address_of(const char *key)
{
        return strchr(key, ' ') + 1;
}

static void forget(Neighbours *neighbours, const char *key)
{
        const char *mac = g_hash_table_lookup(neighbours->macs, key);
        _cleanup_(freep) char *copy = g_strdup(mac);

        if (!mac)
                return;
        g_hash_table_remove(neighbours->macs, key);
        neighbours->changed(copy, neighbours->data);
}

static void learn(Neighbours *neighbours, const char *key, const char *mac)
{
        if (g_strcmp0(g_hash_table_lookup(neighbours->macs, key), mac) == 0)
                return;
        forget(neighbours, key);
        g_hash_table_insert(neighbours->macs, g_strdup(key), g_strdup(mac));
        neighbours->changed(mac, neighbours->data);
}

static void handle(Neighbours *neighbours, const struct nlmsghdr *header)
{
        struct nlattr *attributes[NDA_MAX + 1], *to, *mac;
        const struct ndmsg *neighbour = nlmsg_data(header);
        char address[INET6_ADDRSTRLEN], mac_text[MAC_TEXT_SIZE];
        _cleanup_(freep) char *key = NULL;
        const uint8_t *bytes;

        if ((header->nlmsg_type != RTM_NEWNEIGH && header->nlmsg_type != RTM_DELNEIGH) ||
            nlmsg_parse((struct nlmsghdr *)header, sizeof *neighbour, attributes, NDA_MAX, NULL) < 0)
                return;
        to = attributes[NDA_DST];
        mac = attributes[NDA_LLADDR];
        if (!to || (neighbour->ndm_family != AF_INET && neighbour->ndm_family != AF_INET6) ||
            nla_len(to) < (neighbour->ndm_family == AF_INET ? 4 : 16) ||
            !inet_ntop(neighbour->ndm_family, nla_data(to), address, sizeof address))
                return;
        key = g_strdup_printf("%d %s", neighbour->ndm_ifindex, address);
        if (header->nlmsg_type == RTM_DELNEIGH || !(neighbour->ndm_state & SEEN)) {
                forget(neighbours, key);
                return;
        }
        if (!mac || nla_len(mac) != 6)
                return; /* no Ethernet */
        bytes = nla_data(mac);
        g_snprintf(mac_text, sizeof mac_text, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2],
                   bytes[3], bytes[4], bytes[5]);
        learn(neighbours, key, mac_text);
}

static int ask(int fd)
{
        const struct {
                struct nlmsghdr header;
                struct ndmsg neighbour;
        } request = { .header = { .nlmsg_len = sizeof request,
                                  .nlmsg_type = RTM_GETNEIGH,
                                  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };

        return send(fd, &request, sizeof request, 0) < 0 ? -errno : 0;
}

static int message_arrived(sd_event_source *source, int fd, uint32_t events, void *data)
{
        Neighbours *neighbours = data;

        (void)source, (void)events;
        for (unsigned i = 0; i < READS_AT_ONCE; i++) {
                char buffer[BUFFER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
                struct sockaddr_nl sender = {};
                socklen_t sender_size = sizeof sender;
                ssize_t size = recvfrom(fd, buffer, sizeof buffer, MSG_DONTWAIT, (struct sockaddr *)&sender,
                                        &sender_size);
                int left = (int)size;

                if (size < 0 && errno == ENOBUFS) { /* some were lost */
                        g_hash_table_remove_all(neighbours->macs);
                        (void)ask(fd); /* if it fails, what comes next is known all the same */
                        continue;
                }
                if (size < 0)
                        break;
                if (sender.nl_pid != 0)
                        continue; /* not the kernel's */
                for (struct nlmsghdr *at = (struct nlmsghdr *)buffer; nlmsg_ok(at, left);
                     at = nlmsg_next(at, &left))
                        handle(neighbours, at);
        }
        return 0;
}

int neighbours_watch(NeighboursChanged changed, void *data, Neighbours **ret_neighbours, Error *error)
{
        const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_NEIGH };
        _cleanup_(closep) int fd =
                socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        Neighbours *neighbours;
        int r;

        if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
                return error_set_errno(error, errno, "Cannot watch the host's neighbours");
        r = ask(fd);
        if (r < 0)
                return error_set_errno(error, r, "Cannot ask for the host's neighbours");
        neighbours = g_new0(Neighbours, 1);
        neighbours->changed = changed;
        neighbours->data = data;
        neighbours->macs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        r = sd_event_add_io(loop_get(), &neighbours->source, fd, EPOLLIN, message_arrived, neighbours);
        if (r < 0) {
                neighbours_free(neighbours);
                return error_set_errno(error, r, "Cannot watch the host's neighbours");
        }
        (void)sd_event_source_set_io_fd_own(neighbours->source, true); /* it is one of a descriptor */
        (void)TAKE_FD(fd);
        *ret_neighbours = neighbours;
        return 0;
}

Neighbours *neighbours_free(Neighbours *neighbours)
{
        if (!neighbours)
                return NULL;
        sd_event_source_disable_unref(neighbours->source);
        g_hash_table_unref(neighbours->macs);
        g_free(neighbours);
        return NULL;
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *neighbours_find(const Neighbours *neighbours, const char *mac)
{
        GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter at;
        void *key, *value;

        if (!neighbours)
                return found;
        g_hash_table_iter_init(&at, neighbours->macs);
        while (g_hash_table_iter_next(&at, &key, &value))
                if (g_ascii_strcasecmp(value, mac) == 0)
                        g_ptr_array_add(found, g_strdup(address_of(key)));
        g_ptr_array_sort(found, by_text);
        return found;
}
