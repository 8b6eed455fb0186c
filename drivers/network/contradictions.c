/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asked when a network is to come up: clients store such definitions and change them later. */

#include "drivers/network/contradictions.h"
#include "drivers/network/vlans.h"

static int check_overlap(const NetworkDefinition *definition, Error *error)
{
        for (unsigned i = 0; i < definition->ips.count; i++)
                for (unsigned k = 0; k < i; k++) {
                        const NetworkIp *one = definition->ips.items[i], *other = definition->ips.items[k];
                        IpNetwork a, b;

                        if (network_ip_read(one, &a, NULL) < 0 || network_ip_read(other, &b, NULL) < 0 ||
                            !ip_networks_overlap(&a, &b))
                                continue;
                        return error_set(error, ERROR_OPERATION_FAILED,
                                         "network '%s': the addresses of %s and %s overlap",
                                         definition->name, one->address, other->address);
                }
        return 0;
}

/* `seen` is a set of texts that the definition owns. */
static int check_new(const NetworkDefinition *definition, GHashTable *seen, const char *text, Error *error)
{
        if (!text || !*text || g_hash_table_add(seen, (char *)text))
                return 0;
        return error_set(error, ERROR_OPERATION_FAILED, "network '%s': two DHCP hosts have '%s'",
                         definition->name, text);
}

static int check_vlans(const NetworkDefinition *definition, Error *error)
{
        _cleanup_(freep) char *what = g_strdup_printf("network '%s'", definition->name);
        int r = vlans_check(definition->vlan, what, error);

        LIST_FOREACH (group, definition->port_groups) {
                _cleanup_(freep) char *name = g_strdup_printf("%s: portgroup '%s'", what, group->name);

                if (r >= 0)
                        r = vlans_check(group->vlan, name, error);
        }
        return r;
}

int contradictions_check(const NetworkDefinition *definition, Error *error)
{
        int r = check_overlap(definition, error);

        if (r >= 0)
                r = check_vlans(definition, error);
        LIST_FOREACH (ip, definition->ips) {
                GHashTable *seen;

                if (!ip->dhcp || r < 0)
                        continue;
                seen = g_hash_table_new(g_str_hash, g_str_equal);
                LIST_FOREACH (host, ip->dhcp->hosts) {
                        if (r >= 0)
                                r = check_new(definition, seen, host->mac, error);
                        if (r >= 0)
                                r = check_new(definition, seen, host->address, error);
                        if (r >= 0)
                                r = check_new(definition, seen, host->id, error);
                }
                g_hash_table_unref(seen);
        }
        return r;
}
