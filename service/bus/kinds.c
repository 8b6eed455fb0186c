/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One line of facts a kind. The texts of errors begin and go on as libvirt's do ("Domain not found: no
 * domain with matching uuid"), because programs tell a missing object from other failures by them. */

#include "bus/kinds.h"

static const KindFacts facts[_OBJECT_KIND_MAX] = {
        [OBJECT_CONNECT] = { ERROR_NO_OBJECT, "Driver", "driver", NULL, NULL,
                             "org.libvirt.api.connect.write", NULL, NULL },
        [OBJECT_DOMAIN] = { ERROR_NO_DOMAIN, "Domain", "domain", "org.libvirt.api.domain.getattr",
                            "org.libvirt.api.connect.search-domains", "org.libvirt.api.domain.write",
                            "domain_name", "domain_uuid" },
        [OBJECT_SNAPSHOT] = { ERROR_NO_SNAPSHOT, "Domain snapshot", "domain snapshot",
                              "org.libvirt.api.domain.getattr", NULL, NULL, NULL, NULL },
        [OBJECT_NETWORK] = { ERROR_NO_NETWORK, "Network", "network", "org.libvirt.api.network.getattr",
                             "org.libvirt.api.connect.search-networks", "org.libvirt.api.network.write",
                             "network_name", "network_uuid" },
        [OBJECT_INTERFACE] = { ERROR_NO_INTERFACE, "Interface", "interface",
                               "org.libvirt.api.interface.getattr",
                               "org.libvirt.api.connect.search-interfaces",
                               "org.libvirt.api.interface.write", "interface_name", NULL },
        [OBJECT_NODE_DEVICE] = { ERROR_NO_NODE_DEVICE, "Node device", "node device",
                                 "org.libvirt.api.node-device.getattr",
                                 "org.libvirt.api.connect.search-node-devices",
                                 "org.libvirt.api.node-device.write", "node_device_name", NULL },
        [OBJECT_NWFILTER] = { ERROR_NO_NWFILTER, "Network filter", "nwfilter",
                              "org.libvirt.api.nwfilter.getattr", "org.libvirt.api.connect.search-nwfilters",
                              "org.libvirt.api.nwfilter.write", "nwfilter_name", "nwfilter_uuid" },
        [OBJECT_SECRET] = { ERROR_NO_SECRET, "Secret", "secret", "org.libvirt.api.secret.getattr",
                            "org.libvirt.api.connect.search-secrets", "org.libvirt.api.secret.write", NULL,
                            "secret_uuid" },
        [OBJECT_STORAGE_POOL] = { ERROR_NO_STORAGE_POOL, "Storage pool", "storage pool",
                                  "org.libvirt.api.storage-pool.getattr",
                                  "org.libvirt.api.connect.search-storage-pools",
                                  "org.libvirt.api.storage-pool.write", "pool_name", "pool_uuid" },
        [OBJECT_STORAGE_VOLUME] = { ERROR_NO_STORAGE_VOLUME, "Storage volume", "storage vol",
                                    "org.libvirt.api.storage-vol.getattr",
                                    "org.libvirt.api.storage-pool.search-storage-vols",
                                    "org.libvirt.api.storage-vol.data-write", "vol_name", NULL },
        [OBJECT_JOB] = { ERROR_NO_JOB, "Job", "job", NULL, NULL, NULL, NULL, NULL },
        [OBJECT_MANAGER] = { ERROR_NO_OBJECT, "Manager", "manager", NULL, NULL,
                             "org.libvirt.api.connect.write", NULL, NULL },
};

const KindFacts *kind_facts(ObjectKind kind)
{
        return &facts[kind];
}

int kind_set_missing(Error *error, ObjectKind kind, const char *key, const char *value)
{
        return error_set(error, facts[kind].missing, "%s not found: no %s with matching %s '%s'",
                         facts[kind].title, facts[kind].noun, key, value);
}
