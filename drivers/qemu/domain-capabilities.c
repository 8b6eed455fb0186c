/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <domainCapabilities>: what a definition may ask for, of one binary, machine type and virtualization type.
 * A row of the table is a word of the language, with the type that QEMU's object model must have for it:
 * what is not built in, or lies in a package that is not installed, is not promised. */

#include "drivers/qemu/domain-capabilities.h"
#include "core/xml.h"
#include "drivers/qemu/firmware.h"
#include "drivers/qemu/host-model.h"
#include "drivers/qemu/hypervisor.h"
#include <string.h>

typedef struct Word {
        const char *device, *list, *word;
        const char *type; /* of QEMU's; NULL: always there */
} Word;

/* Rows of one device and of one list stand together. */
static const Word words[] = {
        { "disk", "diskDevice", "disk", NULL },
        { "disk", "diskDevice", "cdrom", NULL },
        { "disk", "diskDevice", "floppy", "floppy" },
        { "disk", "diskDevice", "lun", "scsi-block" },
        { "disk", "bus", "ide", "ide-hd" },
        { "disk", "bus", "fdc", "floppy" },
        { "disk", "bus", "scsi", "scsi-hd" },
        { "disk", "bus", "virtio", "virtio-blk-device" },
        { "disk", "bus", "usb", "usb-storage" },
        { "disk", "bus", "sata", "ich9-ahci" },
        { "disk", "model", "virtio", "virtio-blk-device" },
        { "disk", "model", "virtio-transitional", "virtio-blk-pci-transitional" },
        { "disk", "model", "virtio-non-transitional", "virtio-blk-pci-non-transitional" },
        { "graphics", "type", "sdl", NULL },
        { "graphics", "type", "vnc", NULL },
        { "graphics", "type", "spice", "chardev-spicevmc" },
        { "graphics", "type", "egl-headless", "virtio-gpu-gl-pci" },
        { "graphics", "type", "dbus", "dbus-display" },
        { "video", "modelType", "vga", "VGA" },
        { "video", "modelType", "cirrus", "cirrus-vga" },
        { "video", "modelType", "vmvga", "vmware-svga" },
        { "video", "modelType", "qxl", "qxl" },
        { "video", "modelType", "virtio", "virtio-gpu-device" },
        { "video", "modelType", "none", NULL },
        { "video", "modelType", "bochs", "bochs-display" },
        { "video", "modelType", "ramfb", "ramfb" },
        { "hostdev", "mode", "subsystem", NULL },
        { "hostdev", "startupPolicy", "default", NULL },
        { "hostdev", "startupPolicy", "mandatory", NULL },
        { "hostdev", "startupPolicy", "requisite", NULL },
        { "hostdev", "startupPolicy", "optional", NULL },
        { "hostdev", "subsysType", "usb", "usb-host" },
        { "hostdev", "subsysType", "pci", "vfio-pci" },
        { "hostdev", "subsysType", "scsi", "scsi-generic" },
        { "hostdev", "capsType", NULL, NULL },
        { "hostdev", "pciBackend", "default", "vfio-pci" },
        { "hostdev", "pciBackend", "vfio", "vfio-pci" },
        { "rng", "model", "virtio", "virtio-rng-device" },
        { "rng", "model", "virtio-transitional", "virtio-rng-pci-transitional" },
        { "rng", "model", "virtio-non-transitional", "virtio-rng-pci-non-transitional" },
        { "rng", "backendModel", "random", "rng-random" },
        { "rng", "backendModel", "egd", "rng-egd" },
        { "rng", "backendModel", "builtin", "rng-builtin" },
        { "filesystem", "driverType", "path", "virtio-9p-device" },
        { "filesystem", "driverType", "handle", "virtio-9p-device" },
        { "filesystem", "driverType", "virtiofs", "vhost-user-fs-device" },
        { "tpm", "model", "tpm-tis", "tpm-tis" },
        { "tpm", "model", "tpm-crb", "tpm-crb" },
        { "tpm", "model", "tpm-spapr", "tpm-spapr" },
        { "tpm", "backendModel", "passthrough", "tpm-passthrough" },
        { "tpm", "backendModel", "emulator", "tpm-emulator" },
        { "tpm", "backendModel", "external", "tpm-emulator" },
        { "tpm", "backendVersion", "1.2", "tpm-emulator" },
        { "tpm", "backendVersion", "2.0", "tpm-emulator" },
        { "redirdev", "bus", "usb", "usb-redir" },
        { "channel", "type", "pty", NULL },
        { "channel", "type", "unix", NULL },
        { "channel", "type", "spicevmc", "chardev-spicevmc" },
};

static void open_supported(XmlWriter *writer, const char *name, bool is_supported)
{
        xml_writer_open(writer, name);
        xml_writer_attribute(writer, "supported", is_supported ? "yes" : "no");
}

static void write_supported(XmlWriter *writer, const char *name, bool is_supported)
{
        open_supported(writer, name, is_supported);
        xml_writer_close(writer);
}

static void write_text(XmlWriter *writer, const char *name, const char *text)
{
        xml_writer_open(writer, name);
        xml_writer_text(writer, text);
        xml_writer_close(writer);
}

static void write_list(XmlWriter *writer, const char *name, const char *const *values)
{
        xml_writer_open(writer, "enum");
        xml_writer_attribute(writer, "name", name);
        for (; *values; values++)
                write_text(writer, "value", *values);
        xml_writer_close(writer);
}

static bool has_word(const Hypervisor *hypervisor, const Word *word)
{
        return word->word && (!word->type || capabilities_has_type(hypervisor->capabilities, word->type));
}

/* The rows of one device that begin at `word`; returns where the next one's begin. */
static const Word *write_device(XmlWriter *writer, const Hypervisor *hypervisor, const Word *word)
{
        const Word *end = words + G_N_ELEMENTS(words), *first = word;
        bool is_supported = false;

        for (const Word *at = first; at < end && strcmp(at->list, first->list) == 0; at++)
                is_supported = is_supported || has_word(hypervisor, at);
        open_supported(writer, first->device, is_supported);
        while (word < end && strcmp(word->device, first->device) == 0) {
                const char *list = word->list;

                xml_writer_open(writer, "enum");
                xml_writer_attribute(writer, "name", list);
                for (;
                     word < end && strcmp(word->device, first->device) == 0 && strcmp(word->list, list) == 0;
                     word++)
                        if (is_supported && has_word(hypervisor, word))
                                write_text(writer, "value", word->word);
                xml_writer_close(writer);
        }
        xml_writer_close(writer);
        return word;
}

static void write_devices(XmlWriter *writer, const Hypervisor *hypervisor)
{
        xml_writer_open(writer, "devices");
        for (const Word *word = words; word < words + G_N_ELEMENTS(words);)
                word = write_device(writer, hypervisor, word);
        xml_writer_close(writer);
}

static void open_mode(XmlWriter *writer, const char *name, bool is_supported)
{
        xml_writer_open(writer, "mode");
        xml_writer_attribute(writer, "name", name);
        xml_writer_attribute(writer, "supported", is_supported ? "yes" : "no");
}

static const GPtrArray *cpu_models_of(const Hypervisor *hypervisor)
{
        return hypervisor->with_kvm ? hypervisor->capabilities->kvm_cpus
                                    : hypervisor->capabilities->tcg_cpus;
}

/* "EPYC-v1" is a version of EPYC, and max, host and base have modes of their own. */
static bool is_named_model(const char *name)
{
        static const char *const others[] = { "max", "host", "base", NULL };
        const char *version = g_strrstr(name, "-v");

        if (g_strv_contains(others, name))
                return false;
        return !version || strspn(version + 2, "0123456789") != strlen(version + 2);
}

static void write_model(XmlWriter *writer, const QemuCpuModel *model)
{
        int known = cpu_model_find(model->name);
        const char *vendor = known >= 0 ? cpu_models[known].vendor : NULL;

        xml_writer_open(writer, "model");
        xml_writer_attribute(writer, "usable", !model->missing ? "unknown" : *model->missing ? "no" : "yes");
        if (model->is_deprecated)
                xml_writer_attribute(writer, "deprecated", "yes");
        xml_writer_attribute(writer, "vendor", vendor ? vendor : "unknown");
        xml_writer_text(writer, model->name);
        xml_writer_close(writer);
}

static void write_custom(XmlWriter *writer, const Hypervisor *hypervisor)
{
        const GPtrArray *models = cpu_models_of(hypervisor);

        open_mode(writer, "custom", models->len > 0);
        for (unsigned i = 0; i < models->len; i++) {
                const QemuCpuModel *model = models->pdata[i];

                if (is_named_model(model->name))
                        write_model(writer, model);
        }
        xml_writer_close(writer);
}

static void write_cpu(XmlWriter *writer, const Hypervisor *hypervisor)
{
        static const char *const on_off[] = { "on", "off", NULL };
        _cleanup_(cpu_definition_freep) DomainCpu *model =
                cpu_host_model(hypervisor->capabilities, hypervisor->with_kvm);

        xml_writer_open(writer, "cpu");
        open_mode(writer, "host-passthrough", hypervisor->with_kvm);
        if (hypervisor->with_kvm)
                write_list(writer, "hostPassthroughMigratable", on_off);
        xml_writer_close(writer);
        open_mode(writer, "maximum", true);
        write_list(writer, "maximumMigratable", on_off);
        xml_writer_close(writer);
        open_mode(writer, "host-model", model != NULL);
        if (model)
                struct_format(&domain_cpu_type, model, NULL, writer, 0);
        xml_writer_close(writer);
        write_custom(writer, hypervisor);
        xml_writer_close(writer);
}

static void write_os(XmlWriter *writer, const Hypervisor *hypervisor, const FirmwareList *firmware)
{
        bool has_flash = capabilities_has_type(hypervisor->capabilities, "cfi.pflash01");

        open_supported(writer, "os", true);
        write_list(writer, "firmware",
                   (const char *const[]){ "bios", firmware->has_efi ? "efi" : NULL, NULL });
        open_supported(writer, "loader", true);
        for (char **image = firmware->images; image && *image; image++)
                write_text(writer, "value", *image);
        write_list(writer, "type", (const char *const[]){ "rom", has_flash ? "pflash" : NULL, NULL });
        write_list(writer, "readonly", (const char *const[]){ "yes", "no", NULL });
        write_list(writer, "secure",
                   (const char *const[]){ "no", firmware->has_secure ? "yes" : NULL, NULL });
        xml_writer_close(writer);
        xml_writer_close(writer);
}

static void write_memory_backing(XmlWriter *writer, const Hypervisor *hypervisor)
{
        bool has_memfd = capabilities_has_type(hypervisor->capabilities, "memory-backend-memfd");

        open_supported(writer, "memoryBacking", true);
        write_list(writer, "sourceType",
                   (const char *const[]){ "file", "anonymous", has_memfd ? "memfd" : NULL, NULL });
        xml_writer_close(writer);
}

static void write_features(XmlWriter *writer, const Hypervisor *hypervisor)
{
        const QemuCapabilities *capabilities = hypervisor->capabilities;

        xml_writer_open(writer, "features");
        write_supported(writer, "gic", false);
        write_supported(writer, "vmcoreinfo", capabilities_has_type(capabilities, "vmcoreinfo"));
        write_supported(writer, "genid", capabilities_has_type(capabilities, "vmgenid"));
        write_supported(writer, "backingStoreInput", true);
        write_supported(writer, "backup", capabilities_has_command(capabilities, "blockdev-backup"));
        write_supported(writer, "sev", false);
        write_supported(writer, "sgx", false);
        xml_writer_close(writer);
}

int qemu_connect_get_domain_capabilities(Call *call, const char *emulator, const char *arch,
                                         const char *machine, const char *virttype, uint32_t flags,
                                         char **ret_capabilities, Error *error)
{
        const HypervisorName name = { emulator, arch, machine, virttype };
        _cleanup_(hypervisor_clear) Hypervisor hypervisor = {};
        _cleanup_(firmware_list_clear) FirmwareList firmware = {};
        XmlWriter *writer;
        char number[16];
        int r = error_check_flags(error, "GetDomainCapabilities", flags, 0);

        if (r >= 0)
                r = hypervisor_find(call, &name, &hypervisor, error);
        if (r < 0)
                return r;
        firmware_list(hypervisor.arch, hypervisor.machine->name, call->deadline_usec, &firmware);
        writer = xml_writer_new();
        xml_writer_open(writer, "domainCapabilities");
        write_text(writer, "path", hypervisor.capabilities->binary);
        write_text(writer, "domain", hypervisor.with_kvm ? "kvm" : "qemu");
        write_text(writer, "machine", hypervisor.machine->name);
        write_text(writer, "arch", hypervisor.arch);
        xml_writer_open(writer, "vcpu");
        g_snprintf(number, sizeof number, "%u", hypervisor.machine->vcpus_max);
        xml_writer_attribute(writer, "max", number);
        xml_writer_close(writer);
        write_supported(writer, "iothreads", capabilities_has_type(hypervisor.capabilities, "iothread"));
        write_os(writer, &hypervisor, &firmware);
        write_cpu(writer, &hypervisor);
        write_memory_backing(writer, &hypervisor);
        write_devices(writer, &hypervisor);
        write_features(writer, &hypervisor);
        xml_writer_close(writer);
        *ret_capabilities = xml_writer_finish(writer);
        return 0;
}
