/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A pin is a row of the definition; of a running machine, the kernel says yes first. */

#include "drivers/qemu/pins.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/iothreads.h"
#include "drivers/qemu/status.h"
#include "drivers/qemu/threads.h"
#include "model/cpuset.h"
#include <errno.h>
#include <sched.h>
#include <string.h>

static unsigned host_processors(void)
{
        return (unsigned)sysconf(_SC_NPROCESSORS_CONF);
}

/* "0-3" of booleans; the caller frees. */
static int set_of_map(GVariant *map, char **ret_set, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        size_t n = g_variant_n_children(map);

        for (size_t i = 0; i < n; i++) {
                gboolean is_set;

                g_variant_get_child(map, i, "b", &is_set);
                if (is_set && i >= host_processors())
                        return error_set(error, ERROR_INVALID_ARGUMENT, "The host has no processor %zu", i);
                if (is_set)
                        g_string_append_printf(text, "%s%zu", text->len ? "," : "", i);
        }
        if (text->len == 0)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "At least one of the host's processors must be allowed");
        *ret_set = cpuset_canonical(text->str);
        return 0;
}

/* Floating; NULL: all. */
static GVariant *map_of_set(const char *set)
{
        GVariantBuilder map;

        g_variant_builder_init(&map, G_VARIANT_TYPE("ab"));
        for (unsigned i = 0; i < host_processors(); i++)
                g_variant_builder_add(&map, "b", !set || cpuset_has(set, i));
        return g_variant_builder_end(&map);
}

static const char *pin_of(const DomainDefinition *definition, ThreadKind kind, uint32_t id)
{
        const CpuTune *tune = definition->cpu_tune;

        if (tune && kind == THREAD_EMULATOR && tune->emulatorpin)
                return tune->emulatorpin;
        if (tune && kind == THREAD_VCPU)
                LIST_FOREACH (pin, tune->vcpupins) {
                        if (pin->vcpu == id)
                                return pin->cpuset;
                }
        if (tune && kind == THREAD_IOTHREAD)
                LIST_FOREACH (pin, tune->iothreadpins) {
                        if (pin->iothread == id)
                                return pin->cpuset;
                }
        return definition->cpuset;
}

static void set_pin(DomainDefinition *definition, ThreadKind kind, uint32_t id, const char *set)
{
        CpuTune *tune = definition->cpu_tune;
        char **place = NULL;

        if (!tune)
                tune = definition->cpu_tune = struct_new(&cpu_tune_type);
        if (kind == THREAD_EMULATOR)
                place = &tune->emulatorpin;
        LIST_FOREACH (pin, tune->vcpupins) {
                if (kind == THREAD_VCPU && pin->vcpu == id)
                        place = &pin->cpuset;
        }
        LIST_FOREACH (pin, tune->iothreadpins) {
                if (kind == THREAD_IOTHREAD && pin->iothread == id)
                        place = &pin->cpuset;
        }
        if (!place && kind == THREAD_VCPU) {
                VcpuPin *pin = g_new0(VcpuPin, 1);

                pin->vcpu = id;
                list_append(&tune->vcpupins, pin);
                place = &pin->cpuset;
        } else if (!place) {
                IothreadPin *pin = g_new0(IothreadPin, 1);

                pin->iothread = id;
                list_append(&tune->iothreadpins, pin);
                place = &pin->cpuset;
        }
        g_free(*place);
        *place = g_strdup(set);
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
        set_pin(domain->live, kind, id, set);
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
                r = set_of_map(map, &set, error);
        if (r >= 0 && flags & AFFECT_LIVE)
                r = check_there(domain, domain->live, kind, id, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = check_there(domain, domain->definition, kind, id, error);
        if (r >= 0 && flags & AFFECT_LIVE)
                r = pin_live(call, domain, kind, id, set, error);
        if (r < 0 || !(flags & AFFECT_CONFIG))
                return r;
        changed = domain_definition_copy(domain->definition);
        set_pin(changed, kind, id, set);
        return impact_store(domain, &changed, error);
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
        const DomainDefinition *definition;
        GVariantBuilder maps;
        int r = impact_choose(domain, "GetVcpuPinInfo", 0, &flags, error);

        (void)call;
        if (r < 0)
                return r;
        definition = impact_definition(domain, flags);
        g_variant_builder_init(&maps, G_VARIANT_TYPE("aab"));
        for (uint32_t i = 0; i < definition->vcpus; i++)
                g_variant_builder_add_value(&maps, map_of_set(pin_of(definition, THREAD_VCPU, i)));
        *ret_info = g_variant_ref_sink(g_variant_builder_end(&maps));
        return 0;
}

int qemu_domain_get_emulator_pin_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_map,
                                      Error *error)
{
        int r = impact_choose(domain, "GetEmulatorPinInfo", 0, &flags, error);

        (void)call;
        if (r >= 0)
                *ret_map = g_variant_ref_sink(
                        map_of_set(pin_of(impact_definition(domain, flags), THREAD_EMULATOR, 0)));
        return r;
}

int qemu_domain_get_iothread_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                  Error *error)
{
        const DomainDefinition *definition;
        GVariantBuilder list;
        int r = impact_choose(domain, "GetIOThreadInfo", 0, &flags, error);

        (void)call;
        if (r < 0)
                return r;
        definition = impact_definition(domain, flags);
        g_variant_builder_init(&list, G_VARIANT_TYPE("a(uab)"));
        for (uint32_t id = 1, left = iothread_count(definition); left > 0; id++) {
                if (!iothread_is_there(definition, id))
                        continue;
                g_variant_builder_add(&list, "(u@ab)", id,
                                      map_of_set(pin_of(definition, THREAD_IOTHREAD, id)));
                left--;
        }
        *ret_info = g_variant_ref_sink(g_variant_builder_end(&list));
        return 0;
}
