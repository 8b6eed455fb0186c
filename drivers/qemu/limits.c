/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Version 2 has one group for a machine: made by the daemon. Version 1 has
 * one for each controller that is needed. Processors whose share of time is limited have groups of their own
 * below. Shares of the host are the host's administrators' to give: a user's own machine has none. */

#include "drivers/qemu/limits.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/threads.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNT  "/sys/fs/cgroup"
#define PARENT "virtbus"

/* The kernel's own, where only a quota is given. */
#define PERIOD_DEFAULT_USEC 100000

static const char *const controllers[] = { "cpu", "memory", "blkio" };

static bool is_unified(void)
{
        return access(MOUNT "/cgroup.controllers", F_OK) >= 0;
}

/* The machine's group, below a controller of version 1; the caller frees. */
static char *group_path(const char *uuid, const char *controller)
{
        _cleanup_(freep) char *name = folder_name(uuid);

        return is_unified() ? g_build_filename(MOUNT, PARENT, name, NULL)
                            : g_build_filename(MOUNT, controller, PARENT, name, NULL);
}

_printf_(4, 5) static int group_write(const char *group, const char *file, Error *error, const char *format,
                                      ...)
{
        _cleanup_(freep) char *path = g_build_filename(group, file, NULL), *text = NULL;
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
        va_list arguments;

        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        if (fd < 0 || write(fd, text, strlen(text)) < 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "Cannot write '%s' to %s: %s", text, path,
                                 g_strerror(errno));
        return 0;
}

static int make_folder(const char *path, Error *error)
{
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Limits need control groups that the daemon may make: %s: %s", path,
                                 g_strerror(errno));
        return 0;
}

/* Makes the group; for version 2 the controllers are handed down to it. */
static int group_make(const char *group, Error *error)
{
        _cleanup_(freep) char *parent = g_path_get_dirname(group);
        int r = make_folder(parent, error);

        if (r >= 0 && is_unified())
                r = group_write(MOUNT, "cgroup.subtree_control", error, "+cpu +memory +io");
        if (r >= 0 && is_unified())
                r = group_write(parent, "cgroup.subtree_control", error, "+cpu +memory +io");
        return r < 0 ? r : make_folder(group, error);
}

static bool has_quota(const CpuTune *tune)
{
        return tune->quota_usec || tune->period_usec || tune->emulator_quota_usec ||
               tune->emulator_period_usec || tune->iothread_quota_usec || tune->iothread_period_usec;
}

static bool needs_cpu(const DomainDefinition *definition)
{
        const CpuTune *tune = definition->cpu_tune;

        return tune &&
               (tune->shares || tune->global_quota_usec || tune->global_period_usec || has_quota(tune));
}

bool limits_need_groups(const DomainDefinition *definition)
{
        return needs_cpu(definition) || definition->memory_tune || definition->blkio_tune;
}

static bool has_realtime(const CpuTune *tune)
{
        if (!tune)
                return false;
        LIST_FOREACH (vcpus, tune->vcpuscheds) {
                if (vcpus->scheduler == SCHEDULER_FIFO || vcpus->scheduler == SCHEDULER_RR)
                        return true;
        }
        LIST_FOREACH (iothreads, tune->iothreadscheds) {
                if (iothreads->scheduler == SCHEDULER_FIFO || iothreads->scheduler == SCHEDULER_RR)
                        return true;
        }
        return tune->emulatorsched == SCHEDULER_FIFO || tune->emulatorsched == SCHEDULER_RR;
}

int limits_check(const Domain *domain, Error *error)
{
        const DomainDefinition *definition = machine_of(domain)->pending;
        bool is_users = domain->object.driver->config->is_system && domain->object.owner != 0;

        if (is_users && limits_need_groups(definition))
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "Shares of the host (<cputune>, <memtune>, <blkiotune>) are for shared machines: "
                        "the %s is a user's",
                        object_describe(&domain->object));
        if (is_users && has_realtime(definition->cpu_tune))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Real-time scheduling is for shared machines: the %s is a user's",
                                 object_describe(&domain->object));
        if (definition->memory_tune && definition->memory_tune->has_min_guarantee)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "QEMU has no <min_guarantee> of memory");
        return 0;
}

static int set_quota(const char *group, int64_t quota_usec, uint64_t period_usec, Error *error)
{
        int r;

        if (quota_usec == 0 && period_usec == 0)
                return 0;
        if (period_usec == 0)
                period_usec = PERIOD_DEFAULT_USEC;
        if (is_unified())
                return quota_usec > 0 ? group_write(group, "cpu.max", error, "%" PRId64 " %" PRIu64,
                                                    quota_usec, period_usec)
                                      : group_write(group, "cpu.max", error, "max %" PRIu64, period_usec);
        r = group_write(group, "cpu.cfs_period_us", error, "%" PRIu64, period_usec);
        if (r < 0 || quota_usec == 0)
                return r;
        return group_write(group, "cpu.cfs_quota_us", error, "%" PRId64, quota_usec);
}

static int set_cpu(const char *group, const CpuTune *tune, Error *error)
{
        int r = 0;

        if (tune->shares > 0)
                r = is_unified() ? group_write(group, "cpu.weight", error, "%" PRIu64,
                                               CLAMP(tune->shares, 1, 10000))
                                 : group_write(group, "cpu.shares", error, "%" PRIu64, tune->shares);
        return r < 0 ? r : set_quota(group, tune->global_quota_usec, tune->global_period_usec, error);
}

static int set_memory(const char *group, const MemoryTune *tune, Error *error)
{
        bool is_v2 = is_unified();
        uint64_t swap_kib = tune->swap_hard_limit_kib;
        int r = 0;

        if (tune->has_hard_limit)
                r = group_write(group, is_v2 ? "memory.max" : "memory.limit_in_bytes", error, "%" PRIu64,
                                tune->hard_limit_kib * 1024);
        if (r >= 0 && tune->has_soft_limit)
                r = group_write(group, is_v2 ? "memory.high" : "memory.soft_limit_in_bytes", error,
                                "%" PRIu64, tune->soft_limit_kib * 1024);
        if (r < 0 || !tune->has_swap_hard_limit)
                return r;
        /* The definition counts memory and swap together, and so did version 1. */
        if (is_v2)
                swap_kib -= MIN(swap_kib, tune->hard_limit_kib);
        return group_write(group, is_v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes", error,
                           "%" PRIu64, swap_kib * 1024);
}

typedef struct DeviceLimit {
        const char *v1, *v2;
        uint64_t value;
} DeviceLimit;

static int set_device(const char *group, const BlkioDevice *device, Error *error)
{
        const DeviceLimit limits[] = {
                { "blkio.throttle.read_bps_device", "rbps", device->read_bytes_sec },
                { "blkio.throttle.write_bps_device", "wbps", device->write_bytes_sec },
                { "blkio.throttle.read_iops_device", "riops", device->read_iops_sec },
                { "blkio.throttle.write_iops_device", "wiops", device->write_iops_sec },
        };
        struct stat status;
        unsigned major, minor;
        int r = 0;

        if (stat(device->path, &status) < 0 || !S_ISBLK(status.st_mode))
                return error_set(error, ERROR_INVALID_XML, "<blkiotune>: %s is no block device of this host",
                                 device->path);
        major = (unsigned)(status.st_rdev >> 8 & 0xfff);
        minor = (unsigned)((status.st_rdev & 0xff) | (status.st_rdev >> 12 & 0xfff00));
        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(limits); i++) {
                if (limits[i].value == 0)
                        continue;
                r = is_unified() ? group_write(group, "io.max", error, "%u:%u %s=%" PRIu64, major, minor,
                                               limits[i].v2, limits[i].value)
                                 : group_write(group, limits[i].v1, error, "%u:%u %" PRIu64, major, minor,
                                               limits[i].value);
        }
        if (r < 0 || device->weight == 0)
                return r;
        return group_write(group, is_unified() ? "io.weight" : "blkio.weight_device", error, "%u:%u %u",
                           major, minor, device->weight);
}

static int set_blkio(const char *group, const BlkioTune *tune, Error *error)
{
        int r = 0;

        if (tune->weight > 0)
                r = is_unified() ? group_write(group, "io.weight", error, "default %u", tune->weight)
                                 : group_write(group, "blkio.weight", error, "%u", tune->weight);
        LIST_FOREACH (device, tune->devices) {
                if (r >= 0)
                        r = set_device(group, device, error);
        }
        return r;
}

static int enter(const Domain *domain, const char *controller, char **ret_group, Error *error)
{
        _cleanup_(freep) char *group = group_path(domain->object.uuid, controller);
        int r = group_make(group, error);

        if (r >= 0)
                r = group_write(group, "cgroup.procs", error, "%d",
                                (int)child_get_pid(machine_of(domain)->child));
        if (r >= 0)
                *ret_group = TAKE_PTR(group);
        return r;
}

int limits_begin(const Domain *domain, Error *error)
{
        const DomainDefinition *definition = machine_of(domain)->pending;
        const bool needs[] = { needs_cpu(definition), definition->memory_tune != NULL,
                               definition->blkio_tune != NULL };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(controllers); i++) {
                _cleanup_(freep) char *group = NULL;

                if (!needs[i])
                        continue;
                r = enter(domain, controllers[i], &group, error);
                if (r >= 0 && i == 0)
                        r = set_cpu(group, definition->cpu_tune, error);
                else if (r >= 0 && i == 1)
                        r = set_memory(group, definition->memory_tune, error);
                else if (r >= 0)
                        r = set_blkio(group, definition->blkio_tune, error);
        }
        return r;
}

/* A thread's own group: "vcpu0", "iothread1", or "emulator" for all others. */
static int set_thread(const char *group, const CpuTune *tune, const Thread *thread, Error *error)
{
        _cleanup_(freep) char *name = NULL, *folder = NULL;
        int64_t quota_usec = tune->emulator_quota_usec;
        uint64_t period_usec = tune->emulator_period_usec;
        int r;

        if (thread->kind == THREAD_VCPU) {
                quota_usec = tune->quota_usec;
                period_usec = tune->period_usec;
                name = g_strdup_printf("vcpu%u", thread->id);
        } else if (thread->kind == THREAD_IOTHREAD) {
                quota_usec = tune->iothread_quota_usec;
                period_usec = tune->iothread_period_usec;
                name = g_strdup_printf("iothread%u", thread->id);
        } else
                name = g_strdup("emulator");
        if (quota_usec == 0 && period_usec == 0)
                return 0;
        folder = g_build_filename(group, name, NULL);
        r = make_folder(folder, error);
        if (r >= 0 && is_unified())
                r = group_write(folder, "cgroup.type", error, "threaded");
        if (r >= 0 && is_unified())
                r = group_write(group, "cgroup.subtree_control", error, "+cpu");
        if (r >= 0)
                r = set_quota(folder, quota_usec, period_usec, error);
        return r < 0 ? r
                     : group_write(folder, is_unified() ? "cgroup.threads" : "tasks", error, "%d",
                                   (int)thread->tid);
}

static bool needs_threads(const DomainDefinition *definition)
{
        const CpuTune *tune = definition->cpu_tune;

        return definition->cpuset ||
               (tune && (has_quota(tune) || tune->vcpupins.count > 0 || tune->emulatorpin ||
                         tune->iothreadpins.count > 0 || tune->vcpuscheds.count > 0 ||
                         tune->iothreadscheds.count > 0 || tune->emulatorsched != SCHEDULER_ABSENT));
}

int limits_set(const Domain *domain, uint64_t deadline_usec, Error *error)
{
        const DomainDefinition *definition = machine_of(domain)->pending;
        const CpuTune *tune = definition->cpu_tune;
        g_autoptr(GArray) threads = NULL;
        _cleanup_(freep) char *group = group_path(domain->object.uuid, "cpu");
        int r;

        if (!needs_threads(definition))
                return 0;
        r = threads_find(domain, deadline_usec, &threads, error);
        if (r >= 0)
                r = threads_set(domain, threads, error);
        for (unsigned i = 0; r >= 0 && tune && has_quota(tune) && i < threads->len; i++)
                r = set_thread(group, tune, &g_array_index(threads, Thread, i), error);
        return r;
}

static void remove_group(const char *group)
{
        g_autoptr(GDir) folder = g_dir_open(group, 0, NULL);
        const char *name;

        while (folder && (name = g_dir_read_name(folder))) {
                _cleanup_(freep) char *path = g_build_filename(group, name, NULL);

                (void)rmdir(path); /* files of the kernel are no folders */
        }
        (void)rmdir(group); /* what is left has processes still */
}

void limits_end(const char *uuid)
{
        for (size_t i = 0; i < G_N_ELEMENTS(controllers); i++) {
                _cleanup_(freep) char *group = group_path(uuid, controllers[i]);

                remove_group(group);
        }
}
