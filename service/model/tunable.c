/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model/tunable.h"
#include "model/disk-tune.h"
#include "model/grants.h"

static void add_given(GVariantBuilder *params, const char *prefix, GVariant *told, GVariant *given)
{
        _cleanup_(g_variant_unrefp) GVariant *all = g_variant_ref_sink(told);
        GVariantIter at;
        GVariant *value;
        const char *key;

        g_variant_iter_init(&at, all);
        while (g_variant_iter_next(&at, "{&sv}", &key, &value)) {
                _cleanup_(freep) char *name = g_strconcat(prefix, key, NULL);
                _cleanup_(g_variant_unrefp) GVariant *was_given = g_variant_lookup_value(given, key, NULL);

                if (was_given)
                        g_variant_builder_add(params, "{sv}", name, value);
                g_variant_unref(value);
        }
}

GVariant *tunable_of_scheduler(const DomainDefinition *definition, GVariant *given)
{
        GVariantBuilder params;

        g_variant_builder_init(&params, G_VARIANT_TYPE_VARDICT);
        add_given(&params, "cputune.", grants_tell(&grants_scheduler, definition), given);
        return g_variant_new("(a{sv})", &params);
}

GVariant *tunable_of_disk(const DomainDisk *disk, GVariant *given)
{
        GVariantBuilder params;

        g_variant_builder_init(&params, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&params, "{sv}", "blkdeviotune.disk", g_variant_new_string(disk->target));
        add_given(&params, "blkdeviotune.", disk_tune_tell(disk->tune), given);
        return g_variant_new("(a{sv})", &params);
}

GVariant *tunable_of_pin(ThreadKind kind, uint32_t id, const char *set)
{
        _cleanup_(freep) char *name = kind == THREAD_EMULATOR ? g_strdup("cputune.emulatorpin")
                                      : kind == THREAD_VCPU   ? g_strdup_printf("cputune.vcpupin%u", id)
                                                              : g_strdup_printf("cputune.iothreadpin%u", id);
        GVariantBuilder params;

        g_variant_builder_init(&params, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&params, "{sv}", name, g_variant_new_string(set));
        return g_variant_new("(a{sv})", &params);
}
