/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A driver's end: what it has put off is told before it goes. */

#include "core/loop.h"
#include "driver.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(changes_of_the_last_turn_are_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
