/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The QEMU driver's life: folders, definitions, machines taken back, machines started by themselves. */

#include "core/fiber.h"
#include "core/log.h"
#include "core/store.h"
#include "drivers/qemu/definitions.h"
#include "drivers/qemu/operations.h"
#include "drivers/qemu/qemu.h"
#include "drivers/qemu/recover.h"

#define AUTOSTART_TIMEOUT_USEC (120 * G_USEC_PER_SEC)

/* A start that nobody called for. */
static void start_fiber(void *data)
{
        _cleanup_(domain_unrefp) Domain *domain = data;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(job_releasep) Job *job = NULL;
        Call call = {
                .driver = domain->object.driver,
                .uid = domain->object.owner,
                .owner = domain->object.owner,
                .deadline_usec = deadline_after_usec(AUTOSTART_TIMEOUT_USEC),
        };
        int r;

        r = job_take(domain->object.jobs, JOB_START, "Autostart", (uid_t)-1, call.deadline_usec, &job,
                     &error);
        call.job = job;
        if (r >= 0 && !domain->object.is_gone && !domain_is_active(domain))
                r = qemu_domain_create(&call, domain, 0, &error);
        if (r < 0)
                log_error(domain->object.path, "%s", error.message);
}

static void start(Domain *domain)
{
        if (fiber_start("autostart", start_fiber, domain_ref(domain)) < 0) {
                domain_unref(domain);
                log_error(domain->object.path, "the machine is not started: too much is going on");
        }
}

static int folder_open(const char *parent, const char *name, mode_t mode, char **ret_path, Error *error)
{
        _cleanup_(freep) char *path = g_build_filename(parent, name, NULL);
        int fd = store_open_folder(path, mode, error);

        if (fd >= 0 && ret_path)
                *ret_path = TAKE_PTR(path);
        return fd;
}

static void qemu_close(Driver *driver)
{
        QemuDriver *qemu = qemu_driver(driver);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = object_table_list(driver->objects, OBJECT_DOMAIN);

        machine_restart = NULL;
        for (unsigned i = 0; i < domains->len; i++) {
                Domain *domain = domains->pdata[i];

                if (domain->private_free)
                        domain->private_free(TAKE_PTR(domain->private_data));
                domain->private_free = NULL;
        }
        qemu->cache = capabilities_cache_free(qemu->cache);
        closep(&qemu->definitions_fd);
        closep(&qemu->runs_fd);
        g_free(qemu->runs_path);
        g_free(qemu->logs_path);
        g_free(qemu);
        driver->private_data = NULL;
}

static int qemu_open(Driver *driver, Error *error)
{
        QemuDriver *qemu = g_new0(QemuDriver, 1);
        _cleanup_(closep) int logs_fd = -EBADF;
        int r;

        qemu->definitions_fd = qemu->runs_fd = -EBADF;
        driver->private_data = qemu;
        r = qemu->definitions_fd = folder_open(driver->config->config_dir, "qemu", 0700, NULL, error);
        if (r >= 0)
                r = qemu->runs_fd =
                        folder_open(driver->config->run_dir, "qemu", 0711, &qemu->runs_path, error);
        if (r >= 0)
                r = logs_fd = folder_open(driver->config->state_dir, "qemu", 0711, &qemu->logs_path, error);
        if (r >= 0)
                r = definitions_load(driver, error);
        if (r < 0) {
                qemu_close(driver);
                return r;
        }
        qemu->cache = capabilities_cache_new(driver->config, NULL);
        machine_restart = start;
        return 0;
}

/* The version that Version shows: of the distribution's binary for this host. */
static void version_learn(QemuCapabilities *capabilities, void *data)
{
        Driver *driver = data;

        if (driver->version != 0 && g_strcmp0(capabilities->arch, "x86_64") != 0)
                return;
        driver->version = capabilities->version;
        object_changed(&driver->object, "Version");
}

static void probe_fiber(void *data)
{
        Driver *driver = data;

        capabilities_probe_all(qemu_driver(driver)->cache);
        if (driver->private_data)
                capabilities_foreach(qemu_driver(driver)->cache, version_learn, driver);
}

static void qemu_run(Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = NULL;

        recover_adopt(driver);
        recover_run(driver);
        if (fiber_start("probe", probe_fiber, driver) < 0)
                log_warning(driver->object.path, "binaries are looked at when they are needed");
        domains = object_table_list(driver->objects, OBJECT_DOMAIN);
        for (unsigned i = 0; i < domains->len; i++) {
                Domain *domain = domains->pdata[i];

                if (domain->is_autostart && !domain_is_active(domain))
                        start(domain);
        }
}

const DriverType qemu_driver_type = {
        .name = "QEMU",
        .uri_system = "qemu:///system",
        .uri_session = "qemu:///session",
        .operations = &qemu_operations,
        .kinds = 1u << OBJECT_DOMAIN,
        .open = qemu_open,
        .run = qemu_run,
        .close = qemu_close,
        .define_domain = qemu_define_domain,
        .create_domain = qemu_create_domain,
};
