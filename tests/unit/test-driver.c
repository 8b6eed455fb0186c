/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A driver's end: what it has put off is told before it goes. Which of its machines has which device of the
 * host. */

#include "drivers/host/given.h"
#include "on-fiber.h"
#include <errno.h>
#include <string.h>

static void counts_changes(int type, const void *event, void *data)
{
        const Object *object = ((const ObjectEvent *)event)->object;

        assert_int_equal(type, EVENT_OBJECT_CHANGED);
        assert_string_equal(object->changed->pdata[0], "Version");
        ++*(unsigned *)data;
}

static void changes_of_the_last_turn_are_told(void **state)
{
        static const DriverType type = { .name = "Example", .uri_session = "example:///session" };
        const Config config = {};
        unsigned n_changes = 0;

        (void)state;
        assert_int_equal(loop_open(), 0);
        Driver *driver = driver_new(&type, &config);
        (void)event_listen(driver->events, counts_changes, &n_changes);
        object_changed(&driver->object, "Version");
        assert_int_equal(n_changes, 0);
        driver_free(driver);
        assert_int_equal(n_changes, 1);
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

static void with_driver(void *data _unused_)
{
        static const DriverType type = { .name = "Example", .uri_session = "example:///session" };
        const Config config = {};
        Driver *driver = driver_new(&type, &config);

        pass_device(driver);
        driver_free(driver);
}

static void a_device_is_one_machines(void **state)
{
        (void)state;
        on_fiber(with_driver, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(changes_of_the_last_turn_are_told),
                cmocka_unit_test(a_device_is_one_machines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
