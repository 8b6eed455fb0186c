/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Devices of the host go back whenever a machine ends. */

#include "drivers/host/given.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/passthrough.h"
#include "qemu-stage.h"

#define FIRST  "usb 1:2"
#define SECOND "usb 1:3"
#define DEVICES                                                                                             \
        "<devices><hostdev mode='subsystem' type='usb'><source><address bus='1' device='2'/></source>"      \
        "</hostdev><hostdev mode='subsystem' type='usb'><source><address bus='1' device='3'/></source>"     \
        "</hostdev></devices>"

#define NVME_NAME "0000:01:00.0"
#define NVME                                                                                                \
        "<devices><disk type='nvme'><source type='pci' namespace='1'><address domain='0' bus='1' slot='0' " \
        "function='0'/></source><target dev='vda' bus='virtio'/></disk><hostdev mode='subsystem' "          \
        "type='usb'><source><address bus='1' device='2'/></source></hostdev></devices>"

static Domain *running(Stage *stage)
{
        Domain *domain = machine_new(stage->driver, stage_definition(""), 0);

        domain->is_persistent = true;
        machine_of(domain)->run++;
        machine_of(domain)->phase = MACHINE_RUNNING;
        domain_set_live(domain, stage_definition(""));
        return domain;
}

static void end_it(void *data)
{
        Domain *domain = data;

        assert_int_equal(await_turn(), 0);
        assert_true(given_find(domain->object.driver, FIRST) == domain); /* and it waits for the other */
        end_run(domain);
        given_drop(domain->object.driver, SECOND);
}

static void ends_while_it_gets_them(void *data)
{
        Stage *stage = data;
        Domain *domain = running(stage);
        _cleanup_(domain_definition_freep) DomainDefinition *wanted = stage_definition(DEVICES);
        _cleanup_(run_user_clear) RunUser user = {};
        _cleanup_(error_clear) Error error = {};

        given_open(stage->driver);
        given_leave(stage->driver, SECOND);
        assert_int_equal(fiber_start("end", end_it, domain), 0);
        assert_true(passthrough_take(domain, wanted, &user, DEADLINE_NEVER, &error) < 0);
        assert_non_null(strstr(error.message, "ended"));
        while (fiber_count() > 1) /* what gives back */
                assert_int_equal(await_turn(), 0);
        assert_true(given_is_free(stage->driver, FIRST));
        assert_true(given_is_free(stage->driver, SECOND));
        /* The next run gets them. */
        machine_of(domain)->phase = MACHINE_STARTING;
        assert_int_equal(passthrough_take(domain, wanted, &user, DEADLINE_NEVER, NULL), 0);
        assert_true(given_find(stage->driver, SECOND) == domain);
        passthrough_give_back_all(domain);
        assert_true(given_is_free(stage->driver, SECOND));
        given_close(stage->driver);
        domain_unref(domain);
        stage_close(stage);
}

static void a_machine_that_ends_while_it_gets_devices(void **state)
{
        Stage stage;

        (void)state;
        stage_open(&stage);
        on_fiber(ends_while_it_gets_them, &stage);
}

static void reserves(void *data)
{
        Stage *stage = data;
        Domain *domain = running(stage);
        _cleanup_(domain_definition_freep) DomainDefinition *wanted = stage_definition(NVME);

        given_open(stage->driver);
        assert_int_equal(passthrough_reserve(domain, wanted, DEADLINE_NEVER, NULL), 0);
        assert_true(given_find(stage->driver, NVME_NAME) == domain);
        assert_true(given_is_free(stage->driver, FIRST)); /* no network has a pool of those */
        assert_int_equal(given_take(domain, NVME_NAME, DEADLINE_NEVER, NULL), 0);
        passthrough_give_back_all(domain);
        assert_true(given_is_free(stage->driver, NVME_NAME));
        given_close(stage->driver);
        domain_unref(domain);
        stage_close(stage);
}

static void what_no_pool_may_choose(void **state)
{
        Stage stage;

        (void)state;
        stage_open(&stage);
        on_fiber(reserves, &stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_machine_that_ends_while_it_gets_devices),
                cmocka_unit_test(what_no_pool_may_choose),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
