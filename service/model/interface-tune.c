/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model/interface-tune.h"
#include "model/values.h"
#include <string.h>

static const struct {
        const char *key;
        size_t direction, value, has_value;
} limits[] = {
#define LIMIT(key, direction, member)                                                                       \
        {                                                                                                   \
                key, offsetof(Bandwidth, direction), offsetof(BandwidthLimit, member),                      \
                        offsetof(BandwidthLimit, has_##member)                                              \
        }
        LIMIT("inbound.average", inbound, average),   LIMIT("inbound.peak", inbound, peak),
        LIMIT("inbound.burst", inbound, burst),       LIMIT("inbound.floor", inbound, floor),
        LIMIT("outbound.average", outbound, average), LIMIT("outbound.peak", outbound, peak),
        LIMIT("outbound.burst", outbound, burst),
#undef LIMIT
};

DomainInterface *interface_tune_find(const DomainDefinition *definition, const char *name)
{
        LIST_FOREACH (interface, definition->devices.interfaces) {
                if (g_strcmp0(interface->target, name) == 0 || g_ascii_strcasecmp(interface->mac, name) == 0)
                        return interface;
        }
        return NULL;
}

static BandwidthLimit **direction_at(Bandwidth *bandwidth, size_t i)
{
        return (BandwidthLimit **)((char *)bandwidth + limits[i].direction);
}

GVariant *interface_tune_tell(const Bandwidth *bandwidth)
{
        Bandwidth none = {};
        GVariantBuilder values;

        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
                const char *limit =
                        (const char *)*direction_at(bandwidth ? (Bandwidth *)bandwidth : &none, i);
                uint64_t value = limit ? *(const uint64_t *)(limit + limits[i].value) : 0;

                g_variant_builder_add(&values, "{sv}", limits[i].key,
                                      g_variant_new_uint32((guint32)MIN(value, UINT32_MAX)));
        }
        return g_variant_builder_end(&values);
}

static int set_limit(void *target, const char *key, GVariant *value, Error *error)
{
        Bandwidth *bandwidth = target;

        for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
                BandwidthLimit **limit = direction_at(bandwidth, i);

                if (strcmp(limits[i].key, key) != 0)
                        continue;
                if (!g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
                        return error_set(error, ERROR_INVALID_ARGUMENT, "%s is of type u", key);
                if (!*limit)
                        *limit = g_new0(BandwidthLimit, 1);
                *(uint64_t *)((char *)*limit + limits[i].value) = g_variant_get_uint32(value);
                *(bool *)((char *)*limit + limits[i].has_value) = g_variant_get_uint32(value) > 0;
                return 0;
        }
        return error_set(error, ERROR_INVALID_ARGUMENT, "There is no parameter '%s'", key);
}

int interface_tune_take(const DomainInterface *interface, GVariant *values, Bandwidth **ret_bandwidth,
                        Error *error)
{
        Bandwidth *bandwidth = interface->bandwidth ? struct_copy(&bandwidth_type, interface->bandwidth)
                                                    : struct_new(&bandwidth_type);
        int r = values_take(values, set_limit, bandwidth, error);

        for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) { /* those that begin a direction decide */
                BandwidthLimit **limit = direction_at(bandwidth, i);

                if (*limit && !(*limit)->has_average && !(*limit)->has_floor)
                        g_clear_pointer(limit, g_free);
        }
        if (r < 0 || (!bandwidth->inbound && !bandwidth->outbound))
                bandwidth = struct_free(&bandwidth_type, bandwidth);
        if (r >= 0)
                *ret_bandwidth = bandwidth;
        return r;
}
