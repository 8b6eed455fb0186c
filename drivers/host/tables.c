/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All of it is in the kernel's memory: reading it does not wait. */

#include "drivers/host/tables.h"
#include "drivers/host/sysfs.h"
#include "model/smbios.h"
#include <string.h>

#define SMBIOS "/sys/firmware/dmi/tables/DMI"
#define KSM    "/sys/kernel/mm/ksm"

int host_get_sysinfo(Call *call, uint32_t flags, char **ret_sysinfo, Error *error)
{
        _cleanup_(freep) char *table = NULL;
        gsize size;
        int r = error_check_flags(error, "GetSysinfo", flags, 0);

        (void)call;
        if (r < 0)
                return r;
        if (!g_file_get_contents(SMBIOS, &table, &size, NULL))
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The host's firmware has no SMBIOS tables, or they cannot be read (" SMBIOS
                                 ")");
        *ret_sysinfo = smbios_format((const uint8_t *)table, size);
        return 0;
}

static const struct {
        const char *key, *file;
        bool is_settable; /* these are of type u, the others t */
} parameters_of_ksm[] = {
        /* First what the kernel refuses while pages are merged. */
        { "shm_merge_across_nodes", "merge_across_nodes", true },
        { "shm_pages_to_scan", "pages_to_scan", true },
        { "shm_sleep_millisecs", "sleep_millisecs", true },
        { "shm_pages_shared", "pages_shared", false },
        { "shm_pages_sharing", "pages_sharing", false },
        { "shm_pages_unshared", "pages_unshared", false },
        { "shm_pages_volatile", "pages_volatile", false },
        { "shm_full_scans", "full_scans", false },
};

static int check_ksm(Error *error)
{
        return access(KSM, F_OK) >= 0
                       ? 0
                       : error_set(error, ERROR_NOT_SUPPORTED,
                                   "The host's kernel does not merge pages of memory (there is no " KSM ")");
}

int host_get_memory_parameters(Call *call, uint32_t flags, GVariant **ret_parameters, Error *error)
{
        GVariantBuilder parameters;
        int r = error_check_flags(error, "NodeGetMemoryParameters", flags, 0);

        (void)call;
        if (r >= 0)
                r = check_ksm(error);
        if (r < 0)
                return r;
        g_variant_builder_init(&parameters, G_VARIANT_TYPE_VARDICT);
        for (size_t i = 0; i < G_N_ELEMENTS(parameters_of_ksm); i++) {
                uint64_t value;

                if (!sysfs_read_number(KSM, parameters_of_ksm[i].file, 10, &value))
                        continue; /* one that this kernel does not have */
                g_variant_builder_add(&parameters, "{sv}", parameters_of_ksm[i].key,
                                      parameters_of_ksm[i].is_settable
                                              ? g_variant_new_uint32((uint32_t)value)
                                              : g_variant_new_uint64(value));
        }
        *ret_parameters = g_variant_ref_sink(g_variant_builder_end(&parameters));
        return 0;
}

static int check_parameter(const char *key, GVariant *value, Error *error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(parameters_of_ksm); i++) {
                if (!parameters_of_ksm[i].is_settable || strcmp(parameters_of_ksm[i].key, key) != 0)
                        continue;
                if (!g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
                        return error_set(error, ERROR_INVALID_ARGUMENT, "%s is of type u, not %s", key,
                                         g_variant_get_type_string(value));
                if (strcmp(key, "shm_merge_across_nodes") == 0 && g_variant_get_uint32(value) > 1)
                        return error_set(error, ERROR_INVALID_ARGUMENT, "%s is 0 or 1", key);
                return 0;
        }
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "'%s' cannot be set: shm_pages_to_scan, shm_sleep_millisecs and "
                         "shm_merge_across_nodes can",
                         key);
}

int host_set_memory_parameters(Call *call, GVariant *parameters, uint32_t flags, Error *error)
{
        GVariantIter at;
        GVariant *value;
        const char *key;
        int r = error_check_flags(error, "NodeSetMemoryParameters", flags, 0);

        (void)call;
        if (r >= 0)
                r = check_ksm(error);
        g_variant_iter_init(&at, parameters);
        while (r >= 0 && g_variant_iter_next(&at, "{&sv}", &key, &value)) {
                r = check_parameter(key, value, error);
                g_variant_unref(value);
        }
        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(parameters_of_ksm); i++) {
                char text[16];
                uint32_t number;

                if (!g_variant_lookup(parameters, parameters_of_ksm[i].key, "u", &number))
                        continue;
                g_snprintf(text, sizeof text, "%u", number);
                r = sysfs_write(KSM, parameters_of_ksm[i].file, text);
                if (r < 0)
                        return error_set_errno(error, r, "Cannot set %s to %u", parameters_of_ksm[i].key,
                                               number);
        }
        return r < 0 ? r : 0;
}
