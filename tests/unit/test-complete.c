/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a definition is filled in with, by pairs of documents in tests/xml/domain: x.in.xml as a person
 * writes it, x.out.xml with everything said. Also: what must not get through, and the names of running
 * devices. With XML_UPDATE set the out files are written instead of compared; read the difference before you
 * commit it. */

#include "model/domain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint8_t next_byte;

static void count_up(uint8_t *bytes, size_t size)
{
        for (size_t i = 0; i < size; i++)
                bytes[i] = next_byte++;
}

static int setup(void **state)
{
        (void)state;
        next_byte = 1;
        domain_definition_set_random(count_up);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        domain_definition_set_random(NULL);
        return 0;
}

static DomainDefinition *completed(const char *xml)
{
        _cleanup_(error_clear) Error error = { 0 };
        DomainDefinition *definition = NULL;

        if (domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, &error) < 0)
                fail_msg("cannot be read: %s", error.message);
        if (domain_definition_complete(definition, &error) < 0)
                fail_msg("cannot be completed: %s", error.message);
        return definition;
}

static char *format(const DomainDefinition *definition)
{
        return domain_definition_format(definition, DEFINITION_INACTIVE | DEFINITION_SECURE);
}

static char *file_path(const char *name, const char *suffix)
{
        const char *folder = g_getenv("XML_DIR");

        assert_non_null(folder);
        return g_strdup_printf("%s/domain/%s%s", folder, name, suffix);
}

static void compare(const char *name, const char *result)
{
        _cleanup_(freep) char *path = file_path(name, ".out.xml");
        _cleanup_(freep) char *expected = NULL;

        if (g_getenv("XML_UPDATE")) {
                assert_true(g_file_set_contents(path, result, -1, NULL));
                return;
        }
        assert_true(g_file_get_contents(path, &expected, NULL, NULL));
        assert_string_equal(result, expected);
}

static void check_document(const char *name)
{
        _cleanup_(freep) char *path = file_path(name, ".in.xml");
        _cleanup_(freep) char *xml = NULL, *first = NULL, *second = NULL, *third = NULL;
        _cleanup_(error_clear) Error error = { 0 };

        assert_true(g_file_get_contents(path, &xml, NULL, NULL));
        next_byte = 1;
        _cleanup_(domain_definition_freep) DomainDefinition *definition = completed(xml);
        first = format(definition);
        compare(name, first);

        /* Twice is as once, by the structure and by its text. */
        assert_int_equal(domain_definition_complete(definition, &error), 0);
        second = format(definition);
        assert_string_equal(first, second);
        _cleanup_(domain_definition_freep) DomainDefinition *again = completed(first);
        third = format(again);
        assert_string_equal(first, third);
}

static void completes_documents(void **state)
{
        static const char *const names[] = { "pc",     "pci-full", "q35",  "q35-bare",
                                             "bridge", "usb",      "numa", "lxc" };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
                check_document(names[i]);
}

static char *with_devices(const char *machine, const char *before, const char *devices)
{
        return g_strdup_printf("<domain type='qemu'><name>x</name><memory>65536</memory>%s"
                               "<os><type arch='x86_64' machine='%s'>hvm</type></os>"
                               "<devices>%s</devices></domain>",
                               before, machine, devices);
}

static void fills_in_identity(void **state)
{
        _cleanup_(freep) char *xml = with_devices("pc", "", "<interface type='user'/>");

        (void)state;
        _cleanup_(domain_definition_freep) DomainDefinition *definition = completed(xml);
        assert_string_equal(definition->uuid, "01020304-0506-4708-890a-0b0c0d0e0f10");
        assert_string_equal(definition->devices.interfaces.items[0]->mac, "52:54:00:11:12:13");

        domain_definition_set_random(NULL);
        _cleanup_(domain_definition_freep) DomainDefinition *one = completed(xml), *other = completed(xml);
        assert_string_not_equal(one->uuid, other->uuid);
        assert_int_equal(one->uuid[14], '4');
        assert_non_null(strchr("89ab", one->uuid[19]));
}

#define DISK(target, bus, more)                                                                             \
        "<disk type='file'><source file='/a'/><target dev='" target "' bus='" bus "'/>" more "</disk>"
#define PCI_ADDRESS(bus, slot, function)                                                                    \
        "<address type='pci' bus='" bus "' slot='" slot "' function='" function "'/>"

#define CACHE(type)            "<cache id='0' level='3' size='1' unit='MiB' type='" type "'/>"
#define GROUP_OF(vcpus, inner) "<cachetune vcpus='" vcpus "'>" inner "</cachetune>"
#define GROUP(vcpus)           GROUP_OF(vcpus, CACHE("both"))
#define CACHES(vcpus, inner)   "<vcpu>2</vcpu><cputune>" GROUP_OF(vcpus, inner) "</cputune>"

static void refuses_what_collides(void **state)
{
        static const struct {
                const char *machine, *before, *devices, *word;
        } cases[] = {
                { "pc", "", DISK("vda", "virtio", "") DISK("vda", "scsi", ""), "vda" },
                { "pc", "", DISK("vda1x", "ide", ""), "vda1x" },
                { "pc", "", DISK("hda", "ide", "") DISK("sda", "ide", ""), "sda" },
                { "pc", "", DISK("hde", "ide", ""), "IDE" },
                { "q35", "", DISK("hda", "ide", ""), "IDE" },
                { "pc", "", DISK("sda", "sata", PCI_ADDRESS("0", "9", "0")), "pci" },
                { "pc", "",
                  DISK("vda", "virtio", "<boot order='1'/>") DISK("vdb", "virtio", "<boot order='1'/>"),
                  "boot order 1" },
                { "pc", "",
                  DISK("vda", "virtio", PCI_ADDRESS("0", "9", "0"))
                          DISK("vdb", "virtio", PCI_ADDRESS("0", "9", "0")),
                  "0000:00:09.0" },
                { "pc", "", DISK("vda", "virtio", PCI_ADDRESS("0", "1", "1")), "0000:00:01.1" },
                { "pc", "", DISK("vda", "virtio", PCI_ADDRESS("3", "1", "0")), "3" },
                { "q35", "", "<controller type='sata' index='0'>" PCI_ADDRESS("0", "5", "0") "</controller>",
                  "SATA" },
                { "pc", "", "<controller type='pci' index='0' model='pcie-root'/>", "pci-root" },
                { "pc", "", "<controller type='pci' index='1' model='pci-root'/>", "index 0" },
                { "pc", "", "<controller type='scsi' index='1'/><controller type='scsi' index='1'/>",
                  "scsi" },
                { "pc", "", "<controller type='usb' model='none'/><input type='tablet' bus='usb'/>", "USB" },
                { "pc", "",
                  "<controller type='usb' model='none'/><controller type='usb' model='qemu-xhci'/>",
                  "none" },
                { "pc", "", "<input type='tablet' bus='usb'><address type='usb' bus='0' port='3'/></input>",
                  "3" },
                { "pc", "",
                  "<input type='tablet' bus='usb'><address type='usb' bus='0' port='1.x'/></input>", "1.x" },
                { "pc", "",
                  "<input type='tablet' bus='usb'><address type='usb' bus='0' port='1'/></input>"
                  "<input type='mouse' bus='usb'><address type='usb' bus='0' port='1'/></input>",
                  "twice" },
                { "pc", "", "<sound model='ac97'><audio id='4'/></sound>", "audio 4" },
                { "pc", "", "<graphics type='vnc'/><graphics type='vnc'/>", "vnc" },
                { "pc", "", "<graphics type='egl-headless'/>", "egl-headless" },
                { "pc", "",
                  "<video><model type='vga' primary='yes'/></video>"
                  "<video><model type='vga' primary='yes'/></video>",
                  "primary" },
                { "pc", "", "<iommu model='intel'/>", "q35" },
                { "q35", "", "<iommu model='virtio'/>", "ACPI" },
                { "pc", "", "<panic/><panic model='isa'/>", "panic" },
                { "pc", "",
                  "<tpm><backend "
                  "type='emulator'><active_pcr_banks><sha1/></active_pcr_banks></backend></tpm>",
                  "version 2.0" },
                { "pc", "", "<memory model='dimm'><target><size>1024</size></target></memory>",
                  "maxMemory" },
                { "pc", "<iothreads>4000000000</iothreads>", "", "iothreads" },
                { "pc", "", "<controller type='pci' index='4294967295' model='pci-bridge'/>", "255" },
                { "pc", "<maxMemory slots='1'>1048576</maxMemory>", "", "NUMA" },
                { "pc", "<numatune><memnode cellid='0' mode='strict' nodeset='0'/></numatune>", "",
                  "cell 0" },
                { "pc", "<seclabel type='dynamic' model='dac'/><seclabel type='dynamic' model='dac'/>", "",
                  "dac" },
                { "pc", "<vcpus><vcpu id='0' enabled='no'/></vcpus>", "", "vcpu 0" },
                { "pc", CACHES("0", CACHE("code")), "", "kvm" },
                { "pc", CACHES("0", CACHE("both") CACHE("data")), "", "given out twice" },
                { "pc", CACHES("0", CACHE("code") "<monitor level='3' vcpus='1'/>"), "", "monitor" },
                { "pc", "<vcpu>2</vcpu><cputune>" GROUP("0") GROUP("0") "</cputune>", "", "Two elements" },
                { "pc", "<vcpu>2</vcpu><cputune>" GROUP("0-1") GROUP("1") "</cputune>", "", "overlap" },
                { "pc",
                  "<vcpu>2</vcpu><cputune>" GROUP(
                          "0-1") "<memorytune vcpus='0'><node id='0' bandwidth='9'/></memorytune></cputune>",
                  "", "overlap" },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(freep) char *xml =
                        with_devices(cases[i].machine, cases[i].before, cases[i].devices);
                _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
                _cleanup_(error_clear) Error error = { 0 };

                int r = domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, &error);
                if (r >= 0)
                        r = domain_definition_complete(definition, &error);
                if (r >= 0)
                        fail_msg("%s: is accepted", cases[i].devices);
                if (!strstr(error.message, cases[i].word))
                        fail_msg("%s: '%s' does not name '%s'", cases[i].devices, error.message,
                                 cases[i].word);
        }
}

/* More devices than slots end in an error, not in a machine with fewer. */
static void refuses_more_than_fits(void **state)
{
        GString *devices = g_string_new("<controller type='pci' model='pcie-root'/>");
        _cleanup_(error_clear) Error error = { 0 };
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;

        (void)state;
        for (unsigned i = 0; i < 260; i++)
                g_string_append(devices, "<interface type='user'><model type='virtio'/></interface>");
        _cleanup_(freep) char *xml = with_devices("q35", "", devices->str);
        g_string_free(devices, TRUE);
        assert_int_equal(domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, &error),
                         0);
        assert_true(domain_definition_complete(definition, &error) < 0);
        assert_non_null(strstr(error.message, "PCI"));
}

static void names_devices(void **state)
{
        _cleanup_(freep) char *xml = with_devices(
                "q35", "",
                DISK("vdb", "virtio", "") DISK("sda", "sata", "") DISK("sdb", "scsi", "") DISK(
                        "vdc", "virtio",
                        "<alias name='ua-mine'/>") "<controller type='scsi' index='0' model='virtio-scsi'/>"
                                                   "<interface type='user'/><interface type='user'><alias "
                                                   "name='ua-net'/></interface>"
                                                   "<interface type='user'/><serial type='pty'/><channel "
                                                   "type='spicevmc'><target type='virtio'/></channel>"
                                                   "<graphics type='vnc'/>");

        (void)state;
        _cleanup_(domain_definition_freep) DomainDefinition *definition = completed(xml);
        domain_definition_assign_aliases(definition);

        const DomainDevices *devices = &definition->devices;
        const char *const disks[] = { "virtio-disk1", "ua-mine", "sata0-0-0", "scsi0-0-0-1" };
        assert_int_equal(devices->disks.count, G_N_ELEMENTS(disks));
        LIST_FOREACH (disk, devices->disks) {
                bool found = false;
                for (unsigned i = 0; i < G_N_ELEMENTS(disks); i++)
                        found |= g_str_equal(disk->info.alias, disks[i]);
                if (!found)
                        fail_msg("unexpected name %s", disk->info.alias);
        }
        assert_string_equal(devices->interfaces.items[0]->info.alias, "net0");
        assert_string_equal(devices->interfaces.items[1]->info.alias, "ua-net");
        assert_string_equal(devices->interfaces.items[2]->info.alias, "net2");
        assert_string_equal(devices->serials.items[0]->info.alias, "serial0");
        assert_string_equal(devices->consoles.items[0]->info.alias, "serial0");
        assert_string_equal(devices->channels.items[0]->info.alias, "channel0");
        assert_string_equal(devices->videos.items[0]->info.alias, "video0");
        assert_string_equal(devices->memballoon->info.alias, "balloon0");
        LIST_FOREACH (controller, devices->controllers) {
                if (controller->type == CONTROLLER_TYPE_SATA)
                        assert_string_equal(controller->info.alias, "ide");
                if (controller->type == CONTROLLER_TYPE_USB)
                        assert_string_equal(controller->info.alias, "usb");
                if (controller->type == CONTROLLER_TYPE_SCSI)
                        assert_string_equal(controller->info.alias, "scsi0");
                if (controller->type == CONTROLLER_TYPE_PCI && controller->index == 0)
                        assert_string_equal(controller->info.alias, "pcie.0");
                if (controller->type == CONTROLLER_TYPE_PCI && controller->index == 1)
                        assert_string_equal(controller->info.alias, "pci.1");
        }

        /* One that is plugged in where another was taken out has a name that nobody had. */
        struct_free(&domain_interface_type, list_remove((void *)&devices->interfaces, 0));
        list_append((void *)&devices->interfaces, struct_new(&domain_interface_type));
        domain_definition_assign_aliases(definition);
        assert_string_equal(devices->interfaces.items[2]->info.alias, "net3");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(completes_documents, setup, teardown),
                cmocka_unit_test_setup_teardown(fills_in_identity, setup, teardown),
                cmocka_unit_test_setup_teardown(refuses_what_collides, setup, teardown),
                cmocka_unit_test_setup_teardown(refuses_more_than_fits, setup, teardown),
                cmocka_unit_test_setup_teardown(names_devices, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
