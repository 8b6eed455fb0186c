/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A driver's end: what it has put off is told before it goes. Which of its machines has which device of the
 * host. */

#include "drivers/host/given.h"
#include "drivers/network/pool.h"
#include "on-fiber.h"
#include <errno.h>
#include <string.h>

static const DriverType example = { .name = "Example", .uri_session = "example:///session" };

static void counts_changes(int type, const void *event, void *data)
{
        const Object *object = ((const ObjectEvent *)event)->object;

        assert_int_equal(type, EVENT_OBJECT_CHANGED);
        assert_string_equal(object->changed->pdata[0], "Version");
        ++*(unsigned *)data;
}

static void changes_of_the_last_turn_are_told(void **state)
{
        const Config config = {};
        unsigned n_changes = 0;

        (void)state;
        assert_int_equal(loop_open(), 0);
        Driver *driver = driver_new(&example, &config);
        (void)event_listen(driver->events, counts_changes, &n_changes);
        object_changed(&driver->object, "Version");
        assert_int_equal(n_changes, 0);
        driver_free(driver);
        assert_int_equal(n_changes, 1);
        loop_close();
}

static void changes_another(int type _unused_, const void *event, void *data)
{
        Driver *other = data;

        if (((const ObjectEvent *)event)->object != &other->object)
                object_changed(&other->object, "Version");
}

/* Before a call is answered: what listeners change meanwhile as well, and nothing twice. */
static void changes_are_told_when_asked(void **state)
{
        const Config config = {};
        unsigned n_changes = 0, n_others = 0;

        (void)state;
        assert_int_equal(loop_open(), 0);
        Driver *driver = driver_new(&example, &config), *other = driver_new(&example, &config);
        (void)event_listen(driver->events, counts_changes, &n_changes);
        (void)event_listen(driver->events, changes_another, other);
        (void)event_listen(other->events, counts_changes, &n_others);
        for (unsigned i = 1; i <= 3; i++) {
                object_changed(&driver->object, "Version");
                object_changed(&driver->object, "Version");
                objects_tell_changes();
                assert_int_equal(n_changes, i);
                assert_int_equal(n_others, i);
        }
        loop_flush();
        assert_int_equal(n_changes, 3);
        object_changed(&driver->object, "Version"); /* told by the loop again */
        loop_flush();
        assert_int_equal(n_changes, 4);
        assert_int_equal(n_others, 4);
        driver_free(other);
        driver_free(driver);
        loop_close();
}

static Domain *machine(Driver *driver, const char *name)
{
        _cleanup_(freep) char *xml = g_strdup_printf(
                "<domain type='qemu'><name>%s</name><memory>65536</memory><os><type arch='x86_64' "
                "machine='q35'>hvm</type></os></domain>",
                name);
        DomainDefinition *definition = NULL;

        assert_true(domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, NULL) >= 0);
        return domain_new(driver, definition, 0);
}

static void pass_device(Driver *driver)
{
        static const char device[] = "usb 1:2";
        _cleanup_(domain_unrefp) Domain *one = machine(driver, "one"), *two = machine(driver, "two");
        _cleanup_(error_clear) Error error = {}, leaving = {};

        given_open(driver);
        assert_int_equal(given_take(one, device, DEADLINE_NEVER, NULL), 0);
        assert_int_equal(given_take(one, device, DEADLINE_NEVER, NULL), 1);
        assert_true(given_find(driver, device) == one);
        assert_true(given_take(two, device, DEADLINE_NEVER, &error) < 0);
        assert_string_equal(error.message, "The device usb 1:2 is in use by machine 'one'");
        /* Nobody's any more, and not free yet. */
        given_leave(driver, device);
        assert_null(given_find(driver, device));
        assert_false(given_is_free(driver, device));
        assert_int_equal(given_take(two, device, deadline_after_usec(0), &leaving), -ETIMEDOUT);
        given_drop(driver, device);
        assert_true(given_is_free(driver, device));
        assert_int_equal(given_take(two, device, DEADLINE_NEVER, NULL), 0);
        assert_true(given_find(driver, device) == two);
        given_close(driver);
}

/* Chosen for a machine it is nobody else's, and is taken later. */
static void reserve(Driver *driver)
{
        static const char device[] = "0000:01:10.0";
        _cleanup_(domain_unrefp) Domain *one = machine(driver, "one"), *two = machine(driver, "two");

        given_open(driver);
        assert_int_equal(given_reserve(one, device, DEADLINE_NEVER, NULL), 0);
        assert_true(given_take(two, device, DEADLINE_NEVER, NULL) < 0);
        assert_int_equal(given_take(one, device, DEADLINE_NEVER, NULL), 0);
        assert_int_equal(given_take(one, device, DEADLINE_NEVER, NULL), 1);
        given_close(driver);
}

/* Of an earlier run, of which nothing is known: nobody's, and nobody gets it. */
static void hold(Driver *driver)
{
        static const char device[] = "0000:01:10.0";
        _cleanup_(domain_unrefp) Domain *one = machine(driver, "one");
        _cleanup_(error_clear) Error error = {};

        given_open(driver);
        given_hold(driver, device);
        assert_true(given_is_held(driver, device));
        assert_false(given_is_free(driver, device) || given_is_leaving(driver, device));
        assert_null(given_find(driver, device));
        assert_true(given_take(one, device, DEADLINE_NEVER, &error) < 0);
        assert_non_null(strstr(error.message, "may be in use by an earlier run"));
        error_clear(&error);
        assert_true(given_check_free(driver, device, &error) < 0);
        assert_non_null(strstr(error.message, "may be in use by an earlier run"));
        given_leave(driver, device);
        assert_true(given_is_leaving(driver, device));
        given_drop(driver, device);
        assert_int_equal(given_take(one, device, DEADLINE_NEVER, NULL), 0);
        assert_false(given_is_held(driver, device));
        given_close(driver);
}

#define FIRST  "0000:01:10.0"
#define SECOND "0000:01:10.2"
#define POOL(tag)                                                                                           \
        "<network><name>pool</name><forward mode='hostdev' managed='yes'><address type='pci' domain='0' "   \
        "bus='0x01' slot='0x10' function='0'/><address type='pci' domain='0' bus='0x01' slot='0x10' "       \
        "function='0x2'/></forward><portgroup name='group'><vlan><tag id='" tag "'/></vlan></portgroup>"    \
        "</network>"

static NetworkDefinition *parsed(const char *xml)
{
        NetworkDefinition *definition = NULL;

        assert_true(network_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, NULL) >= 0);
        return definition;
}

static void assert_chosen(const VirtualNetwork *network, const char *expected)
{
        DeviceAddress device;
        _cleanup_(freep) char *name = NULL;

        assert_int_equal(pool_choose(network, &device, NULL), 0);
        name = device_address_to_string(&device);
        assert_string_equal(name, expected);
}

static void drop_second(void *driver)
{
        (void)await_until(deadline_after_usec(0)); /* until the other waits */
        given_drop(driver, SECOND);
}

static void choose(Driver *driver)
{
        _cleanup_(domain_unrefp) Domain *one = machine(driver, "one"), *two = machine(driver, "two");
        _cleanup_(network_definition_freep) NetworkDefinition *definition = parsed(POOL("7"));
        _cleanup_(error_clear) Error exhausted = {}, leaving = {};
        const VirtualNetwork network = { .network.object.driver = driver, .live = definition };
        DeviceAddress device;

        given_open(driver);
        assert_chosen(&network, FIRST);
        assert_int_equal(given_take(one, FIRST, DEADLINE_NEVER, NULL), 0);
        assert_chosen(&network, SECOND);
        given_leave(driver, FIRST);
        assert_chosen(&network, SECOND); /* which is free */
        assert_int_equal(given_take(two, SECOND, DEADLINE_NEVER, NULL), 0);
        assert_chosen(&network, FIRST);
        /* It is waited for, and the other becomes free before it. */
        assert_int_equal(given_wait(driver, FIRST, deadline_after_usec(0), &leaving), -ETIMEDOUT);
        assert_non_null(strstr(leaving.message, FIRST));
        assert_int_equal(fiber_start("drop", drop_second, driver), 0);
        assert_int_equal(given_wait(driver, FIRST, DEADLINE_NEVER, NULL), 0);
        assert_chosen(&network, SECOND);
        given_drop(driver, FIRST);
        assert_int_equal(given_take(one, SECOND, DEADLINE_NEVER, NULL), 0);
        assert_int_equal(given_take(two, FIRST, DEADLINE_NEVER, NULL), 0);
        assert_true(pool_choose(&network, &device, &exhausted) < 0);
        assert_string_equal(exhausted.message, "All devices of the network 'pool' are in use: " FIRST
                                               " by machine 'two', " SECOND " by machine 'one'");
        given_drop(driver, SECOND);
        given_hold(driver, SECOND);
        error_clear(&exhausted);
        assert_true(pool_choose(&network, &device, &exhausted) < 0);
        assert_string_equal(exhausted.message, "All devices of the network 'pool' are in use: " FIRST
                                               " by machine 'two', " SECOND " by an earlier run");
        given_close(driver);
}

static void keep_vlan(Driver *driver)
{
        _cleanup_(network_definition_freep) NetworkDefinition *definition = parsed(POOL("7")),
                                                              *changed = parsed(POOL("8"));
        _cleanup_(error_clear) Error error = {};
        NetworkPort port = { .device = (char *)FIRST,
                             .portgroup = (char *)"group",
                             .vlan = definition->port_groups.items[0]->vlan };
        VirtualNetwork network = { .network.object.driver = driver,
                                   .network.ports = g_ptr_array_new(),
                                   .live = definition };

        g_ptr_array_add(network.network.ports, &port);
        assert_true(active_change(&network, changed, &error) < 0);
        assert_non_null(strstr(error.message, "the virtual function " FIRST ", which stays in its VLAN"));
        assert_ptr_equal(network.live, definition);
        g_ptr_array_unref(network.network.ports);
}

static void with_driver(void *data)
{
        void (*const *test)(Driver * driver) = data;
        const Config config = {};
        Driver *driver = driver_new(&example, &config);

        (*test)(driver);
        driver_free(driver);
}

static void on_driver(void (*test)(Driver *driver))
{
        on_fiber(with_driver, &test);
}

static void a_device_is_one_machines(void **state)
{
        (void)state;
        on_driver(pass_device);
        on_driver(reserve);
        on_driver(hold);
}

static void of_a_pool_the_first_that_is_free(void **state)
{
        (void)state;
        on_driver(choose);
}

static void a_function_stays_in_its_vlan(void **state)
{
        (void)state;
        on_driver(keep_vlan);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(changes_of_the_last_turn_are_told),
                cmocka_unit_test(changes_are_told_when_asked),
                cmocka_unit_test(a_device_is_one_machines),
                cmocka_unit_test(of_a_pool_the_first_that_is_free),
                cmocka_unit_test(a_function_stays_in_its_vlan),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
