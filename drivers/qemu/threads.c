/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What QEMU says of its threads is believed only for threads of its own process. */

#include "drivers/qemu/threads.h"
#include "model/cpuset.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *tasks_path(const Domain *domain)
{
        return g_strdup_printf("/proc/%d/task", (int)child_get_pid(machine_of(domain)->child));
}

static void set_kind(GArray *threads, json_t *answer, const char *member, ThreadKind kind)
{
        json_t *item;
        size_t i;

        json_array_foreach(answer, i, item)
        {
                json_int_t tid = json_integer_value(json_object_get(item, "thread-id"));
                json_t *id = json_object_get(item, member);
                unsigned number = 0;

                if (json_is_string(id) && sscanf(json_string_value(id), "iothread%u", &number) != 1)
                        continue;
                if (json_is_integer(id))
                        number = (unsigned)json_integer_value(id);
                for (unsigned j = 0; j < threads->len; j++) {
                        Thread *thread = &g_array_index(threads, Thread, j);

                        if (thread->tid == tid)
                                *thread = (Thread){ thread->tid, kind, number };
                }
        }
}

int threads_find(const Domain *domain, uint64_t deadline_usec, GArray **ret_threads, Error *error)
{
        const Machine *machine = machine_of(domain);
        g_autoptr(GArray) threads = g_array_new(FALSE, FALSE, sizeof(Thread));
        _cleanup_(json_decrefp) json_t *cpus = NULL, *iothreads = NULL;
        _cleanup_(freep) char *path = NULL;
        g_autoptr(GDir) tasks = NULL;
        const char *name;
        int r;

        r = qmp_call(machine->qmp, "query-cpus-fast", NULL, deadline_usec, &cpus, error);
        if (r >= 0)
                r = machine_has_monitor(machine)
                            ? qmp_call(machine->qmp, "query-iothreads", NULL, deadline_usec, &iothreads,
                                       error)
                            : error_set(error, ERROR_OPERATION_FAILED, "QEMU has ended");
        if (r < 0)
                return r;
        if (!machine->child)
                return error_set(error, ERROR_OPERATION_FAILED, "QEMU has ended");
        path = tasks_path(domain);
        tasks = g_dir_open(path, 0, NULL);
        while (tasks && (name = g_dir_read_name(tasks))) {
                Thread thread = { .tid = (pid_t)g_ascii_strtoll(name, NULL, 10) };

                g_array_append_val(threads, thread);
        }
        set_kind(threads, cpus, "cpu-index", THREAD_VCPU);
        set_kind(threads, iothreads, "id", THREAD_IOTHREAD);
        *ret_threads = g_steal_pointer(&threads);
        return 0;
}

/* NULL: wherever the kernel likes. */
static const char *pins_of(const DomainDefinition *definition, const Thread *thread)
{
        const CpuTune *tune = definition->cpu_tune;

        if (tune && thread->kind == THREAD_EMULATOR && tune->emulatorpin)
                return tune->emulatorpin;
        if (tune && thread->kind == THREAD_VCPU)
                LIST_FOREACH (pin, tune->vcpupins) {
                        if (pin->vcpu == thread->id)
                                return pin->cpuset;
                }
        if (tune && thread->kind == THREAD_IOTHREAD)
                LIST_FOREACH (pin, tune->iothreadpins) {
                        if (pin->iothread == thread->id)
                                return pin->cpuset;
                }
        return definition->cpuset;
}

static int set_pins(const Thread *thread, const char *text, Error *error)
{
        _cleanup_(freep) char *set = cpuset_canonical(text);
        cpu_set_t cpus;

        CPU_ZERO(&cpus);
        for (unsigned i = 0; set && i < CPU_SETSIZE; i++) {
                if (cpuset_has(set, i))
                        CPU_SET(i, &cpus);
        }
        if (sched_setaffinity(thread->tid, sizeof cpus, &cpus) >= 0 || errno == ESRCH)
                return 0; /* a thread of QEMU may end at any time */
        if (errno == EINVAL)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "This host has none of the processors '%s'", text);
        return error_set_errno(error, errno, "Cannot pin QEMU to the processors '%s'", text);
}

typedef struct Scheduling {
        SchedulerType type;
        bool has_priority;
        int32_t priority;
} Scheduling;

static Scheduling scheduling_of(const DomainDefinition *definition, const Domain *domain,
                                const Thread *thread)
{
        const CpuTune *tune = definition->cpu_tune;

        if (!tune)
                return (Scheduling){};
        if (thread->kind == THREAD_VCPU)
                LIST_FOREACH (vcpus, tune->vcpuscheds) {
                        if (vcpus->vcpus && cpuset_has(vcpus->vcpus, thread->id))
                                return (Scheduling){ vcpus->scheduler, vcpus->has_priority,
                                                     vcpus->priority };
                }
        if (thread->kind == THREAD_IOTHREAD)
                LIST_FOREACH (iothreads, tune->iothreadscheds) {
                        if (iothreads->iothreads && cpuset_has(iothreads->iothreads, thread->id))
                                return (Scheduling){ iothreads->scheduler, iothreads->has_priority,
                                                     iothreads->priority };
                }
        if (thread->tid == child_get_pid(machine_of(domain)->child))
                return (Scheduling){ tune->emulatorsched, tune->has_emulatorsched_priority,
                                     tune->emulatorsched_priority };
        return (Scheduling){};
}

static int set_scheduling(const Thread *thread, Scheduling scheduling, Error *error)
{
        static const int policies[] = { [SCHEDULER_OTHER] = SCHED_OTHER,
                                        [SCHEDULER_BATCH] = SCHED_BATCH,
                                        [SCHEDULER_IDLE] = SCHED_IDLE,
                                        [SCHEDULER_FIFO] = SCHED_FIFO,
                                        [SCHEDULER_RR] = SCHED_RR };
        const struct sched_param parameters = { .sched_priority = scheduling.priority };

        if (scheduling.type == SCHEDULER_ABSENT ||
            sched_setscheduler(thread->tid, policies[scheduling.type], &parameters) >= 0 || errno == ESRCH)
                return 0;
        return error_set_errno(error, errno, "Cannot schedule QEMU by '%s' with priority %d",
                               scheduler_type_to_string(scheduling.type), scheduling.priority);
}

int threads_set(const Domain *domain, const DomainDefinition *definition, const GArray *threads,
                Error *error)
{
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < threads->len; i++) {
                const Thread *thread = &g_array_index(threads, Thread, i);
                const char *pins = pins_of(definition, thread);

                if (pins)
                        r = set_pins(thread, pins, error);
                if (r >= 0)
                        r = set_scheduling(thread, scheduling_of(definition, domain, thread), error);
        }
        return r;
}
