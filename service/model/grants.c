/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each kind reads or writes one structure of the definition by two functions of its own; errors and the walk
 * over a dictionary are here once. */

#include "model/grants.h"
#include "model/cpuset.h"
#include "model/values.h"
#include <inttypes.h>
#include <string.h>

#define UNLIMITED_KIB UINT64_C(9007199254740991)

typedef struct Parameter {
        const char *key, *type;
        size_t offset;
        int64_t least, most; /* of what may be set; 0 is always possible and means: not set */
} Parameter;

static int check_type(const char *key, GVariant *value, const char *type, Error *error)
{
        return strcmp(g_variant_get_type_string(value), type) == 0
                       ? 0
                       : error_set(error, ERROR_INVALID_ARGUMENT, "%s is of type %s, not %s", key, type,
                                   g_variant_get_type_string(value));
}

static int unknown(const char *key, Error *error)
{
        return error_set(error, ERROR_INVALID_ARGUMENT, "There is no parameter '%s'", key);
}

/* Processor time */

static const Parameter of_scheduler[] = {
        { "cpu_shares", "t", offsetof(CpuTune, shares), 2, 262144 },
        { "vcpu_period", "t", offsetof(CpuTune, period_usec), 1000, 1000000 },
        { "vcpu_quota", "x", offsetof(CpuTune, quota_usec), 1000, INT64_C(18446744073709551) },
        { "emulator_period", "t", offsetof(CpuTune, emulator_period_usec), 1000, 1000000 },
        { "emulator_quota", "x", offsetof(CpuTune, emulator_quota_usec), 1000, INT64_C(18446744073709551) },
        { "global_period", "t", offsetof(CpuTune, global_period_usec), 1000, 1000000 },
        { "global_quota", "x", offsetof(CpuTune, global_quota_usec), 1000, INT64_C(18446744073709551) },
        { "iothread_period", "t", offsetof(CpuTune, iothread_period_usec), 1000, 1000000 },
        { "iothread_quota", "x", offsetof(CpuTune, iothread_quota_usec), 1000, INT64_C(18446744073709551) },
};

static void tell_scheduler(const DomainDefinition *definition, GVariantBuilder *values)
{
        static const CpuTune none;
        const char *tune = (const char *)(definition->cpu_tune ? definition->cpu_tune : &none);

        for (size_t i = 0; i < G_N_ELEMENTS(of_scheduler); i++) {
                const void *at = tune + of_scheduler[i].offset;

                g_variant_builder_add(values, "{sv}", of_scheduler[i].key,
                                      *of_scheduler[i].type == 't'
                                              ? g_variant_new_uint64(*(const uint64_t *)at)
                                              : g_variant_new_int64(*(const int64_t *)at));
        }
}

static int take_scheduler(DomainDefinition *definition, const char *key, GVariant *value, Error *error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(of_scheduler); i++) {
                const Parameter *parameter = &of_scheduler[i];
                int64_t number;
                int r;

                if (strcmp(parameter->key, key) != 0)
                        continue;
                r = check_type(key, value, parameter->type, error);
                if (r < 0)
                        return r;
                number = *parameter->type == 't' ? (int64_t)MIN(g_variant_get_uint64(value), INT64_MAX)
                                                 : g_variant_get_int64(value);
                if (*parameter->type == 'x' && number < 0)
                        number = -1; /* no limit */
                else if (number != 0 && (number < parameter->least || number > parameter->most))
                        return error_set(error, ERROR_INVALID_ARGUMENT, "%s is %" PRId64 " to %" PRId64, key,
                                         parameter->least, parameter->most);
                if (!definition->cpu_tune)
                        definition->cpu_tune = struct_new(&cpu_tune_type);
                *(int64_t *)((char *)definition->cpu_tune + parameter->offset) = number;
                return 0;
        }
        return unknown(key, error);
}

/* Memory */

static const struct {
        const char *key;
        size_t offset, has_offset;
} of_memory[] = {
        { "hard_limit", offsetof(MemoryTune, hard_limit_kib), offsetof(MemoryTune, has_hard_limit) },
        { "soft_limit", offsetof(MemoryTune, soft_limit_kib), offsetof(MemoryTune, has_soft_limit) },
        { "swap_hard_limit", offsetof(MemoryTune, swap_hard_limit_kib),
          offsetof(MemoryTune, has_swap_hard_limit) },
};

static void tell_memory(const DomainDefinition *definition, GVariantBuilder *values)
{
        const char *tune = (const char *)definition->memory_tune;

        for (size_t i = 0; i < G_N_ELEMENTS(of_memory); i++) {
                bool is_limited = tune && *(const bool *)(tune + of_memory[i].has_offset);

                g_variant_builder_add(
                        values, "{sv}", of_memory[i].key,
                        g_variant_new_uint64(is_limited ? *(const uint64_t *)(tune + of_memory[i].offset)
                                                        : UNLIMITED_KIB));
        }
}

static int take_memory(DomainDefinition *definition, const char *key, GVariant *value, Error *error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(of_memory); i++) {
                uint64_t kib;
                char *tune;
                int r;

                if (strcmp(of_memory[i].key, key) != 0)
                        continue;
                r = check_type(key, value, "t", error);
                if (r < 0)
                        return r;
                kib = g_variant_get_uint64(value);
                if (!definition->memory_tune)
                        definition->memory_tune = struct_new(&memory_tune_type);
                tune = (char *)definition->memory_tune;
                *(bool *)(tune + of_memory[i].has_offset) = kib < UNLIMITED_KIB;
                *(uint64_t *)(tune + of_memory[i].offset) = kib < UNLIMITED_KIB ? kib : 0;
                if (definition->memory_tune->has_swap_hard_limit &&
                    definition->memory_tune->swap_hard_limit_kib < definition->memory_tune->hard_limit_kib)
                        return error_set(error, ERROR_INVALID_ARGUMENT,
                                         "swap_hard_limit counts memory and swap: it cannot be below "
                                         "hard_limit");
                return 0;
        }
        return unknown(key, error);
}

/* NUMA nodes */

static void tell_numa(const DomainDefinition *definition, GVariantBuilder *values)
{
        const NumatuneMemory *memory = definition->numatune ? definition->numatune->memory : NULL;
        NumatuneMode mode = memory && memory->mode != NUMATUNE_MODE_ABSENT ? memory->mode : NUMATUNE_STRICT;

        g_variant_builder_add(values, "{sv}", "numa_nodeset",
                              g_variant_new_string(memory && memory->nodeset ? memory->nodeset : ""));
        g_variant_builder_add(values, "{sv}", "numa_mode",
                              g_variant_new_int32((gint32)(mode - NUMATUNE_STRICT)));
}

static int take_numa(DomainDefinition *definition, const char *key, GVariant *value, Error *error)
{
        bool is_mode = strcmp(key, "numa_mode") == 0;
        NumatuneMemory *memory;
        int r;

        if (!is_mode && strcmp(key, "numa_nodeset") != 0)
                return unknown(key, error);
        r = check_type(key, value, is_mode ? "i" : "s", error);
        if (r < 0)
                return r;
        if (!definition->numatune)
                definition->numatune = struct_new(&numatune_type);
        if (!definition->numatune->memory)
                definition->numatune->memory = g_new0(NumatuneMemory, 1);
        memory = definition->numatune->memory;
        if (is_mode) {
                gint32 mode = g_variant_get_int32(value);

                if (mode < 0 || mode > (gint32)(NUMATUNE_RESTRICTIVE - NUMATUNE_STRICT))
                        return error_set(error, ERROR_INVALID_ARGUMENT,
                                         "numa_mode is 0 (strict) to 3 (restrictive)");
                memory->mode = (NumatuneMode)(NUMATUNE_STRICT + mode);
                return 0;
        }
        g_free(memory->nodeset);
        memory->nodeset = cpuset_canonical(g_variant_get_string(value, NULL));
        if (!memory->nodeset || !*memory->nodeset)
                return error_set(error, ERROR_INVALID_ARGUMENT, "numa_nodeset: '%s' is no set of nodes",
                                 g_variant_get_string(value, NULL));
        if (memory->mode == NUMATUNE_MODE_ABSENT)
                memory->mode = NUMATUNE_STRICT;
        return 0;
}

/* Disk traffic */

static const struct {
        const char *key;
        size_t offset, size;
} of_devices[] = {
        { "device_weight", offsetof(BlkioDevice, weight), 4 },
        { "device_read_iops_sec", offsetof(BlkioDevice, read_iops_sec), 4 },
        { "device_write_iops_sec", offsetof(BlkioDevice, write_iops_sec), 4 },
        { "device_read_bytes_sec", offsetof(BlkioDevice, read_bytes_sec), 8 },
        { "device_write_bytes_sec", offsetof(BlkioDevice, write_bytes_sec), 8 },
};

static uint64_t device_value(const BlkioDevice *device, size_t i)
{
        const char *at = (const char *)device + of_devices[i].offset;

        return of_devices[i].size == 4 ? *(const uint32_t *)at : *(const uint64_t *)at;
}

static void tell_blkio(const DomainDefinition *definition, GVariantBuilder *values)
{
        const BlkioTune *tune = definition->blkio_tune;

        g_variant_builder_add(values, "{sv}", "weight", g_variant_new_uint32(tune ? tune->weight : 0));
        for (size_t i = 0; i < G_N_ELEMENTS(of_devices); i++) {
                GString *text = g_string_new(NULL);

                if (tune)
                        LIST_FOREACH (device, tune->devices) {
                                if (device_value(device, i))
                                        g_string_append_printf(text, "%s%s,%" PRIu64, text->len ? "," : "",
                                                               device->path, device_value(device, i));
                        }
                g_variant_builder_add(values, "{sv}", of_devices[i].key,
                                      g_variant_new_take_string(g_string_free(text, FALSE)));
        }
}

static BlkioDevice *device_of(BlkioTune *tune, const char *path)
{
        BlkioDevice *device;

        LIST_FOREACH (known, tune->devices) {
                if (strcmp(known->path, path) == 0)
                        return known;
        }
        device = g_new0(BlkioDevice, 1);
        device->path = g_strdup(path);
        list_append(&tune->devices, device);
        return device;
}

/* "/dev/sda,500,/dev/sdb,100" */
static int take_devices(BlkioTune *tune, size_t i, const char *text, Error *error)
{
        _cleanup_(strvp) char **words = g_strsplit(text, ",", 0);

        for (char **word = words; *word; word += 2) {
                guint64 number;

                if (word[0][0] != '/' || !word[1] ||
                    !g_ascii_string_to_unsigned(
                            word[1], 10, 0, of_devices[i].size == 4 ? UINT32_MAX : INT64_MAX, &number, NULL))
                        return error_set(error, ERROR_INVALID_ARGUMENT,
                                         "%s: paths and numbers in turn are expected, with commas between",
                                         of_devices[i].key);
                if (of_devices[i].size == 4)
                        *(uint32_t *)((char *)device_of(tune, word[0]) + of_devices[i].offset) =
                                (uint32_t)number;
                else
                        *(uint64_t *)((char *)device_of(tune, word[0]) + of_devices[i].offset) = number;
        }
        return 0;
}

static int take_blkio(DomainDefinition *definition, const char *key, GVariant *value, Error *error)
{
        int r;

        if (!definition->blkio_tune)
                definition->blkio_tune = struct_new(&blkio_tune_type);
        if (strcmp(key, "weight") == 0) {
                r = check_type(key, value, "u", error);
                if (r >= 0 && g_variant_get_uint32(value) != 0 &&
                    (g_variant_get_uint32(value) < 10 || g_variant_get_uint32(value) > 1000))
                        r = error_set(error, ERROR_INVALID_ARGUMENT, "weight is 10 to 1000");
                if (r >= 0)
                        definition->blkio_tune->weight = g_variant_get_uint32(value);
                return r;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(of_devices); i++) {
                if (strcmp(of_devices[i].key, key) != 0)
                        continue;
                r = check_type(key, value, "s", error);
                return r < 0 ? r
                             : take_devices(definition->blkio_tune, i, g_variant_get_string(value, NULL),
                                            error);
        }
        return unknown(key, error);
}

const GrantKind grants_scheduler = { tell_scheduler, take_scheduler };
const GrantKind grants_memory = { tell_memory, take_memory };
const GrantKind grants_numa = { tell_numa, take_numa };
const GrantKind grants_block_io = { tell_blkio, take_blkio };

GVariant *grants_tell(const GrantKind *kind, const DomainDefinition *definition)
{
        GVariantBuilder values;

        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        kind->tell(definition, &values);
        return g_variant_builder_end(&values);
}

typedef struct Taking {
        const GrantKind *kind;
        DomainDefinition *definition;
} Taking;

static int take_one(void *target, const char *key, GVariant *value, Error *error)
{
        const Taking *taking = target;

        return taking->kind->take(taking->definition, key, value, error);
}

int grants_take(const GrantKind *kind, DomainDefinition *definition, GVariant *values, Error *error)
{
        return values_take(values, take_one, &(Taking){ kind, definition }, error);
}
