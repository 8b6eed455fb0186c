/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A pin is a row of the definition; of a running machine, the kernel says yes first. */

#include "drivers/qemu/pins.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/notices.h"
#include "drivers/qemu/status.h"
#include "drivers/qemu/threads.h"
#include "model/cpuset.h"
#include "model/iothreads.h"
#include "model/tunable.h"
#include <errno.h>
#include <sched.h>
#include <string.h>

static unsigned host_processors(void)
{
        return (unsigned)sysconf(_SC_NPROCESSORS_CONF);
}

static int pin_thread(const Thread *thread, const char *set, Error *error)
{
        cpu_set_t mask;

        CPU_ZERO(&mask);
        for (unsigned i = 0; i < MIN(host_processors(), CPU_SETSIZE); i++)
                if (cpuset_has(set, i))
                        CPU_SET(i, &mask);
        return sched_setaffinity(thread->tid, sizeof mask, &mask) < 0
                       ? error_set_errno(error, errno, "Cannot pin thread %d to processors %s",
                                         (int)thread->tid, set)
                       : 0;
}

static int pin_live(Call *call, Domain *domain, ThreadKind kind, uint32_t id, const char *set,
                    Error *error) AWAITS
{
        g_autoptr(GArray) threads = NULL;
        uint64_t run = machine_of(domain)->run;
        int r = machine_check_monitor(domain, error);

        if (r >= 0)
                r = threads_find(domain, MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC)),
                                 &threads, error);
        if (r >= 0 && machine_of(domain)->run != run)
                r = domain_check_active(domain, error);
        for (unsigned i = 0; r >= 0 && i < threads->len; i++) {
                const Thread *thread = &g_array_index(threads, Thread, i);

                if (thread->kind == kind && (kind == THREAD_EMULATOR || thread->id == id))
                        r = pin_thread(thread, set, error);
        }
        if (r < 0 || !domain->live)
                return r;
        pin_set(domain->live, kind, id, set);
        return status_save(domain, error);
}

static int check_there(const Domain *domain, const DomainDefinition *definition, ThreadKind kind,
                       uint32_t id, Error *error)
{
        if (kind == THREAD_VCPU && id >= definition->vcpus)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The %s has no processor %u: 0 to %u are there",
                                 object_describe(&domain->object), id, definition->vcpus - 1);
        if (kind == THREAD_IOTHREAD && !iothread_is_there(definition, id))
                return error_set(error, ERROR_INVALID_ARGUMENT, "The %s has no I/O thread %u",
                                 object_describe(&domain->object), id);
        return 0;
}

static int pin(Call *call, Domain *domain, const char *operation, ThreadKind kind, uint32_t id,
               GVariant *map, uint32_t flags, Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL;
        _cleanup_(freep) char *set = NULL;
        int r = impact_choose(domain, operation, 0, &flags, error);

        if (r >= 0)
                r = pin_set_of_map(map, host_processors(), &set, error);
        if (r >= 0 && flags & AFFECT_LIVE)
                r = check_there(domain, domain->live, kind, id, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = check_there(domain, domain->definition, kind, id, error);
        if (r >= 0 && flags & AFFECT_CONFIG) {
                changed = domain_definition_copy(domain->definition);
                pin_set(changed, kind, id, set);
                r = impact_begin(domain, changed, error);
        }
        if (r < 0)
                return r;
        if (flags & AFFECT_LIVE)
                r = pin_live(call, domain, kind, id, set, error);
        if (changed)
                r = impact_end(domain, &changed, r);
        if (r >= 0 && flags & AFFECT_LIVE)
                notice_raise(domain, "Tunable", tunable_of_pin(kind, id, set));
        return r;
}

int qemu_domain_pin_vcpu(Call *call, Domain *domain, uint32_t vcpu, GVariant *map, uint32_t flags,
                         Error *error)
{
        return pin(call, domain, "PinVcpu", THREAD_VCPU, vcpu, map, flags, error);
}

int qemu_domain_pin_emulator(Call *call, Domain *domain, GVariant *map, uint32_t flags, Error *error)
{
        return pin(call, domain, "PinEmulator", THREAD_EMULATOR, 0, map, flags, error);
}

int qemu_domain_pin_iothread(Call *call, Domain *domain, uint32_t id, GVariant *map, uint32_t flags,
                             Error *error)
{
        return pin(call, domain, "PinIOThread", THREAD_IOTHREAD, id, map, flags, error);
}

int qemu_domain_get_vcpu_pin_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                  Error *error)
{
        int r = impact_choose(domain, "GetVcpuPinInfo", 0, &flags, error);

        (void)call;
        if (r >= 0)
                *ret_info = g_variant_ref_sink(
                        pin_vcpu_maps(impact_definition(domain, flags), host_processors()));
        return r;
}

int qemu_domain_get_emulator_pin_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_map,
                                      Error *error)
{
        int r = impact_choose(domain, "GetEmulatorPinInfo", 0, &flags, error);

        (void)call;
        if (r >= 0)
                *ret_map = g_variant_ref_sink(pin_map_of_set(
                        pin_get(impact_definition(domain, flags), THREAD_EMULATOR, 0), host_processors()));
        return r;
}

int qemu_domain_get_iothread_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                  Error *error)
{
        int r = impact_choose(domain, "GetIOThreadInfo", 0, &flags, error);

        (void)call;
        if (r >= 0)
                *ret_info = g_variant_ref_sink(
                        iothread_maps(impact_definition(domain, flags), host_processors()));
        return r;
}
