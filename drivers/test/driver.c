/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The driver's own life. Machines are its own; all else (networks, pools ...) is of the other drivers, in
 * memory (DriverType.is_in_memory). Nothing of it outlives the process. */

#include "drivers/host/devices.h"
#include "drivers/host/interfaces.h"
#include "drivers/network/networks.h"
#include "drivers/nwfilter/filters.h"
#include "drivers/secret/secrets.h"
#include "drivers/storage/pools.h"
#include "drivers/storage/volumes.h"
#include "drivers/test/defaults.h"
#include "drivers/test/define.h"
#include "drivers/test/images.h"
#include "drivers/test/state.h"
#include "drivers/test/stats.h"
#include "drivers/test/test.h"

/* What libvirt's test driver says of itself. */
#define TEST_VERSION 2

static void driver_close(Driver *driver)
{
        TestState *state = TAKE_PTR(driver->private_data);

        networks_close(driver);
        filters_close(driver);
        secrets_close(driver);
        pools_close(driver);
        interfaces_close(driver);
        devices_close(driver);
        g_ptr_array_unref(state->saved);
        g_free(state);
}

static int driver_open(Driver *driver, Error *error)
{
        TestState *state = g_new0(TestState, 1);
        int r;

        *state = (TestState){ .saved = g_ptr_array_new_with_free_func(images_release),
                              .pages_to_scan = 100,
                              .sleep_msec = 20,
                              .merges_across_nodes = 1 };
        driver->private_data = state;
        r = networks_open(driver, error);
        if (r >= 0)
                r = filters_open(driver, error);
        if (r >= 0)
                r = secrets_open(driver, error);
        if (r >= 0)
                r = pools_open(driver, error);
        if (r >= 0)
                r = interfaces_open(driver, error);
        if (r >= 0)
                r = devices_open_in_memory(driver, defaults_devices, error);
        if (r >= 0)
                r = defaults_make(driver, error);
        if (r < 0)
                driver_close(driver);
        driver->version = TEST_VERSION;
        return r;
}

const DriverType test_driver_type = {
        .name = "Test",
        .uri_system = "test:///default",
        .uri_session = "test:///default",
        .operations = &test_operations,
        .kinds = 1u << OBJECT_DOMAIN | 1u << OBJECT_SNAPSHOT | 1u << OBJECT_INTERFACE |
                 1u << OBJECT_NETWORK | 1u << OBJECT_NODE_DEVICE | 1u << OBJECT_NWFILTER |
                 1u << OBJECT_SECRET | 1u << OBJECT_STORAGE_POOL | 1u << OBJECT_STORAGE_VOLUME,
        .is_in_memory = true,
        .scheduler = "fair",
        .open = driver_open,
        .close = driver_close,
        .define_domain = test_define_domain,
        .prepare_domain = test_prepare_domain,
        .create_domain = test_create_domain,
        .get_domain_stats = test_get_domain_stats,
        .define_network = networks_define,
        .create_network = networks_create_transient,
        .define_nwfilter = filters_define,
        .define_storage_pool = pools_define,
        .create_storage_pool = pools_create_transient,
        .list_volumes = volumes_list,
        .find_volume = volumes_find,
        .copy_volume = volumes_copy,
        .clone_volume = volumes_clone,
        .define_secret = secrets_define,
};
