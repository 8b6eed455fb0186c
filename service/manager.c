/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of drivers. libvirt-dbus has an object for each driver that libvirt ever had; those that do not
 * exist here are there too, so that clients get a sentence about it instead of an unknown object. */

#include "manager.h"
#include "core/fiber.h"
#include "core/log.h"
#if VIRTBUS_QEMU
#include "drivers/qemu/qemu.h"
#endif
#if VIRTBUS_TEST
#include "drivers/test/test.h"
#endif
#include <assert.h>

#define NOT_WRITTEN(driver) "virtbus has no " driver " driver yet"

static const DriverType absent_types[] = {
        { .name = "BHyve", .uri_system = "bhyve:///system", .missing = "bhyve exists on FreeBSD only" },
        { .name = "LXC", .uri_system = "lxc:///", .missing = NOT_WRITTEN("LXC") },
        { .name = "OpenVZ", .uri_system = "openvz:///system", .missing = NOT_WRITTEN("OpenVZ") },
#if !VIRTBUS_QEMU
        { .name = "QEMU",
          .uri_system = "qemu:///system",
          .uri_session = "qemu:///session",
          .missing = "virtbus was built without the QEMU driver" },
#endif
#if !VIRTBUS_TEST
        { .name = "Test",
          .uri_system = "test:///default",
          .uri_session = "test:///default",
          .missing = "virtbus was built without the Test driver" },
#endif
        { .name = "UML",
          .uri_system = "uml:///system",
          .uri_session = "uml:///session",
          .missing = NOT_WRITTEN("User Mode Linux") },
        { .name = "VBox",
          .uri_system = "vbox:///system",
          .uri_session = "vbox:///session",
          .missing = NOT_WRITTEN("VirtualBox") },
        { .name = "VMwareFusion",
          .uri_session = "vmwarefusion:///session",
          .missing = NOT_WRITTEN("VMware Fusion") },
        { .name = "VMwarePlayer",
          .uri_session = "vmwareplayer:///session",
          .missing = NOT_WRITTEN("VMware Player") },
        { .name = "VMwareWS",
          .uri_session = "vmwarews:///session",
          .missing = NOT_WRITTEN("VMware Workstation") },
        { .name = "VZ", .uri_system = "vz:///system", .missing = NOT_WRITTEN("Virtuozzo") },
        { .name = "Xen", .uri_system = "xen:///", .missing = NOT_WRITTEN("Xen") },
};

static const DriverType *const present_types[] = {
#if VIRTBUS_QEMU
        &qemu_driver_type,
#endif
#if VIRTBUS_TEST
        &test_driver_type,
#endif
        NULL,
};

/* The daemon itself: an object for the rights and the handlers that are about no driver. */
static const DriverOperations manager_operations;
static const DriverType manager_type = { .name = "", .operations = &manager_operations };

static void driver_release(void *data)
{
        driver_free(data);
}

static int compare_names(const void *a, const void *b)
{
        const Driver *const *first = a, *const *second = b;

        return g_strcmp0((*first)->name, (*second)->name);
}

static void add(GPtrArray *drivers, const DriverType *type, const Config *config)
{
        if (config->is_system ? type->uri_system : type->uri_session)
                g_ptr_array_add(drivers, driver_new(type, config));
}

void manager_new(const Config *config, GPtrArray **ret_drivers, Driver **ret_manager)
{
        GPtrArray *drivers = g_ptr_array_new_with_free_func(driver_release);

        for (size_t i = 0; i < G_N_ELEMENTS(absent_types); i++)
                add(drivers, &absent_types[i], config);
        for (size_t i = 0; present_types[i]; i++)
                add(drivers, present_types[i], config);
        g_ptr_array_sort(drivers, compare_names);
        *ret_drivers = drivers;
        *ret_manager = driver_new(&manager_type, config);
}

void manager_open(const GPtrArray *drivers)
{
        for (unsigned i = 0; i < drivers->len; i++) {
                _cleanup_(error_clear) Error error = {};
                Driver *driver = drivers->pdata[i];

                if (!driver->operations || !driver->type->open || driver->type->open(driver, &error) >= 0)
                        continue;
                log_error(driver->object.path, "the driver cannot run: %s", error.message);
                driver->operations = NULL;
                driver->missing = driver->failure = TAKE_PTR(error.message);
        }
}

static void run_fiber(void *data)
{
        Driver *driver = data;

        driver->type->run(driver);
}

void manager_run(const GPtrArray *drivers)
{
        for (unsigned i = 0; i < drivers->len; i++) {
                Driver *driver = drivers->pdata[i];
                int r = 0;

                if (driver->operations && driver->type->run)
                        r = fiber_start("driver", run_fiber, driver);
                assert(r >= 0); /* nobody else has started fibers yet */
        }
}

void manager_close(const GPtrArray *drivers)
{
        for (unsigned i = 0; i < drivers->len; i++) {
                Driver *driver = drivers->pdata[i];

                if (driver->operations && driver->type->close)
                        driver->type->close(driver);
        }
}
