/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Version 2 has one group for a machine: made by the daemon. Version 1 has
 * one for each controller that is needed. Processors whose share of time is limited have groups of their own
 * below. Shares of the host are the host's administrators' to give: a user's own machine has none.
 * What is set is what differs from what was set before, which at the start is nothing. */

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

/* And where nothing is given, of version 2, and of version 1. */
#define WEIGHT_DEFAULT       100
#define SHARES_DEFAULT       1024
#define BLKIO_WEIGHT_DEFAULT 500

enum { CPU, MEMORY, BLKIO };
static const char *const controllers[] = { [CPU] = "cpu", [MEMORY] = "memory", [BLKIO] = "blkio" };

/* What a machine without limits has. */
static const CpuTune no_cpu;
static const MemoryTune no_memory;
static const BlkioTune no_blkio;

static const CpuTune *cpu_of(const DomainDefinition *definition)
{
        return definition && definition->cpu_tune ? definition->cpu_tune : &no_cpu;
}

static const MemoryTune *memory_of(const DomainDefinition *definition)
{
        return definition && definition->memory_tune ? definition->memory_tune : &no_memory;
}

static const BlkioTune *blkio_of(const DomainDefinition *definition)
{
        return definition && definition->blkio_tune ? definition->blkio_tune : &no_blkio;
}

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

int limits_check(const Domain *domain, const DomainDefinition *definition, Error *error)
{
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
        if (is_users && definition->memory_backing && definition->memory_backing->locked)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "Memory that the host cannot have back (<memoryBacking><locked/>) is for shared "
                        "machines: the %s is a user's",
                        object_describe(&domain->object));
        if (definition->memory_tune && definition->memory_tune->has_min_guarantee)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "QEMU has no <min_guarantee> of memory");
        return 0;
}

typedef struct Quota {
        int64_t quota_usec; /* 0: not given; -1: none */
        uint64_t period_usec;
} Quota;

static int set_quota(const char *group, Quota old, Quota new, Error *error)
{
        uint64_t period_usec = new.period_usec ? new.period_usec : PERIOD_DEFAULT_USEC;
        int r;

        if (old.quota_usec == new.quota_usec && old.period_usec == new.period_usec)
                return 0;
        if (is_unified())
                return new.quota_usec > 0
                               ? group_write(group, "cpu.max", error, "%" PRId64 " %" PRIu64, new.quota_usec,
                                             period_usec)
                               : group_write(group, "cpu.max", error, "max %" PRIu64, period_usec);
        r = group_write(group, "cpu.cfs_period_us", error, "%" PRIu64, period_usec);
        if (r < 0 || old.quota_usec == new.quota_usec)
                return r;
        return group_write(group, "cpu.cfs_quota_us", error, "%" PRId64,
                           new.quota_usec > 0 ? new.quota_usec : -1);
}

static int set_cpu(const char *group, const CpuTune *old, const CpuTune *new, Error *error)
{
        int r = 0;

        if (old->shares != new->shares && is_unified())
                r = group_write(group, "cpu.weight", error, "%" PRIu64,
                                new->shares ? CLAMP(new->shares, 1, 10000) : (uint64_t)WEIGHT_DEFAULT);
        else if (old->shares != new->shares)
                r = group_write(group, "cpu.shares", error, "%" PRIu64,
                                new->shares ? new->shares : (uint64_t)SHARES_DEFAULT);
        return r < 0 ? r
                     : set_quota(group, (Quota){ old->global_quota_usec, old->global_period_usec },
                                 (Quota){ new->global_quota_usec, new->global_period_usec }, error);
}

static int write_memory(const char *group, const char *v1, const char *v2, bool is_limited, uint64_t kib,
                        Error *error)
{
        const char *file = is_unified() ? v2 : v1;

        return is_limited ? group_write(group, file, error, "%" PRIu64, kib * 1024)
                          : group_write(group, file, error, "%s", is_unified() ? "max" : "-1");
}

static int set_swap(const char *group, const MemoryTune *old, const MemoryTune *new, Error *error)
{
        uint64_t kib = new->swap_hard_limit_kib;

        if (old->has_swap_hard_limit == new->has_swap_hard_limit && old->swap_hard_limit_kib == kib &&
            (!is_unified() || old->hard_limit_kib == new->hard_limit_kib))
                return 0;
        /* The definition counts memory and swap together, and so did version 1. */
        if (is_unified())
                kib -= MIN(kib, new->hard_limit_kib);
        return write_memory(group, "memory.memsw.limit_in_bytes", "memory.swap.max",
                            new->has_swap_hard_limit, kib, error);
}

static int set_memory(const char *group, const MemoryTune *old, const MemoryTune *new, Error *error)
{
        /* Version 1 never lets memory alone have more than memory and swap together. */
        bool swap_first = !new->has_swap_hard_limit ||
                          (old->has_swap_hard_limit && new->swap_hard_limit_kib > old->swap_hard_limit_kib);
        int r = swap_first ? set_swap(group, old, new, error) : 0;

        if (r >= 0 &&
            (old->has_hard_limit != new->has_hard_limit || old->hard_limit_kib != new->hard_limit_kib))
                r = write_memory(group, "memory.limit_in_bytes", "memory.max", new->has_hard_limit,
                                 new->hard_limit_kib, error);
        if (r >= 0 &&
            (old->has_soft_limit != new->has_soft_limit || old->soft_limit_kib != new->soft_limit_kib))
                r = write_memory(group, "memory.soft_limit_in_bytes", "memory.high", new->has_soft_limit,
                                 new->soft_limit_kib, error);
        return r < 0 || swap_first ? r : set_swap(group, old, new, error);
}

typedef struct DeviceLimit {
        const char *v1, *v2;
        uint64_t old, new;
} DeviceLimit;

static int set_device(const char *group, const BlkioDevice *old, const BlkioDevice *new, Error *error)
{
        const DeviceLimit limits[] = {
                { "blkio.throttle.read_bps_device", "rbps", old->read_bytes_sec, new->read_bytes_sec },
                { "blkio.throttle.write_bps_device", "wbps", old->write_bytes_sec, new->write_bytes_sec },
                { "blkio.throttle.read_iops_device", "riops", old->read_iops_sec, new->read_iops_sec },
                { "blkio.throttle.write_iops_device", "wiops", old->write_iops_sec, new->write_iops_sec },
        };
        struct stat status;
        unsigned major, minor;
        int r = 0;

        if (stat(new->path, &status) < 0 || !S_ISBLK(status.st_mode))
                return error_set(error, ERROR_INVALID_XML, "<blkiotune>: %s is no block device of this host",
                                 new->path);
        major = (unsigned)(status.st_rdev >> 8 & 0xfff);
        minor = (unsigned)((status.st_rdev & 0xff) | (status.st_rdev >> 12 & 0xfff00));
        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(limits); i++) {
                if (limits[i].old == limits[i].new)
                        continue;
                if (!is_unified()) /* where 0 is no limit */
                        r = group_write(group, limits[i].v1, error, "%u:%u %" PRIu64, major, minor,
                                        limits[i].new);
                else
                        r = limits[i].new ? group_write(group, "io.max", error, "%u:%u %s=%" PRIu64, major,
                                                        minor, limits[i].v2, limits[i].new)
                                          : group_write(group, "io.max", error, "%u:%u %s=max", major, minor,
                                                        limits[i].v2);
        }
        if (r < 0 || old->weight == new->weight)
                return r;
        if (is_unified() && new->weight == 0)
                return group_write(group, "io.weight", error, "%u:%u default", major, minor);
        return group_write(group, is_unified() ? "io.weight" : "blkio.weight_device", error, "%u:%u %u",
                           major, minor, new->weight);
}

static const BlkioDevice *find_device(const BlkioTune *tune, const char *path)
{
        LIST_FOREACH (device, tune->devices) {
                if (strcmp(device->path, path) == 0)
                        return device;
        }
        return NULL;
}

static int set_blkio(const char *group, const BlkioTune *old, const BlkioTune *new, Error *error)
{
        static const BlkioDevice none;
        int r = 0;

        if (old->weight != new->weight)
                r = is_unified() ? group_write(group, "io.weight", error, "default %u",
                                               new->weight ? new->weight : WEIGHT_DEFAULT)
                                 : group_write(group, "blkio.weight", error, "%u",
                                               new->weight ? new->weight : BLKIO_WEIGHT_DEFAULT);
        LIST_FOREACH (device, new->devices) {
                const BlkioDevice *before = find_device(old, device->path);

                if (r >= 0)
                        r = set_device(group, before ? before : &none, device, error);
        }
        LIST_FOREACH (device, old->devices) {
                const BlkioDevice gone = { .path = device->path };

                if (r >= 0 && !find_device(new, device->path))
                        r = set_device(group, device, &gone, error);
        }
        return r;
}

static int set_group(const char *group, size_t controller, const DomainDefinition *old,
                     const DomainDefinition *new, Error *error)
{
        switch (controller) {
        case CPU:
                return set_cpu(group, cpu_of(old), cpu_of(new), error);
        case MEMORY:
                return set_memory(group, memory_of(old), memory_of(new), error);
        default:
                return set_blkio(group, blkio_of(old), blkio_of(new), error);
        }
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
                if (r >= 0)
                        r = set_group(group, i, NULL, definition, error);
        }
        return r;
}

static Quota quota_of(const CpuTune *tune, ThreadKind kind)
{
        if (kind == THREAD_VCPU)
                return (Quota){ tune->quota_usec, tune->period_usec };
        if (kind == THREAD_IOTHREAD)
                return (Quota){ tune->iothread_quota_usec, tune->iothread_period_usec };
        return (Quota){ tune->emulator_quota_usec, tune->emulator_period_usec };
}

/* A thread's own group: "vcpu0", "iothread1", or "emulator" for all others. */
static int set_thread(const char *group, const CpuTune *old, const CpuTune *new, const Thread *thread,
                      Error *error)
{
        Quota before = quota_of(old, thread->kind), quota = quota_of(new, thread->kind);
        _cleanup_(freep) char *folder = NULL;
        int r;

        if (before.quota_usec == quota.quota_usec && before.period_usec == quota.period_usec)
                return 0;
        folder = thread->kind == THREAD_VCPU       ? g_strdup_printf("%s/vcpu%u", group, thread->id)
                 : thread->kind == THREAD_IOTHREAD ? g_strdup_printf("%s/iothread%u", group, thread->id)
                                                   : g_strdup_printf("%s/emulator", group);
        r = make_folder(folder, error);
        if (r >= 0 && is_unified())
                r = group_write(folder, "cgroup.type", error, "threaded");
        if (r >= 0 && is_unified())
                r = group_write(group, "cgroup.subtree_control", error, "+cpu");
        if (r >= 0)
                r = set_quota(folder, before, quota, error);
        return r < 0 ? r
                     : group_write(folder, is_unified() ? "cgroup.threads" : "tasks", error, "%d",
                                   (int)thread->tid);
}

static int set_threads(const Domain *domain, const GArray *threads, const CpuTune *old, const CpuTune *new,
                       Error *error)
{
        _cleanup_(freep) char *group = group_path(domain->object.uuid, controllers[CPU]);
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < threads->len; i++)
                r = set_thread(group, old, new, &g_array_index(threads, Thread, i), error);
        return r;
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
        g_autoptr(GArray) threads = NULL;
        int r;

        if (!needs_threads(definition))
                return 0;
        r = threads_find(domain, deadline_usec, &threads, error);
        if (r >= 0)
                r = threads_set(domain, definition, threads, error);
        return r < 0 ? r : set_threads(domain, threads, &no_cpu, cpu_of(definition), error);
}

int limits_set_processor(const Domain *domain, unsigned id, uint64_t deadline_usec, Error *error)
{
        uint64_t run = machine_of(domain)->run;
        g_autoptr(GArray) threads = NULL;
        int r;

        if (!needs_threads(domain->live))
                return 0;
        r = threads_find(domain, deadline_usec, &threads, error);
        if (r >= 0 && (machine_of(domain)->run != run || !domain->live))
                r = error_set(error, ERROR_OPERATION_FAILED, "The %s has ended",
                              object_describe(&domain->object));
        if (r < 0)
                return r;
        for (unsigned i = threads->len; i > 0; i--) {
                const Thread *thread = &g_array_index(threads, Thread, i - 1);

                if (thread->kind != THREAD_VCPU || thread->id != id)
                        g_array_remove_index(threads, i - 1);
        }
        r = threads_set(domain, domain->live, threads, error);
        return r < 0 ? r : set_threads(domain, threads, &no_cpu, cpu_of(domain->live), error);
}

/* Whether something differs: nothing is written twice, and no machine enters a group for nothing. */
static bool differs(size_t controller, const DomainDefinition *old, const DomainDefinition *new)
{
        static const StructType *const types[] = { &cpu_tune_type, &memory_tune_type, &blkio_tune_type };
        const void *const before[] = { cpu_of(old), memory_of(old), blkio_of(old) };
        const void *const after[] = { cpu_of(new), memory_of(new), blkio_of(new) };
        _cleanup_(freep) char *a = struct_to_xml(types[controller], before[controller], "tune", 0);
        _cleanup_(freep) char *b = struct_to_xml(types[controller], after[controller], "tune", 0);

        return strcmp(a, b) != 0;
}

/* The group of a machine that runs, which it enters if it has none yet. Memory that a process has already
 * stays counted where it was, and a limit that does not count it would be none. */
static int enter_running(const Domain *domain, size_t controller, char **ret_group, Error *error)
{
        _cleanup_(freep) char *group = group_path(domain->object.uuid, controllers[controller]);

        if (access(group, F_OK) >= 0 &&
            (!is_unified() || controller != MEMORY || domain->live->memory_tune)) {
                *ret_group = TAKE_PTR(group);
                return 0;
        }
        if (controller == MEMORY)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The %s was started without limits of memory, so that what it has is not "
                                 "counted: 2 changes its definition, for the next start",
                                 object_describe(&domain->object));
        return enter(domain, controllers[controller], ret_group, error);
}

static int change(const Domain *domain, const GArray *threads, const DomainDefinition *old,
                  const DomainDefinition *new, Error *error)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(controllers); i++) {
                _cleanup_(freep) char *group = NULL;

                if (!differs(i, old, new))
                        continue;
                r = enter_running(domain, i, &group, error);
                if (r >= 0)
                        r = set_group(group, i, old, new, error);
        }
        return r < 0 || !threads ? r : set_threads(domain, threads, cpu_of(old), cpu_of(new), error);
}

int limits_change(const Domain *domain, const DomainDefinition *changed, uint64_t deadline_usec,
                  Error *error)
{
        uint64_t run = machine_of(domain)->run;
        g_autoptr(GArray) threads = NULL;
        int r = limits_check(domain, changed, error);

        if (r >= 0 && (has_quota(cpu_of(changed)) || has_quota(cpu_of(domain->live)))) {
                r = machine_check_monitor(domain, error);
                if (r >= 0)
                        r = threads_find(domain, deadline_usec, &threads, error);
        }
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0 && (machine_of(domain)->run != run || !machine_of(domain)->child))
                r = error_set(error, ERROR_OPERATION_FAILED, "The %s has ended",
                              object_describe(&domain->object));
        if (r < 0)
                return r;
        r = change(domain, threads, domain->live, changed, error);
        if (r < 0) /* back to what it was, as far as it had come */
                (void)change(domain, threads, changed, domain->live, NULL);
        return r;
}

/* The number that stands at `place` of a group's file; false: there is no such group, or no limit. */
static bool group_read(const char *group, const char *file, unsigned place, uint64_t *ret_value)
{
        _cleanup_(freep) char *path = g_build_filename(group, file, NULL), *text = NULL;
        _cleanup_(strvp) char **words = NULL;

        if (!g_file_get_contents(path, &text, NULL, NULL))
                return false;
        words = g_strsplit(g_strstrip(text), " ", 3);
        return g_strv_length(words) > place &&
               g_ascii_string_to_unsigned(words[place], 10, 0, UINT64_MAX, ret_value, NULL);
}

static void read_quota(const char *group, int64_t *quota_usec, uint64_t *period_usec)
{
        bool is_v2 = is_unified();
        uint64_t quota;

        if (!group_read(group, is_v2 ? "cpu.max" : "cpu.cfs_period_us", is_v2 ? 1 : 0, period_usec))
                return;
        *quota_usec = group_read(group, is_v2 ? "cpu.max" : "cpu.cfs_quota_us", 0, &quota)
                              ? (int64_t)MIN(quota, INT64_MAX)
                              : -1;
}

static void read_memory(const char *group, const char *v1, const char *v2, bool *has, uint64_t *kib)
{
        uint64_t bytes;

        if (*has && group_read(group, is_unified() ? v2 : v1, 0, &bytes))
                *kib = bytes / 1024;
}

void limits_read(const Domain *domain, DomainDefinition *definition)
{
        _cleanup_(freep) char *cpu = group_path(domain->object.uuid, controllers[CPU]);
        _cleanup_(freep) char *memory = group_path(domain->object.uuid, controllers[MEMORY]);
        _cleanup_(freep) char *vcpu = g_build_filename(cpu, "vcpu0", NULL);
        _cleanup_(freep) char *emulator = g_build_filename(cpu, "emulator", NULL);
        CpuTune *tune = definition->cpu_tune;
        MemoryTune *limits = definition->memory_tune;

        if (tune) {
                (void)group_read(cpu, is_unified() ? "cpu.weight" : "cpu.shares", 0, &tune->shares);
                read_quota(cpu, &tune->global_quota_usec, &tune->global_period_usec);
                read_quota(vcpu, &tune->quota_usec, &tune->period_usec);
                read_quota(emulator, &tune->emulator_quota_usec, &tune->emulator_period_usec);
        }
        if (limits) {
                read_memory(memory, "memory.limit_in_bytes", "memory.max", &limits->has_hard_limit,
                            &limits->hard_limit_kib);
                read_memory(memory, "memory.soft_limit_in_bytes", "memory.high", &limits->has_soft_limit,
                            &limits->soft_limit_kib);
        }
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
