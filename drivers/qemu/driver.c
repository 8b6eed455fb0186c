/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The driver's own life. Opening reads files and waits for nothing else; what takes time (asking binaries,
 * speaking with machines that run, starting those that shall) comes after the bus names are owned. Closing
 * ends no machine. */

#include "core/fiber.h"
#include "core/log.h"
#include "core/store.h"
#include "drivers/host/devices.h"
#include "drivers/host/given.h"
#include "drivers/host/interfaces.h"
#include "drivers/network/networks.h"
#include "drivers/nwfilter/filters.h"
#include "drivers/nwfilter/ports.h"
#include "drivers/qemu/addresses.h"
#include "drivers/qemu/autostart.h"
#include "drivers/qemu/block-end.h"
#include "drivers/qemu/define.h"
#include "drivers/qemu/definitions.h"
#include "drivers/qemu/host-model.h"
#include "drivers/qemu/native.h"
#include "drivers/qemu/passthrough.h"
#include "drivers/qemu/plug.h"
#include "drivers/qemu/prepare.h"
#include "drivers/qemu/qemu.h"
#include "drivers/qemu/recover.h"
#include "drivers/qemu/save.h"
#include "drivers/qemu/snapshot-revert.h"
#include "drivers/qemu/snapshots.h"
#include "drivers/qemu/stats.h"
#include "drivers/qemu/undefine.h"
#include "drivers/secret/secrets.h"
#include "drivers/storage/pools.h"
#include "drivers/storage/transfer.h"
#include "drivers/storage/volumes.h"
#include <sys/utsname.h>

static int open_folders(Driver *driver, Error *error)
{
        const Config *config = driver->config;
        QemuDriver *qemu = qemu_driver(driver);
        _cleanup_(freep) char *definitions = g_build_filename(config->config_dir, "qemu", NULL);

        qemu->run_path = g_build_filename(config->run_dir, "qemu", NULL);
        qemu->definitions_fd = store_open_folder(definitions, 0700, error);
        if (qemu->definitions_fd < 0)
                return qemu->definitions_fd;
        qemu->run_fd = store_open_folder(qemu->run_path, 0711, error);
        return qemu->run_fd < 0 ? qemu->run_fd : 0;
}

static void driver_close(Driver *driver)
{
        QemuDriver *qemu = qemu_driver(driver);

        if (!qemu)
                return;
        addresses_close(driver);
        devices_close(driver);
        given_close(driver);
        interfaces_close(driver);
        networks_close(driver);
        filters_close(driver);
        secrets_close(driver);
        pools_close(driver);
        capabilities_cache_free(qemu->capabilities);
        closep(&qemu->definitions_fd);
        closep(&qemu->run_fd);
        g_hash_table_unref(qemu->reserved);
        g_hash_table_unref(qemu->unknown);
        condition_clear(&qemu->running);
        g_free(qemu->run_path);
        g_free(qemu);
        driver->private_data = NULL;
}

/* Machines run with what the kernel has, if it cannot be looked at. */
static void take_filters_back(Driver *driver) AWAITS
{
        _cleanup_(error_clear) Error error = {};

        if (filter_ports_take_back(driver, &error) < 0)
                log_warning(driver->object.path, "network filters were not taken back: %s", error.message);
}

static int driver_open(Driver *driver, Error *error)
{
        QemuDriver *qemu = g_new0(QemuDriver, 1);
        int r;

        qemu->driver = driver;
        qemu->definitions_fd = qemu->run_fd = -EBADF;
        qemu->reserved = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        qemu->unknown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        qemu->restart = autostart_again;
        qemu->job_changed = block_end_changed;
        qemu->capabilities = capabilities_cache_new(driver->config, NULL);
        driver->private_data = qemu;
        r = open_folders(driver, error);
        if (r >= 0)
                r = definitions_load(driver, error);
        if (r >= 0)
                r = snapshots_load(driver, error);
        if (r >= 0)
                save_load(driver);
        if (r >= 0)
                r = interfaces_open(driver, error);
        if (r >= 0)
                r = networks_open(driver, error);
        if (r >= 0)
                r = filters_open(driver, error);
        if (r >= 0 && driver->config->is_system)
                filters_ship(driver);
        if (r >= 0)
                r = secrets_open(driver, error);
        if (r >= 0)
                r = pools_open(driver, error);
        if (r >= 0)
                addresses_open(driver);
        if (r >= 0)
                devices_open(driver);
        if (r >= 0)
                given_open(driver);
        if (r >= 0)
                r = recover_machines(driver, error);
        if (r < 0) {
                driver_close(driver);
                return r;
        }
        take_filters_back(driver);
        return 0;
}

/* The hypervisor's version is that of the host's own architecture. */
static void learn_version(Driver *driver)
{
        QemuDriver *qemu = qemu_driver(driver);
        const QemuCapabilities *capabilities;
        _cleanup_(freep) char *binary = NULL;
        struct utsname host;

        if (uname(&host) < 0)
                return;
        binary = capabilities_binary_for(qemu->capabilities, arch_from_qemu(host.machine));
        capabilities = capabilities_get(qemu->capabilities, binary, 0);
        if (!capabilities)
                return;
        driver->version = capabilities->version;
        object_changed(&driver->object, "Version");
}

static void driver_run(Driver *driver)
{
        QemuDriver *qemu = qemu_driver(driver);

        qemu->is_running = true;
        condition_wake_all(&qemu->running);
        passthrough_sweep(driver); /* before anything waits, and a machine starts */
        interfaces_run(driver);
        snapshot_revert_recover_all(driver); /* before anything is started */
        save_sweep(driver);
        networks_run(driver);
        pools_run(driver);
        plug_run(driver);
        capabilities_probe_all(qemu->capabilities);
        if (fiber_is_cancelled(fiber_current()))
                return;
        learn_version(driver);
        autostart_machines(driver);
}

const DriverType qemu_driver_type = {
        .name = "QEMU",
        .uri_system = "qemu:///system",
        .uri_session = "qemu:///session",
        .operations = &qemu_operations,
        .kinds = 1u << OBJECT_DOMAIN | 1u << OBJECT_SNAPSHOT | 1u << OBJECT_INTERFACE |
                 1u << OBJECT_NETWORK | 1u << OBJECT_NODE_DEVICE | 1u << OBJECT_NWFILTER |
                 1u << OBJECT_SECRET | 1u << OBJECT_STORAGE_POOL | 1u << OBJECT_STORAGE_VOLUME,
        .open = driver_open,
        .run = driver_run,
        .close = driver_close,
        .define_domain = qemu_define_domain,
        .find_kept = qemu_find_kept,
        .prepare_domain = prepare_definition,
        .check_domain = qemu_check_domain,
        .update_cpu = qemu_update_cpu,
        .show_live = qemu_show_live,
        .create_domain = qemu_create_domain,
        .get_domain_stats = qemu_get_domain_stats,
        .define_network = networks_define,
        .create_network = networks_create_transient,
        .define_nwfilter = filters_define,
        .define_secret = secrets_define,
        .define_storage_pool = pools_define,
        .create_storage_pool = pools_create_transient,
        .list_volumes = volumes_list,
        .find_volume = volumes_find,
        .copy_volume = volumes_copy,
        .clone_volume = volumes_clone,
        .upload_volume = transfer_upload,
        .download_volume = transfer_download,
};
