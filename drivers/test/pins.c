/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thread is a row of a definition, and so is its pin: there is nothing that would move. */

#include "drivers/test/pins.h"
#include "drivers/test/change.h"
#include "drivers/test/host.h"
#include "drivers/test/machine.h"
#include "model/iothreads.h"
#include "model/pins.h"
#include "model/tunable.h"

static int set_one(DomainDefinition *definition, ThreadKind kind, uint32_t id, const char *set, Error *error)
{
        if (!definition)
                return 0;
        if (kind == THREAD_VCPU && id >= definition->vcpus)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The machine has no processor %u: 0 to %u are there", id,
                                 definition->vcpus - 1);
        if (kind == THREAD_IOTHREAD && !iothread_is_there(definition, id))
                return error_set(error, ERROR_INVALID_ARGUMENT, "The machine has no I/O thread %u", id);
        pin_set(definition, kind, id, set);
        return 0;
}

static int pin(Domain *domain, const char *operation, ThreadKind kind, uint32_t id, GVariant *map,
               uint32_t flags, Error *error)
{
        _cleanup_(change_clear) Change change = {};
        _cleanup_(freep) char *set = NULL;
        int r = change_begin(&change, domain, operation, &flags, 0, error);

        if (r >= 0)
                r = pin_set_of_map(map, HOST_CPUS, &set, error);
        if (r >= 0)
                r = set_one(change.live, kind, id, set, error);
        if (r >= 0)
                r = set_one(change.kept, kind, id, set, error);
        if (r < 0)
                return r;
        change_apply(&change, domain, NULL, false);
        if (flags & AFFECT_LIVE)
                machine_signal(domain, "Tunable", tunable_of_pin(kind, id, set));
        return 0;
}

int test_domain_pin_vcpu(Call *call, Domain *domain, uint32_t vcpu, GVariant *map, uint32_t flags,
                         Error *error)
{
        (void)call;
        return pin(domain, "PinVcpu", THREAD_VCPU, vcpu, map, flags, error);
}

int test_domain_pin_emulator(Call *call, Domain *domain, GVariant *map, uint32_t flags, Error *error)
{
        (void)call;
        return pin(domain, "PinEmulator", THREAD_EMULATOR, 0, map, flags, error);
}

int test_domain_get_vcpu_pin_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                  Error *error)
{
        const DomainDefinition *definition;
        int r = change_look(domain, "GetVcpuPinInfo", flags, &definition, error);

        (void)call;
        if (r >= 0)
                *ret_info = g_variant_ref_sink(pin_vcpu_maps(definition, HOST_CPUS));
        return r;
}

int test_domain_get_emulator_pin_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_map,
                                      Error *error)
{
        const DomainDefinition *definition;
        int r = change_look(domain, "GetEmulatorPinInfo", flags, &definition, error);

        (void)call;
        if (r >= 0)
                *ret_map = g_variant_ref_sink(
                        pin_map_of_set(pin_get(definition, THREAD_EMULATOR, 0), HOST_CPUS));
        return r;
}

int test_domain_pin_iothread(Call *call, Domain *domain, uint32_t id, GVariant *map, uint32_t flags,
                             Error *error)
{
        (void)call;
        return pin(domain, "PinIOThread", THREAD_IOTHREAD, id, map, flags, error);
}

int test_domain_get_iothread_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                  Error *error)
{
        const DomainDefinition *definition;
        int r = change_look(domain, "GetIOThreadInfo", flags, &definition, error);

        (void)call;
        if (r >= 0)
                *ret_info = g_variant_ref_sink(iothread_maps(definition, HOST_CPUS));
        return r;
}

static int change_iothreads(Domain *domain, const char *operation, uint32_t id, uint32_t flags,
                            int (*check)(const DomainDefinition *definition, uint32_t id, Error *error),
                            void (*apply)(DomainDefinition *definition, uint32_t id), Error *error)
{
        _cleanup_(change_clear) Change change = {};
        int r = change_begin(&change, domain, operation, &flags, 0, error);

        if (r >= 0 && change.live)
                r = check(change.live, id, error);
        if (r >= 0 && change.kept)
                r = check(change.kept, id, error);
        if (r < 0)
                return r;
        if (change.live)
                apply(change.live, id);
        if (change.kept)
                apply(change.kept, id);
        change_apply(&change, domain, NULL, false);
        return 0;
}

int test_domain_add_iothread(Call *call, Domain *domain, uint32_t id, uint32_t flags, Error *error)
{
        (void)call;
        return change_iothreads(domain, "AddIOThread", id, flags, iothread_check_new, iothread_add, error);
}

int test_domain_del_iothread(Call *call, Domain *domain, uint32_t id, uint32_t flags, Error *error)
{
        (void)call;
        return change_iothreads(domain, "DelIOThread", id, flags, iothread_check_unused, iothread_remove,
                                error);
}
