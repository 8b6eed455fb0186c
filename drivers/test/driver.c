/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The driver's own life: it begins with the one machine that clients of libvirt's test:///default know, and
 * nothing of it outlives the process. */

#include "drivers/test/define.h"
#include "drivers/test/machine.h"
#include "drivers/test/test.h"
#include <string.h>

static const char default_machine[] = "<domain type='test'>"
                                      "<name>test</name>"
                                      "<uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>"
                                      "<memory>8388608</memory>"
                                      "<currentMemory>2097152</currentMemory>"
                                      "<vcpu>2</vcpu>"
                                      "<os><type>hvm</type></os>"
                                      "</domain>";

/* What libvirt's test driver says of itself. */
#define TEST_VERSION 2

static int driver_open(Driver *driver, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        _cleanup_(domain_unrefp) Domain *domain = NULL;
        int r = domain_definition_parse(default_machine, strlen(default_machine), 0, &definition, error);

        if (r >= 0)
                r = define_prepare(definition, error);
        if (r < 0)
                return r;
        domain = domain_new(driver, TAKE_PTR(definition),
                            driver->config->is_system ? 0 : driver->config->uid);
        domain->is_persistent = true;
        r = object_table_add(driver->objects, &domain->object);
        if (r < 0)
                return error_set_errno(error, r, "Cannot add the %s", object_describe(&domain->object));
        machine_start(domain, domain->definition, false, NULL);
        driver->version = TEST_VERSION;
        return 0;
}

const DriverType test_driver_type = {
        .name = "Test",
        .uri_system = "test:///default",
        .uri_session = "test:///default",
        .operations = &test_operations,
        .kinds = 1u << OBJECT_DOMAIN,
        .open = driver_open,
        .define_domain = test_define_domain,
        .create_domain = test_create_domain,
};
