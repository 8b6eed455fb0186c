/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A machine in memory may have whatever the language has words for: so the lists are the model's own. */

#include "drivers/test/domain-capabilities.h"
#include "core/xml.h"
#include "drivers/test/host.h"
#include <string.h>

typedef struct Word {
        const char *device, *list;
        const EnumTable *words;
} Word;

/* Lists of one device stand together. */
static const Word words[] = {
        { "disk", "diskDevice", &disk_device_table },  { "disk", "bus", &disk_bus_table },
        { "graphics", "type", &graphics_type_table },  { "video", "modelType", &video_model_table },
        { "rng", "backendModel", &rng_backend_table },
};

static void write_supported(XmlWriter *writer, const char *element)
{
        xml_writer_open(writer, element);
        xml_writer_attribute(writer, "supported", "yes");
}

static void write_list(XmlWriter *writer, const Word *list)
{
        xml_writer_open(writer, "enum");
        xml_writer_attribute(writer, "name", list->list);
        for (unsigned i = 0; i < list->words->count; i++) {
                if (!list->words->words[i])
                        continue;
                xml_writer_open(writer, "value");
                xml_writer_text(writer, list->words->words[i]);
                xml_writer_close(writer);
        }
        xml_writer_close(writer);
}

static void write_devices(XmlWriter *writer)
{
        xml_writer_open(writer, "devices");
        for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
                if (i == 0 || strcmp(words[i - 1].device, words[i].device) != 0)
                        write_supported(writer, words[i].device);
                write_list(writer, &words[i]);
                if (i + 1 == G_N_ELEMENTS(words) || strcmp(words[i + 1].device, words[i].device) != 0)
                        xml_writer_close(writer);
        }
        xml_writer_close(writer);
}

static int check(const char *emulator, const char *arch, const char *machine, const char *type, Error *error)
{
        if (emulator && *emulator)
                return error_set(error, ERROR_INVALID_ARGUMENT, "The Test driver has no emulator '%s'",
                                 emulator);
        if (arch && *arch && strcmp(arch, HOST_ARCH) != 0 && strcmp(arch, "x86_64") != 0)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The Test driver's host runs " HOST_ARCH " and x86_64, not '%s'", arch);
        if (machine && *machine)
                return error_set(error, ERROR_INVALID_ARGUMENT, "The Test driver has no machine type '%s'",
                                 machine);
        if (type && *type && strcmp(type, "test") != 0)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The Test driver runs domains of type test, not '%s'", type);
        return 0;
}

int test_connect_get_domain_capabilities(Call *call, const char *emulator, const char *arch,
                                         const char *machine, const char *type, uint32_t flags,
                                         char **ret_capabilities, Error *error)
{
        const struct {
                const char *element, *text;
        } texts[] = { { "domain", "test" }, { "arch", arch && *arch ? arch : HOST_ARCH } };
        XmlWriter *writer;
        int r = error_check_flags(error, "GetDomainCapabilities", flags, 0);

        (void)call;
        if (r >= 0)
                r = check(emulator, arch, machine, type, error);
        if (r < 0)
                return r;
        writer = xml_writer_new();
        xml_writer_open(writer, "domainCapabilities");
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                xml_writer_open(writer, texts[i].element);
                xml_writer_text(writer, texts[i].text);
                xml_writer_close(writer);
        }
        xml_writer_open(writer, "vcpu");
        xml_writer_attribute(writer, "max", G_STRINGIFY(HOST_VCPUS_MAX));
        xml_writer_close(writer);
        write_supported(writer, "iothreads");
        xml_writer_close(writer);
        write_supported(writer, "os");
        xml_writer_close(writer);
        write_devices(writer);
        xml_writer_close(writer);
        *ret_capabilities = xml_writer_finish(writer);
        return 0;
}
