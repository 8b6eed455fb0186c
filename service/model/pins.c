/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model/pins.h"
#include "model/cpuset.h"

const char *pin_get(const DomainDefinition *definition, ThreadKind kind, uint32_t id)
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

void pin_set(DomainDefinition *definition, ThreadKind kind, uint32_t id, const char *set)
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

int pin_set_of_map(GVariant *map, unsigned n_processors, char **ret_set, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        size_t n = g_variant_n_children(map);

        for (size_t i = 0; i < n; i++) {
                gboolean is_set;

                g_variant_get_child(map, i, "b", &is_set);
                if (is_set && i >= n_processors)
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

GVariant *pin_map_of_set(const char *set, unsigned n_processors)
{
        GVariantBuilder map;

        g_variant_builder_init(&map, G_VARIANT_TYPE("ab"));
        for (unsigned i = 0; i < n_processors; i++)
                g_variant_builder_add(&map, "b", !set || cpuset_has(set, i));
        return g_variant_builder_end(&map);
}

GVariant *pin_vcpu_maps(const DomainDefinition *definition, unsigned n_processors)
{
        GVariantBuilder maps;

        g_variant_builder_init(&maps, G_VARIANT_TYPE("aab"));
        for (uint32_t i = 0; i < definition->vcpus; i++)
                g_variant_builder_add_value(
                        &maps, pin_map_of_set(pin_get(definition, THREAD_VCPU, i), n_processors));
        return g_variant_builder_end(&maps);
}
