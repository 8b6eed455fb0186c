/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a binary can do, in a form that is quick to ask. It is always made from the document that probe.c
 * puts together, whether QEMU was asked just now or the document was on the disk, so there is one way in.
 * The strings are kept in one chunk: a binary has some 2,500 of them. */

#include "drivers/qemu/capabilities.h"
#include <string.h>

typedef struct ArchName {
        const char *qemu, *definition;
} ArchName;

static const ArchName arch_names[] = { { "i386", "i686" }, { "arm", "armv7l" } };

const char *arch_from_qemu(const char *arch)
{
        for (size_t i = 0; i < G_N_ELEMENTS(arch_names); i++) {
                if (strcmp(arch_names[i].qemu, arch) == 0)
                        return arch_names[i].definition;
        }
        return arch;
}

const char *arch_to_qemu(const char *arch)
{
        for (size_t i = 0; i < G_N_ELEMENTS(arch_names); i++) {
                if (strcmp(arch_names[i].definition, arch) == 0)
                        return arch_names[i].qemu;
        }
        return arch;
}

static void machine_free(void *data)
{
        QemuMachine *machine = data;

        g_free(machine->name);
        g_free(machine->alias);
        g_free(machine->default_cpu);
        g_free(machine);
}

static void cpu_model_free(void *data)
{
        QemuCpuModel *model = data;

        g_free(model->name);
        g_strfreev(model->missing);
        g_free(model);
}

static GHashTable *read_set(QemuCapabilities *capabilities, json_t *array)
{
        GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);
        json_t *value;
        size_t i;

        json_array_foreach(array, i, value)
        {
                if (json_is_string(value))
                        g_hash_table_add(set, g_string_chunk_insert_const(capabilities->strings,
                                                                          json_string_value(value)));
        }
        return set;
}

/* "qemu64" from the type "qemu64-x86_64-cpu". */
static char *cpu_name(const char *type)
{
        const char *end;

        if (!type || !g_str_has_suffix(type, "-cpu"))
                return g_strdup(type);
        end = g_strrstr_len(type, (gssize)strlen(type) - 4, "-");
        return end ? g_strndup(type, (gsize)(end - type)) : g_strdup(type);
}

static void read_machines(QemuCapabilities *capabilities, json_t *array)
{
        json_t *value;
        size_t i;

        json_array_foreach(array, i, value)
        {
                const char *name = json_string_value(json_object_get(value, "name"));
                json_int_t vcpus_max = json_integer_value(json_object_get(value, "cpu-max"));
                QemuMachine *machine;

                if (!name || strcmp(name, "none") == 0)
                        continue; /* for asking only */
                machine = g_new(QemuMachine, 1);
                *machine = (QemuMachine){
                        .name = g_strdup(name),
                        .alias = g_strdup(json_string_value(json_object_get(value, "alias"))),
                        .default_cpu =
                                cpu_name(json_string_value(json_object_get(value, "default-cpu-type"))),
                        .vcpus_max = vcpus_max > 0 && vcpus_max <= UINT32_MAX ? (uint32_t)vcpus_max : 1,
                        .is_default = json_is_true(json_object_get(value, "is-default")),
                        .is_deprecated = json_is_true(json_object_get(value, "deprecated")),
                        .can_plug_cpus = json_is_true(json_object_get(value, "hotpluggable-cpus")),
                };
                g_ptr_array_add(capabilities->machines, machine);
        }
}

static char **read_strings(json_t *array)
{
        g_autoptr(GPtrArray) strings = g_ptr_array_new();
        json_t *value;
        size_t i;

        if (!json_is_array(array))
                return NULL;
        json_array_foreach(array, i, value)
        {
                if (json_is_string(value))
                        g_ptr_array_add(strings, g_strdup(json_string_value(value)));
        }
        g_ptr_array_add(strings, NULL);
        return (char **)g_ptr_array_steal(strings, NULL);
}

static GPtrArray *read_cpus(json_t *array)
{
        GPtrArray *models = g_ptr_array_new_with_free_func(cpu_model_free);
        json_t *value;
        size_t i;

        json_array_foreach(array, i, value)
        {
                const char *name = json_string_value(json_object_get(value, "name"));
                QemuCpuModel *model;

                if (!name)
                        continue;
                model = g_new(QemuCpuModel, 1);
                *model = (QemuCpuModel){
                        .name = g_strdup(name),
                        .missing = read_strings(json_object_get(value, "unavailable-features")),
                        .is_deprecated = json_is_true(json_object_get(value, "deprecated")),
                };
                g_ptr_array_add(models, model);
        }
        return models;
}

/* Names that are not in the table (of other architectures, or newer than it) are left out. */
static CpuProcessor *read_processor(json_t *object)
{
        const char *vendor = json_string_value(json_object_get(object, "vendor"));
        json_int_t family = json_integer_value(json_object_get(object, "family")),
                   model = json_integer_value(json_object_get(object, "model")),
                   stepping = json_integer_value(json_object_get(object, "stepping"));
        CpuProcessor *processor;
        json_t *value;
        size_t i;

        if (!json_is_object(object) || !vendor)
                return NULL;
        processor = g_new0(CpuProcessor, 1);
        processor->vendor = cpu_vendor_find_id(vendor);
        processor->has_signature = family > 0 && family < 1024 && model >= 0 && model < 1024 &&
                                   stepping >= 0 && stepping < 1024;
        if (processor->has_signature) {
                processor->family = (unsigned)family;
                processor->model = (unsigned)model;
                processor->stepping = (unsigned)stepping;
        }
        json_array_foreach(json_object_get(object, "features"), i, value)
        {
                int feature = json_is_string(value) ? cpu_feature_find(json_string_value(value)) : -1;

                if (feature >= 0)
                        cpu_set_add(&processor->features, (unsigned)feature);
        }
        return processor;
}

int capabilities_new(const char *binary, json_t *document, QemuCapabilities **ret_capabilities, Error *error)
{
        const char *arch = json_string_value(json_object_get(document, "arch"));
        json_int_t version = json_integer_value(json_object_get(document, "version"));
        json_t *machines = json_object_get(document, "machines"),
               *types = json_object_get(document, "types");
        QemuCapabilities *capabilities;

        if (!arch || version <= 0 || json_array_size(machines) == 0 || json_array_size(types) == 0)
                return error_set(error, ERROR_OPERATION_FAILED, "%s did not say what it can do", binary);
        capabilities = g_new(QemuCapabilities, 1);
        *capabilities = (QemuCapabilities){
                .n_references = 1,
                .binary = g_strdup(binary),
                .arch = g_strdup(arch_from_qemu(arch)),
                .package = g_strdup(json_string_value(json_object_get(document, "package"))),
                .version = (uint64_t)version,
                .has_kvm = json_is_true(json_object_get(document, "kvm")),
                .machines = g_ptr_array_new_with_free_func(machine_free),
                .kvm_cpus = read_cpus(json_object_get(document, "kvm-cpus")),
                .tcg_cpus = read_cpus(json_object_get(document, "tcg-cpus")),
                .kvm_processor = read_processor(json_object_get(document, "kvm-processor")),
                .tcg_processor = read_processor(json_object_get(document, "tcg-processor")),
                .strings = g_string_chunk_new(16384),
        };
        read_machines(capabilities, machines);
        capabilities->types = read_set(capabilities, types);
        capabilities->commands = read_set(capabilities, json_object_get(document, "commands"));
        capabilities->options = read_set(capabilities, json_object_get(document, "options"));
        *ret_capabilities = capabilities;
        return 0;
}

QemuCapabilities *capabilities_ref(QemuCapabilities *capabilities)
{
        capabilities->n_references++;
        return capabilities;
}

QemuCapabilities *capabilities_unref(QemuCapabilities *capabilities)
{
        if (!capabilities || --capabilities->n_references > 0)
                return NULL;
        g_free(capabilities->binary);
        g_free(capabilities->arch);
        g_free(capabilities->package);
        g_ptr_array_unref(capabilities->machines);
        g_ptr_array_unref(capabilities->kvm_cpus);
        g_ptr_array_unref(capabilities->tcg_cpus);
        g_free(capabilities->kvm_processor);
        g_free(capabilities->tcg_processor);
        g_hash_table_unref(capabilities->types);
        g_hash_table_unref(capabilities->commands);
        g_hash_table_unref(capabilities->options);
        g_string_chunk_free(capabilities->strings);
        g_free(capabilities);
        return NULL;
}

const QemuMachine *capabilities_find_machine(const QemuCapabilities *capabilities, const char *name)
{
        for (unsigned i = 0; i < capabilities->machines->len; i++) {
                const QemuMachine *machine = g_ptr_array_index(capabilities->machines, i);

                if (g_strcmp0(machine->name, name) == 0 || (name && g_strcmp0(machine->alias, name) == 0))
                        return machine;
        }
        return NULL;
}

const QemuMachine *capabilities_default_machine(const QemuCapabilities *capabilities)
{
        for (unsigned i = 0; i < capabilities->machines->len; i++) {
                const QemuMachine *machine = g_ptr_array_index(capabilities->machines, i);

                if (machine->is_default)
                        return machine;
        }
        return NULL;
}

const QemuCpuModel *capabilities_find_cpu(const QemuCapabilities *capabilities, bool with_kvm,
                                          const char *name)
{
        GPtrArray *models = with_kvm ? capabilities->kvm_cpus : capabilities->tcg_cpus;

        for (unsigned i = 0; i < models->len; i++) {
                const QemuCpuModel *model = g_ptr_array_index(models, i);

                if (g_strcmp0(model->name, name) == 0)
                        return model;
        }
        return NULL;
}

int capabilities_processor(const QemuCapabilities *capabilities, bool with_kvm,
                           const CpuProcessor **ret_processor, Error *error)
{
        *ret_processor = with_kvm ? capabilities->kvm_processor : capabilities->tcg_processor;
        if (*ret_processor)
                return 0;
        return error_set(error, ERROR_NOT_SUPPORTED,
                         "%s did not tell which CPU features it can give to a guest", capabilities->binary);
}

bool capabilities_has_type(const QemuCapabilities *capabilities, const char *type)
{
        return g_hash_table_contains(capabilities->types, type);
}

bool capabilities_has_command(const QemuCapabilities *capabilities, const char *command)
{
        return g_hash_table_contains(capabilities->commands, command);
}

bool capabilities_has_option(const QemuCapabilities *capabilities, const char *option, const char *parameter)
{
        _cleanup_(freep) char *key =
                parameter ? g_strdup_printf("%s.%s", option, parameter) : g_strdup(option);

        return g_hash_table_contains(capabilities->options, key);
}
