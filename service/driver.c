/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A driver's life: its object on the bus, its table of objects and its event source. What it can do comes
 * from its DriverType; what of it runs here is decided by the driver itself (manager.c opens it). */

#include "driver.h"
#include "core/loop.h"

static void driver_object_free(Object *object)
{
        /* The object is part of the driver, which driver_free() releases; nobody may hold it any longer
         * then. */
        object_done(object);
}

Driver *driver_new(const DriverType *type, const Config *config)
{
        Driver *driver = g_new0(Driver, 1);

        driver->type = type;
        driver->name = type->name;
        driver->uri = config->is_system ? type->uri_system : type->uri_session;
        driver->operations = type->operations;
        driver->missing = type->missing;
        driver->config = config;
        driver->objects = object_table_new();
        driver->events = event_source_new();
        driver->next_domain_id = 1;
        object_init(&driver->object, *type->name ? OBJECT_CONNECT : OBJECT_MANAGER, driver, type->name,
                    type->name, NULL, 0, driver_object_free);
        return driver;
}

int driver_check_runs(const Driver *driver, Error *error)
{
        return driver->operations
                       ? 0
                       : error_set(error, ERROR_NOT_SUPPORTED, "The driver %s cannot run here: %s",
                                   driver->name, driver->missing);
}

Driver *driver_free(Driver *driver)
{
        if (!driver)
                return NULL;
        driver->objects = object_table_free(driver->objects);
        loop_flush(); /* what was put off may be about the driver itself, and holds a reference to it */
        g_assert(driver->object.refs == 1);
        driver->object.is_gone = true;
        object_unref(&driver->object);
        driver->events = event_source_free(driver->events);
        g_free(driver->failure);
        g_free(driver);
        return NULL;
}
