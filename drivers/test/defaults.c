/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names, UUIDs and sizes are those of libvirt's test driver, as clients' own tests expect them. They come to
 * be as a client would make them, by definitions. */

#include "drivers/test/defaults.h"
#include "drivers/host/interfaces.h"
#include "drivers/network/networks.h"
#include "drivers/storage/pools.h"
#include "drivers/test/define.h"
#include "drivers/test/machine.h"
#include <string.h>

static const char machine_xml[] = "<domain type='test'>"
                                  "<name>test</name>"
                                  "<uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>"
                                  "<memory>8388608</memory>"
                                  "<currentMemory>2097152</currentMemory>"
                                  "<vcpu>2</vcpu>"
                                  "<os><type>hvm</type></os>"
                                  "</domain>";

static const char network_xml[] = "<network>"
                                  "<name>default</name>"
                                  "<uuid>dd8fe884-6c02-601e-7551-cca97df1c5df</uuid>"
                                  "<bridge name='virbr0'/>"
                                  "<forward/>"
                                  "<ip address='192.168.122.1' netmask='255.255.255.0'>"
                                  "<dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp>"
                                  "</ip>"
                                  "</network>";

static const char pool_xml[] = "<pool type='dir'>"
                               "<name>default-pool</name>"
                               "<uuid>dfe224cb-28fb-8dd0-c4b2-64eb3f0f4566</uuid>"
                               "<target><path>/default-pool</path></target>"
                               "</pool>";

static const char interface_xml[] = "<interface type='ethernet' name='eth1'>"
                                    "<start mode='onboot'/>"
                                    "<mac address='aa:bb:cc:dd:ee:ff'/>"
                                    "</interface>";

#define FC_HOST(name, parent, number, digits, more)                                                         \
        "<device><name>" name "</name><parent>" parent "</parent>"                                          \
        "<capability type='scsi_host'><host>" number "</host>"                                              \
        "<capability type='fc_host'>"                                                                       \
        "<wwnn>20000000" digits "</wwnn><wwpn>10000000" digits "</wwpn>"                                    \
        "</capability>" more "</capability></device>"
#define VPORTS "<capability type='vport_ops'><max_vports>127</max_vports><vports>0</vports></capability>"

const char *const defaults_devices[] = {
        "<device><name>computer</name>"
        "<capability type='system'><hardware/><firmware/></capability></device>",
        FC_HOST("scsi_host1", "computer", "1", "12341234", VPORTS),
        FC_HOST("scsi_host2", "computer", "2", "56785678", VPORTS),
        FC_HOST("scsi_host11", "scsi_host1", "11", "34563456", ""),
        NULL,
};

static int machine_make(Call *call, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        _cleanup_(domain_unrefp) Domain *domain = NULL;
        int r = domain_definition_parse(machine_xml, strlen(machine_xml), 0, &definition, error);

        if (r >= 0)
                r = define_prepare(definition, error);
        if (r < 0)
                return r;
        domain = domain_new(call->driver, TAKE_PTR(definition), call->owner);
        domain->is_persistent = true;
        r = object_table_add(call->driver->objects, &domain->object);
        if (r < 0)
                return error_set_errno(error, r, "Cannot add the %s", object_describe(&domain->object));
        machine_start(domain, domain->definition, &machine_boot, false, NULL);
        return 0;
}

static int network_make(Call *call, Error *error) AWAITS
{
        NetworkDefinition *definition;
        Network *network;
        int r = network_definition_parse(network_xml, strlen(network_xml), DEFINITION_INACTIVE, &definition,
                                         error);

        if (r >= 0)
                r = networks_define(call, NULL, definition, &network, error);
        if (r < 0)
                return r;
        r = networks_create(call, network, error);
        if (r >= 0)
                r = networks_set_autostart(call, network, true, error);
        object_unref(&network->object);
        return r;
}

static int pool_make(Call *call, Error *error) AWAITS
{
        StoragePoolDefinition *definition;
        StoragePool *pool;
        int r = storage_pool_definition_parse(pool_xml, strlen(pool_xml), DEFINITION_INACTIVE, &definition,
                                              error);

        if (r >= 0)
                r = pools_define(call, NULL, definition, &pool, error);
        if (r < 0)
                return r;
        r = pools_create(call, pool, 0, error);
        object_unref(&pool->object);
        return r;
}

static int interface_make(Call *call, Error *error) AWAITS
{
        HostInterface *interface;
        int r = interfaces_define_xml(call, interface_xml, 0, &interface, error);

        if (r < 0)
                return r;
        r = interfaces_create(call, interface, 0, error);
        object_unref(&interface->object);
        return r;
}

int defaults_make(Driver *driver, Error *error)
{
        uid_t owner = driver->config->is_system ? 0 : driver->config->uid;
        Call call = { .driver = driver, .uid = owner, .owner = owner, .deadline_usec = DEADLINE_NEVER };
        int r = machine_make(&call, error);

        if (r >= 0)
                r = network_make(&call, error);
        if (r >= 0)
                r = pool_make(&call, error);
        return r < 0 ? r : interface_make(&call, error);
}
