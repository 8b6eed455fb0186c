/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel takes its time with drivers, so that each operation is a step of a worker. driver_override
 * stays with the device until it is cleared or the host boots: nothing of ours need be kept. */

#include "drivers/host/pci-bind.h"
#include "core/fiber.h"
#include "core/worker.h"
#include "drivers/host/sysfs.h"
#include <errno.h>
#include <string.h>

#define DRIVERS "/sys/bus/pci/drivers"

typedef struct Task {
        const char *path, *driver;
        Error error;
} Task;

static int run(WorkerFunction step, const char *path, const char *driver, Error *error) AWAITS
{
        Task task = { .path = path, .driver = driver };
        int r = worker_finish(step, &task);

        if (r < 0)
                error_move(error, &task.error);
        return r;
}

static int fail(Task *task, int r, const char *what)
{
        return error_set_errno(&task->error, r, "%s: cannot %s", task->path, what);
}

static int unbind(const Task *task)
{
        _cleanup_(freep) char *address = g_path_get_basename(task->path);
        int r = sysfs_write(task->path, "driver/unbind", address);

        return r == -ENOENT ? 0 : r; /* none has it */
}

/* "" clears it. */
static int set_override(const Task *task, const char *driver)
{
        _cleanup_(freep) char *line = g_strconcat(driver, "\n", NULL);

        return sysfs_write(task->path, "driver_override", line);
}

static int probe(const Task *task)
{
        _cleanup_(freep) char *address = g_path_get_basename(task->path);

        return sysfs_write("/sys/bus/pci", "drivers_probe", address);
}

static bool has_driver(const Task *task, const char *driver)
{
        _cleanup_(freep) char *present = sysfs_read_link_name(task->path, "driver");

        return g_strcmp0(present, driver) == 0;
}

static int bind_step(void *data)
{
        Task *task = data;
        _cleanup_(freep) char *folder = g_build_filename(DRIVERS, task->driver, NULL);
        int r;

        if (has_driver(task, task->driver))
                return 0;
        if (access(folder, F_OK) < 0)
                return error_set(&task->error, ERROR_NOT_SUPPORTED,
                                 "The kernel has no PCI driver '%s': its module is not loaded, or it was "
                                 "built without",
                                 task->driver);
        r = set_override(task, task->driver);
        if (r < 0)
                return fail(task, r, "choose its driver");
        r = unbind(task);
        if (r >= 0)
                r = probe(task);
        if (r >= 0 && has_driver(task, task->driver))
                return 0;
        (void)set_override(task, ""); /* the failure is told; this is to be as before */
        (void)probe(task);
        return r < 0 ? fail(task, r, "bind it")
                     : error_set(&task->error, ERROR_OPERATION_FAILED,
                                 "%s: the driver '%s' does not take it", task->path, task->driver);
}

int pci_bind(const char *path, const char *driver, Error *error)
{
        return run(bind_step, path, driver, error);
}

static int release_step(void *data)
{
        Task *task = data;
        int r = set_override(task, "");

        if (r >= 0)
                r = unbind(task);
        if (r >= 0)
                r = probe(task);
        return r < 0 ? fail(task, r, "give it back to the kernel's driver") : 0;
}

int pci_release(const char *path, Error *error)
{
        return run(release_step, path, NULL, error);
}

static int reset_step(void *data)
{
        Task *task = data;
        int r = sysfs_write(task->path, "reset", "1");

        if (r == -ENOENT)
                return error_set(&task->error, ERROR_NOT_SUPPORTED, "%s: the device has no reset of its own",
                                 task->path);
        return r < 0 ? fail(task, r, "reset it") : 0;
}

int pci_reset(const char *path, Error *error)
{
        return run(reset_step, path, NULL, error);
}
