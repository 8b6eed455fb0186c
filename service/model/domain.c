/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <domain>: the rows of a machine's definition that belong to no device, and how a definition is read and
 * written. */

#include "model/domain.h"
#include <string.h>

DEFINE_ENUM(domain_type, DOMAIN_TYPES);
DEFINE_ENUM(lifecycle_action, LIFECYCLE_ACTIONS);
DEFINE_ENUM(lock_failure, LOCK_FAILURES);
DEFINE_ENUM(override_kind, OVERRIDE_KINDS);

/* As many as a file name may have: people and programs make files of it. */
#define NAME_MAX_BYTES 255

#define NAMESPACE_QEMU "http://libvirt.org/schemas/domain/qemu/1.0"

#define THIS DomainVcpu
static const Field domain_vcpu_fields[] = {
        UNSIGNED("@id", id, .flags = FIELD_REQUIRED),
        YESNO("@enabled", enabled, .flags = FIELD_REQUIRED),
        YESNO("@hotpluggable", hotpluggable),
        UNSIGNED("@order", order),
};
#undef THIS
static DEFINE_STRUCT(domain_vcpu, DomainVcpu);

static int domain_iothread_check(void *object, const XmlNode *node _unused_, unsigned flags _unused_,
                                 Error *error)
{
        if (((DomainIothread *)object)->id == 0)
                return error_set(error, ERROR_INVALID_XML, "iothread/@id is 0: iothreads count from 1");
        return 0;
}

#define THIS DomainIothread
static const Field domain_iothread_fields[] = {
        UNSIGNED("@id", id, .flags = FIELD_REQUIRED),
        SIGNED("@thread_pool_min", pool_min, .has_offset = offsetof(THIS, has_pool_min)),
        SIGNED("@thread_pool_max", pool_max, .has_offset = offsetof(THIS, has_pool_max)),
};
#undef THIS
static DEFINE_STRUCT(domain_iothread, DomainIothread, .check = domain_iothread_check);

#define THIS IdMap
static const Field id_map_fields[] = {
        UNSIGNED("@start", start, .flags = FIELD_REQUIRED),
        UNSIGNED("@target", target, .flags = FIELD_REQUIRED),
        UNSIGNED("@count", count, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(id_map, IdMap);

#define THIS PerfEvent
static const Field perf_event_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED),
        YESNO("@enabled", enabled, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(perf_event, PerfEvent);

#define THIS KeywrapCipher
static const Field keywrap_cipher_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED),
        ONOFF("@state", state, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(keywrap_cipher, KeywrapCipher);

#define THIS LaunchSecurity
static const Field launch_security_fields[] = {
        ENUM("@type", type, launch_security_type, .flags = FIELD_REQUIRED),
        YESNO("@kernelHashes", kernel_hashes),
        UNSIGNED("cbitpos", cbitpos, .has_offset = offsetof(THIS, has_cbitpos)),
        UNSIGNED("reducedPhysBits", reduced_phys_bits, .has_offset = offsetof(THIS, has_reduced_phys_bits)),
        HEX_ALWAYS("policy", policy, 4, WHEN(type, BIT(LAUNCH_SEV))),
        STRING("dhCert", dh_cert),
        STRING("session", session),
};
#undef THIS
static DEFINE_STRUCT(launch_security, LaunchSecurity);

#define THIS DomainSeclabel
static const Field domain_seclabel_fields[] = {
        STRING("@type", type, .flags = FIELD_NO_ABI),
        STRING("@model", model, .flags = FIELD_NO_ABI),
        YESNO("@relabel", relabel, .flags = FIELD_NO_ABI),
        STRING("label", label, .flags = FIELD_NO_ABI),
        STRING("imagelabel", imagelabel, .flags = FIELD_NO_ABI | FIELD_LIVE),
        STRING("baselabel", baselabel, .flags = FIELD_NO_ABI),
};
#undef THIS
static DEFINE_STRUCT(domain_seclabel, DomainSeclabel);

#define THIS CommandlineArgument
static const Field commandline_argument_fields[] = {
        STRING("@value", value, .flags = FIELD_REQUIRED | FIELD_EMPTY_WORD),
};
#undef THIS
static DEFINE_STRUCT(commandline_argument, CommandlineArgument);

#define THIS CommandlineEnvironment
static const Field commandline_environment_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        STRING("@value", value),
};
#undef THIS
static DEFINE_STRUCT(commandline_environment, CommandlineEnvironment);

#define THIS DomainCommandline
static const Field domain_commandline_fields[] = {
        ITEMS("qemu:arg", arguments, commandline_argument),
        ITEMS("qemu:env", environment, commandline_environment),
};
#undef THIS
static DEFINE_STRUCT(domain_commandline, DomainCommandline);

#define THIS CommandlineCapability
static const Field commandline_capability_fields[] = {
        STRING("@capability", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
};
#undef THIS
static DEFINE_STRUCT(commandline_capability, CommandlineCapability);

#define THIS OverrideProperty
static const Field override_property_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        ENUM("@type", kind, override_kind, .flags = FIELD_REQUIRED),
        STRING("@value", value, .flags = FIELD_EMPTY_WORD),
};
#undef THIS
static DEFINE_STRUCT(override_property, OverrideProperty);

#define THIS DeviceOverride
static const Field device_override_fields[] = {
        STRING("@alias", alias, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        ITEMS("qemu:frontend/qemu:property", properties, override_property),
};
#undef THIS
static DEFINE_STRUCT(device_override, DeviceOverride);

#define THIS DomainDevices
static const Field domain_devices_fields[] = {
        STRING("emulator", emulator, .flags = FIELD_NO_ABI),
        ITEMS("disk", disks, domain_disk, .flags = FIELD_TUNABLE),
        ITEMS("controller", controllers, domain_controller, .flags = FIELD_TUNABLE),
        ITEMS("lease", leases, domain_lease, .flags = FIELD_TUNABLE),
        ITEMS("filesystem", filesystems, domain_filesystem, .flags = FIELD_TUNABLE),
        ITEMS("interface", interfaces, domain_interface, .flags = FIELD_TUNABLE),
        ITEMS("smartcard", smartcards, domain_smartcard),
        ITEMS("serial", serials, domain_serial, .flags = FIELD_TUNABLE),
        ITEMS("parallel", parallels, domain_parallel),
        ITEMS("console", consoles, domain_console, .flags = FIELD_TUNABLE),
        ITEMS("channel", channels, domain_channel, .flags = FIELD_TUNABLE),
        ITEMS("input", inputs, domain_input, .flags = FIELD_TUNABLE),
        ITEMS("tpm", tpms, domain_tpm),
        ITEMS("graphics", graphics, domain_graphics, .flags = FIELD_NO_ABI),
        ITEMS("sound", sounds, domain_sound),
        ITEMS("audio", audios, domain_audio, .flags = FIELD_NO_ABI),
        ITEMS("video", videos, domain_video),
        ITEMS("hostdev", hostdevs, domain_hostdev, .flags = FIELD_TUNABLE),
        ITEMS("redirdev", redirdevs, domain_redirdev, .flags = FIELD_TUNABLE),
        STRUCT("redirfilter", redirfilter, domain_redirfilter),
        ITEMS("hub", hubs, domain_hub),
        ITEMS("watchdog", watchdogs, domain_watchdog, .flags = FIELD_TUNABLE),
        STRUCT("memballoon", memballoon, domain_memballoon),
        ITEMS("rng", rngs, domain_rng, .flags = FIELD_TUNABLE),
        STRUCT("nvram", nvram, domain_nvram),
        ITEMS("panic", panics, domain_panic),
        ITEMS("shmem", shmems, domain_shmem, .flags = FIELD_TUNABLE),
        ITEMS("memory", memories, domain_memory, .flags = FIELD_TUNABLE),
        ITEMS("iommu", iommus, domain_iommu),
        STRUCT("vsock", vsock, domain_vsock),
        ITEMS("crypto", cryptos, domain_crypto),
};
#undef THIS
static DEFINE_STRUCT(domain_devices, DomainDevices);

/* Attributes of the root are written by domain_definition_format(). */
static bool shown_natively(const void *object, unsigned flags)
{
        (void)object;
        return flags & DEFINITION_NATIVE;
}

static bool current_vcpus_shown(const void *object, unsigned flags)
{
        const DomainDefinition *definition = object;

        return flags & DEFINITION_NATIVE || definition->current_vcpus != definition->vcpus;
}

static bool iothread_ids_shown(const void *object, unsigned flags)
{
        (void)flags;
        return ((const DomainDefinition *)object)->iothreads_given;
}

#define THIS DomainDefinition
static const Field domain_definition_fields[] = {
        ENUM("@type", type, domain_type, .flags = FIELD_REQUIRED, .shown = shown_natively),
        SIGNED("@id", id, .has_offset = offsetof(THIS, has_id), .flags = FIELD_LIVE | FIELD_NO_ABI,
               .shown = shown_natively),
        STRING("name", name, .flags = FIELD_REQUIRED | FIELD_NO_ABI),
        UUID("uuid", uuid),
        UUID("genid", genid, .has_offset = offsetof(THIS, has_genid)),
        STRING("hwuuid", hwuuid),
        STRING("title", title, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        STRING("description", description, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        RAW("metadata", metadata, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        UNSIGNED("maxMemory/@slots", max_memory_slots),
        SIZE_KIB("maxMemory/.", max_memory_kib, .flags = FIELD_ROUND_UP),
        ONOFF("memory/@dumpCore", dump_core, .flags = FIELD_NO_ABI),
        SIZE_KIB("memory/.", memory_kib, .flags = FIELD_ROUND_UP),
        SIZE_KIB("currentMemory", current_memory_kib,
                 .flags = FIELD_TUNABLE | FIELD_ROUND_UP | FIELD_NO_ABI),
        STRUCT("blkiotune", blkio_tune, blkio_tune, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        STRUCT("memtune", memory_tune, memory_tune, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        STRUCT("memoryBacking", memory_backing, memory_backing, .flags = FIELD_NO_ABI),
        ENUM("vcpu/@placement", vcpu_placement, placement, .flags = FIELD_NO_ABI),
        CPUSET("vcpu/@cpuset", cpuset, .flags = FIELD_NO_ABI),
        UNSIGNED("vcpu/@current", current_vcpus, .shown = current_vcpus_shown,
                 .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        UNSIGNED("vcpu/.", vcpus),
        ITEMS("vcpus/vcpu", vcpu_list, domain_vcpu, .flags = FIELD_NO_ABI),
        UNSIGNED("iothreads", iothreads, .flags = FIELD_NO_ABI),
        ITEMS("iothreadids/iothread", iothread_list, domain_iothread, .shown = iothread_ids_shown,
              .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        STRUCT("cputune", cpu_tune, cpu_tune, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        STRUCT("numatune", numatune, numatune, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        STRING("resource/partition", resource_partition, .flags = FIELD_NO_ABI),
        STRING("resource/fibrechannel/@appid", fibrechannel_appid, .flags = FIELD_NO_ABI),
        ITEMS("sysinfo", sysinfos, domain_sysinfo),
        STRING("bootloader", bootloader),
        STRING("bootloader_args", bootloader_args),
        INLINE("os", os, domain_os),
        ITEMS("idmap/uid", idmap_uids, id_map),
        ITEMS("idmap/gid", idmap_gids, id_map),
        INLINE("features", features, domain_features),
        STRUCT("cpu", cpu, domain_cpu),
        INLINE("clock", clock, domain_clock),
        ENUM("on_poweroff", on_poweroff, lifecycle_action, .initial = LIFECYCLE_DESTROY,
             .flags = FIELD_ALWAYS | FIELD_NO_ABI),
        ENUM("on_reboot", on_reboot, lifecycle_action, .initial = LIFECYCLE_RESTART,
             .flags = FIELD_ALWAYS | FIELD_NO_ABI),
        ENUM("on_crash", on_crash, lifecycle_action, .initial = LIFECYCLE_DESTROY,
             .flags = FIELD_ALWAYS | FIELD_NO_ABI),
        ENUM("on_lockfailure", on_lockfailure, lock_failure, .flags = FIELD_NO_ABI),
        YESNO("pm/suspend-to-mem/@enabled", suspend_to_mem),
        YESNO("pm/suspend-to-disk/@enabled", suspend_to_disk),
        ITEMS("perf/event", perf_events, perf_event, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        INLINE("devices", devices, domain_devices, .flags = FIELD_KEEP_EMPTY),
        ITEMS("seclabel", seclabels, domain_seclabel, .flags = FIELD_NO_ABI),
        STRUCT("qemu:commandline", commandline, domain_commandline),
        ITEMS("qemu:capabilities/qemu:add", capabilities_added, commandline_capability),
        ITEMS("qemu:capabilities/qemu:del", capabilities_removed, commandline_capability),
        STRING("qemu:deprecation/@behavior", deprecation_behavior),
        ITEMS("qemu:override/qemu:device", overrides, device_override),
        ITEMS("keywrap/cipher", keywrap_ciphers, keywrap_cipher),
        STRUCT("launchSecurity", launch_security, launch_security),
};
#undef THIS

int domain_name_check(const char *name, Error *error)
{
        if (!name || !*name)
                return error_set(error, ERROR_INVALID_XML,
                                 "A domain has a name: <name> is missing or empty");
        if (strlen(name) > NAME_MAX_BYTES)
                return error_set(error, ERROR_INVALID_XML,
                                 "The name of a domain has %zu bytes, at most %d are possible", strlen(name),
                                 NAME_MAX_BYTES);
        if (strchr(name, '/'))
                return error_set(error, ERROR_INVALID_XML,
                                 "The name '%s' has a '/', which names cannot have", name);
        if (strchr(name, '\n'))
                return error_set(error, ERROR_INVALID_XML, "The name of a domain cannot have a newline");
        if (strspn(name, " \t") == strlen(name))
                return error_set(error, ERROR_INVALID_XML, "The name of a domain cannot be blank");
        return 0;
}

/* What one document says about itself. */
static int definition_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DomainDefinition *definition = object;
        int r;

        (void)flags;
        r = domain_name_check(definition->name, error);
        if (r < 0)
                return r;
        if (definition->title && strchr(definition->title, '\n'))
                return error_set(error, ERROR_INVALID_XML,
                                 "The title of domain '%s' has a newline: one line is allowed",
                                 definition->name);
        if (node && xml_child(node, "vcpu") && definition->vcpus == 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "Domain '%s': <vcpu>: at least 1 processor is needed", definition->name);
        if (definition->vcpus == 0)
                definition->vcpus = 1;
        if (definition->current_vcpus == 0)
                definition->current_vcpus = definition->vcpus;
        if (definition->current_vcpus > definition->vcpus)
                return error_set(error, ERROR_INVALID_XML,
                                 "Domain '%s': <vcpu>: current='%u' is more than all %u", definition->name,
                                 definition->current_vcpus, definition->vcpus);
        definition->iothreads_given = definition->iothread_list.count > 0;
        return 0;
}

DEFINE_STRUCT(domain_definition, DomainDefinition, .check = definition_check);

int domain_definition_parse(const char *xml, size_t size, unsigned flags, DomainDefinition **ret,
                            Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        const XmlNode *root;
        void *definition;
        int r;

        r = xml_parse(xml, size, "domain", &document, error);
        if (r < 0)
                return r;
        root = xml_document_root(document);
        if (strcmp(root->name, "domain") != 0)
                return error_set(error, ERROR_INVALID_XML, "The document is a <%s>, a <domain> is expected",
                                 root->name);
        r = struct_parse(&domain_definition_type, root, flags, &definition, error);
        if (r >= 0)
                *ret = definition;
        return r;
}

static bool uses_qemu_namespace(const DomainDefinition *definition)
{
        return definition->commandline || definition->capabilities_added.count > 0 ||
               definition->capabilities_removed.count > 0 || definition->deprecation_behavior ||
               definition->overrides.count > 0;
}

void domain_definition_write(const DomainDefinition *definition, const char *element, XmlWriter *writer,
                             unsigned flags)
{
        char id[16];

        xml_writer_open(writer, element);
        xml_writer_attribute(writer, "type", domain_type_to_string(definition->type));
        if (definition->has_id && definition->id > 0 &&
            (!(flags & DEFINITION_INACTIVE) || flags & DEFINITION_STATUS)) {
                g_snprintf(id, sizeof id, "%d", definition->id);
                xml_writer_attribute(writer, "id", id);
        }
        if (uses_qemu_namespace(definition))
                xml_writer_attribute(writer, "xmlns:qemu", NAMESPACE_QEMU);
        struct_format(&domain_definition_type, definition, NULL, writer, flags);
        xml_writer_close(writer);
}

char *domain_definition_format(const DomainDefinition *definition, unsigned flags)
{
        XmlWriter *writer = xml_writer_new();

        domain_definition_write(definition, "domain", writer, flags);
        return xml_writer_finish(writer);
}

DomainDefinition *domain_definition_copy(const DomainDefinition *definition)
{
        return struct_copy(&domain_definition_type, definition);
}

bool domain_interface_has_own_vlan(const DomainInterface *interface, const DomainDefinition *stored)
{
        if (!interface->vlan || !interface_function(interface))
                return interface->vlan;
        if (!stored)
                return false;
        LIST_FOREACH (same, stored->devices.interfaces) {
                if (strcmp(same->mac, interface->mac) == 0)
                        return struct_is_same(&vlan_type, same->vlan, interface->vlan);
        }
        return false;
}

DomainDefinition *domain_definition_free(DomainDefinition *definition)
{
        return struct_free(&domain_definition_type, definition);
}

GVariant *domain_definition_to_variant(const DomainDefinition *definition)
{
        return struct_to_variant(&domain_definition_type, definition);
}

/* Values can say what no document can: a machine of these would be lost when the daemon starts again. What
 * cannot be completed is refused by whoever completes it. */
static int check_document(const DomainDefinition *definition, Error *error)
{
        const unsigned flags = DEFINITION_INACTIVE | DEFINITION_SECURE;
        _cleanup_(domain_definition_freep) DomainDefinition *whole = domain_definition_copy(definition),
                                                            *again = NULL;
        _cleanup_(error_clear) Error problem = {};
        _cleanup_(freep) char *xml = NULL;
        int r;

        if (domain_definition_complete(whole, &problem) < 0)
                return 0;
        xml = domain_definition_format(whole, flags);
        r = domain_definition_parse(xml, strlen(xml), flags, &again, error);
        if (r < 0)
                error_prefix(error, "The values make no definition");
        return r;
}

int domain_definition_from_variant(GVariant *variant, DomainDefinition **ret, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        void *made;
        int r = struct_from_variant(&domain_definition_type, variant, &made, error);

        if (r < 0)
                return r;
        definition = made;
        r = check_document(definition, error);
        if (r >= 0)
                *ret = TAKE_PTR(definition);
        return r;
}

char *domain_definition_difference(const DomainDefinition *a, const DomainDefinition *b, bool guest_only)
{
        return struct_difference(&domain_definition_type, a, b, guest_only);
}
