/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One netlink socket on the loop, under libnl's cache manager. What the caches tell is collected and passed
 * on when a burst of messages is done. If the kernel had to drop messages everything is read anew and
 * compared. */

#include "drivers/host/links.h"
#include "core/log.h"
#include "core/loop.h"
#include <linux/if.h>
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link/vlan.h>
#include <string.h>

#define RECEIVE_BUFFER_SIZE (1024 * 1024)

typedef struct Device {
        struct rtnl_link *link; /* counted; NULL: only addresses are known */
        GPtrArray *addresses;   /* counted struct rtnl_addr */
} Device;

struct Links {
        LinksChanged changed;
        void *data;
        struct nl_sock *socket;
        struct nl_cache_mngr *manager;
        sd_event_source *source;
        GHashTable *devices; /* index -> Device */
        GHashTable *dirty;   /* set of indexes that changed in this turn */
};

static void object_put(void *object)
{
        nl_object_put(object);
}

static void device_free(void *data)
{
        Device *device = data;

        if (device->link)
                rtnl_link_put(device->link);
        g_ptr_array_unref(device->addresses);
        g_free(device);
}

static Device *device_get(Links *links, int index)
{
        Device *device = g_hash_table_lookup(links->devices, GINT_TO_POINTER(index));

        if (!device) {
                device = g_new0(Device, 1);
                device->addresses = g_ptr_array_new_with_free_func(object_put);
                g_hash_table_insert(links->devices, GINT_TO_POINTER(index), device);
        }
        return device;
}

static void mark(Links *links, int index)
{
        g_hash_table_add(links->dirty, GINT_TO_POINTER(index));
}

static void link_is(Links *links, struct nl_object *object, bool is_gone)
{
        struct rtnl_link *link = (struct rtnl_link *)object;
        int index = rtnl_link_get_ifindex(link);

        /* The same device is told again as a port of its bridge, without its kind; of the bridges themselves
         * libnl says that they are of this family. */
        if (rtnl_link_get_family(link) != AF_UNSPEC && !rtnl_link_get_type(link))
                return;
        mark(links, index);
        if (is_gone) {
                (void)g_hash_table_remove(links->devices, GINT_TO_POINTER(index)); /* if it was known */
                return;
        }
        Device *device = device_get(links, index);
        nl_object_get(object);
        if (device->link)
                rtnl_link_put(device->link);
        device->link = link;
}

static bool is_same_address(struct rtnl_addr *a, struct rtnl_addr *b)
{
        return rtnl_addr_get_prefixlen(a) == rtnl_addr_get_prefixlen(b) &&
               nl_addr_cmp(rtnl_addr_get_local(a), rtnl_addr_get_local(b)) == 0;
}

static void address_is(Links *links, struct nl_object *object, bool is_gone)
{
        struct rtnl_addr *address = (struct rtnl_addr *)object;
        int index = rtnl_addr_get_ifindex(address);
        Device *device = g_hash_table_lookup(links->devices, GINT_TO_POINTER(index));
        bool is_known = false;

        if (!rtnl_addr_get_local(address) || (!device && is_gone))
                return;
        mark(links, index);
        device = device_get(links, index);
        for (unsigned i = 0; !is_known && i < device->addresses->len; i++) {
                is_known = is_same_address(device->addresses->pdata[i], address);
                if (is_known && is_gone)
                        (void)g_ptr_array_remove_index(device->addresses, i); /* it frees it */
        }
        if (!is_known && !is_gone) {
                nl_object_get(object);
                g_ptr_array_add(device->addresses, object);
        }
}

static void link_changed(struct nl_cache *cache _unused_, struct nl_object *object, int action, void *data)
{
        link_is(data, object, action == NL_ACT_DEL);
}

static void address_changed(struct nl_cache *cache _unused_, struct nl_object *object, int action,
                            void *data)
{
        address_is(data, object, action == NL_ACT_DEL);
}

static void tell(Links *links)
{
        GHashTable *dirty = links->dirty;
        GHashTableIter at;
        void *index;

        links->dirty = g_hash_table_new(NULL, NULL);
        g_hash_table_iter_init(&at, dirty);
        while (g_hash_table_iter_next(&at, &index, NULL))
                links->changed(GPOINTER_TO_INT(index), links->data);
        g_hash_table_unref(dirty);
}

static void detach(Links *links)
{
        links->source = sd_event_source_disable_unref(links->source);
        if (links->manager)
                nl_cache_mngr_free(links->manager);
        nl_socket_free(links->socket);
        links->manager = NULL;
        links->socket = NULL;
}

static int attach(Links *links, Error *error);

void links_read(Links *links)
{
        _cleanup_(error_clear) Error error = {};
        int r = nl_cache_mngr_data_ready(links->manager);

        if (r < 0 && r != -NLE_AGAIN && r != -NLE_INTR) {
                log_warning(NULL, "Network devices are read again, as the kernel's messages were lost: %s",
                            nl_geterror(r));
                detach(links);
                if (attach(links, &error) < 0)
                        log_error(NULL, "Changes of network devices are not seen any longer: %s",
                                  error.message);
        }
        tell(links);
}

static int readable(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_, void *data)
{
        links_read(data);
        return 0;
}

static void fill(Links *links, struct nl_cache *cache, void (*is)(Links *, struct nl_object *, bool))
{
        for (struct nl_object *at = nl_cache_get_first(cache); at; at = nl_cache_get_next(at))
                is(links, at, false);
}

static int attach_caches(Links *links)
{
        struct nl_cache *cache;
        int r = nl_cache_mngr_alloc(links->socket, NETLINK_ROUTE, 0, &links->manager);

        if (r >= 0)
                r = nl_socket_set_buffer_size(links->socket, RECEIVE_BUFFER_SIZE, 0);
        if (r >= 0)
                r = nl_cache_mngr_add(links->manager, "route/link", link_changed, links, &cache);
        if (r >= 0)
                fill(links, cache, link_is);
        if (r >= 0)
                r = nl_cache_mngr_add(links->manager, "route/addr", address_changed, links, &cache);
        if (r >= 0)
                fill(links, cache, address_is);
        return r;
}

static int attach(Links *links, Error *error)
{
        GHashTableIter at;
        void *index;
        int r;

        g_hash_table_iter_init(&at, links->devices);
        while (g_hash_table_iter_next(&at, &index, NULL))
                mark(links, GPOINTER_TO_INT(index));
        g_hash_table_remove_all(links->devices);
        links->socket = nl_socket_alloc();
        r = attach_caches(links);
        if (r < 0)
                return error_set(error, ERROR_OPERATION_FAILED, "Cannot read the host's network devices: %s",
                                 nl_geterror(r));
        r = sd_event_add_io(loop_get(), &links->source, nl_cache_mngr_get_fd(links->manager), EPOLLIN,
                            readable, links);
        return r < 0 ? error_set_errno(error, r, "Cannot watch the host's network devices") : 0;
}

int links_open(LinksChanged changed, void *data, Links **ret_links, Error *error)
{
        Links *links = g_new0(Links, 1);
        int r;

        links->changed = changed;
        links->data = data;
        links->devices = g_hash_table_new_full(NULL, NULL, NULL, device_free);
        links->dirty = g_hash_table_new(NULL, NULL);
        r = attach(links, error);
        if (r < 0) {
                links_free(links);
                return r;
        }
        g_hash_table_remove_all(links->dirty); /* they are listed by whoever opens */
        *ret_links = links;
        return 0;
}

Links *links_free(Links *links)
{
        if (!links)
                return NULL;
        detach(links);
        g_hash_table_unref(links->devices);
        g_hash_table_unref(links->dirty);
        g_free(links);
        return NULL;
}

struct rtnl_link *links_get(const Links *links, int index)
{
        const Device *device = g_hash_table_lookup(links->devices, GINT_TO_POINTER(index));

        return device ? device->link : NULL;
}

GArray *links_list(const Links *links)
{
        GArray *indexes = g_array_new(false, false, sizeof(int));
        GHashTableIter at;
        void *index;

        g_hash_table_iter_init(&at, links->devices);
        while (g_hash_table_iter_next(&at, &index, NULL)) {
                int number = GPOINTER_TO_INT(index);

                g_array_append_val(indexes, number);
        }
        return indexes;
}

static char *address_text(struct rtnl_addr *address)
{
        char text[64], *slash;

        (void)nl_addr2str(rtnl_addr_get_local(address), text, sizeof text);
        slash = strchr(text, '/');
        if (slash)
                *slash = 0;
        return g_strdup_printf("%s/%d", text, rtnl_addr_get_prefixlen(address));
}

char **links_addresses(const Links *links, int index)
{
        const Device *device = g_hash_table_lookup(links->devices, GINT_TO_POINTER(index));
        unsigned n = device ? device->addresses->len : 0;
        char **texts = g_new0(char *, n + 1);

        for (unsigned i = 0; i < n; i++)
                texts[i] = address_text(device->addresses->pdata[i]);
        return texts;
}

const char *links_master(const Links *links, int index)
{
        struct rtnl_link *link = links_get(links, index), *master = NULL;

        if (link && rtnl_link_get_master(link) > 0)
                master = links_get(links, rtnl_link_get_master(link));
        return master ? rtnl_link_get_name(master) : "";
}

char *link_mac(struct rtnl_link *link)
{
        struct nl_addr *address = rtnl_link_get_addr(link);
        char text[64];

        if (!address || nl_addr_get_len(address) != 6)
                return g_strdup("");
        return g_strdup(nl_addr2str(address, text, sizeof text));
}

HostInterfaceType link_type(struct rtnl_link *link)
{
        const char *kind = rtnl_link_get_type(link);

        return g_strcmp0(kind, "bridge") == 0 ? HOST_INTERFACE_BRIDGE
               : g_strcmp0(kind, "bond") == 0 ? HOST_INTERFACE_BOND
               : g_strcmp0(kind, "vlan") == 0 ? HOST_INTERFACE_VLAN
                                              : HOST_INTERFACE_ETHERNET;
}

HostLinkState link_state(struct rtnl_link *link)
{
        unsigned state = rtnl_link_get_operstate(link);

        return state <= IF_OPER_UP ? (HostLinkState)(HOST_LINK_UNKNOWN + state) : HOST_LINK_UNKNOWN;
}

/* In one <protocol>, those of the family, which is there if it has any. */
static void describe_addresses(HostInterfaceDefinition *definition, const Device *device, int family,
                               const char *name)
{
        InterfaceProtocol *protocol = NULL;

        for (unsigned i = 0; i < device->addresses->len; i++) {
                struct rtnl_addr *address = device->addresses->pdata[i];
                _cleanup_(freep) char *text = address_text(address);
                InterfaceIp *ip;

                if (rtnl_addr_get_family(address) != family)
                        continue;
                if (!protocol) {
                        protocol = g_new0(InterfaceProtocol, 1);
                        protocol->family = g_strdup(name);
                        list_append(&definition->protocols, protocol);
                }
                ip = g_new0(InterfaceIp, 1);
                ip->address = g_strndup(text, strcspn(text, "/"));
                ip->has_prefix = true;
                ip->prefix = (uint32_t)rtnl_addr_get_prefixlen(address);
                list_append(&protocol->ips, ip);
        }
}

static int compare_members(const void *a, const void *b)
{
        const HostInterfaceDefinition *const *first = a, *const *second = b;

        return strcmp((*first)->name, (*second)->name);
}

static void describe_members(const Links *links, int index, HostInterfaceDefinition *definition)
{
        AnyList *members = definition->type == HOST_INTERFACE_BRIDGE ? (AnyList *)&definition->bridge.members
                                                                     : (AnyList *)&definition->bond.members;
        GHashTableIter at;
        void *data;

        g_hash_table_iter_init(&at, links->devices);
        while (g_hash_table_iter_next(&at, NULL, &data)) {
                const Device *device = data;
                HostInterfaceDefinition *member;
                _cleanup_(freep) char *mac = NULL;

                if (!device->link || rtnl_link_get_master(device->link) != index)
                        continue;
                member = g_new0(HostInterfaceDefinition, 1);
                mac = link_mac(device->link);
                member->name = g_strdup(rtnl_link_get_name(device->link));
                g_strlcpy(member->mac, mac, sizeof member->mac);
                list_append(members, member);
        }
        if (members->count > 1)
                qsort(members->items, members->count, sizeof *members->items, compare_members);
}

HostInterfaceDefinition *links_describe(const Links *links, int index)
{
        const Device *device = g_hash_table_lookup(links->devices, GINT_TO_POINTER(index));
        HostInterfaceDefinition *definition = g_new0(HostInterfaceDefinition, 1);
        _cleanup_(freep) char *mac = link_mac(device->link);

        definition->type = link_type(device->link);
        definition->name = g_strdup(rtnl_link_get_name(device->link));
        definition->mtu = rtnl_link_get_mtu(device->link);
        definition->state = link_state(device->link);
        g_strlcpy(definition->mac, mac, sizeof definition->mac);
        describe_addresses(definition, device, AF_INET, "ipv4");
        describe_addresses(definition, device, AF_INET6, "ipv6");
        if (definition->type == HOST_INTERFACE_VLAN) {
                struct rtnl_link *lower = links_get(links, rtnl_link_get_link(device->link));

                definition->vlan.has_tag = true;
                definition->vlan.tag = (uint32_t)rtnl_link_vlan_get_id(device->link);
                definition->vlan.device = g_strdup(lower ? rtnl_link_get_name(lower) : "?");
        } else if (definition->type != HOST_INTERFACE_ETHERNET) {
                describe_members(links, index, definition);
        }
        return definition;
}
