/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whole machines through every loop over the tables: each document of tests/xml/domain is written and read
 * again, copied, compared, told natively and read back, and each time says the same. */

#include "model/domain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static DomainDefinition *read_xml(const char *xml)
{
        _cleanup_(error_clear) Error error = { 0 };
        DomainDefinition *definition = NULL;

        if (domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, &error) < 0)
                fail_msg("cannot be read: %s", error.message);
        return definition;
}

static DomainDefinition *read_native(GVariant *native)
{
        _cleanup_(error_clear) Error error = { 0 };
        DomainDefinition *definition = NULL;

        if (domain_definition_from_variant(native, &definition, &error) < 0)
                fail_msg("cannot be read natively: %s", error.message);
        return definition;
}

static void assert_same(const DomainDefinition *a, const DomainDefinition *b, unsigned flags)
{
        _cleanup_(freep) char *first = domain_definition_format(a, DEFINITION_INACTIVE | flags);
        _cleanup_(freep) char *second = domain_definition_format(b, DEFINITION_INACTIVE | flags);
        _cleanup_(freep) char *path = domain_definition_difference(a, b, !(flags & DEFINITION_SECURE));

        assert_string_equal(first, second);
        if (path)
                fail_msg("differ in %s", path);
}

static void check_definition(const DomainDefinition *definition)
{
        _cleanup_(freep) char *xml =
                domain_definition_format(definition, DEFINITION_INACTIVE | DEFINITION_SECURE);
        _cleanup_(domain_definition_freep) DomainDefinition *again = read_xml(xml), *copy = NULL,
                                                            *native = NULL;
        _cleanup_(error_clear) Error error = { 0 };

        if (domain_definition_complete(again, &error) < 0)
                fail_msg("cannot be completed: %s", error.message);
        assert_same(definition, again, DEFINITION_SECURE);
        copy = domain_definition_copy(definition);
        assert_same(definition, copy, DEFINITION_SECURE);
        native = read_native(domain_definition_to_variant(definition));
        assert_same(definition, native, 0); /* secrets are not told */
}

static void refuse_unknown(const char *what, void *data)
{
        (void)data;
        fail_msg("%s", what);
}

/* What the documents have is part of the language. */
static void check_known(const char *xml)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;

        assert_int_equal(xml_parse(xml, strlen(xml), "domain", &document, NULL), 0);
        struct_unknown(&domain_definition_type, xml_document_root(document), refuse_unknown, NULL);
}

static void documents_say_the_same(void **state)
{
        _cleanup_(freep) char *folder = g_build_filename(g_getenv("XML_DIR"), "domain", NULL);
        GDir *files = g_dir_open(folder, 0, NULL);
        unsigned count = 0;

        (void)state;
        assert_non_null(files);
        for (const char *name; (name = g_dir_read_name(files));) {
                _cleanup_(freep) char *path = g_build_filename(folder, name, NULL), *xml = NULL;
                _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
                _cleanup_(error_clear) Error error = { 0 };

                if (!g_str_has_suffix(name, ".xml"))
                        continue;
                assert_true(g_file_get_contents(path, &xml, NULL, NULL));
                definition = read_xml(xml);
                if (domain_definition_complete(definition, &error) < 0)
                        fail_msg("%s: %s", name, error.message);
                check_definition(definition);
                check_known(xml);
                count++;
        }
        g_dir_close(files);
        assert_in_range(count, 10, 10000);
}

/* Found by the fuzzer: texts of a list within an inline structure stay in its element. */
static void arguments_of_init_stay_in_os(void **state)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = read_xml(
                "<domain type='lxc'><name>a</name><memory>1024</memory><os><type>exe</type>"
                "<init>/sbin/init</init><initarg>one</initarg><initarg>two</initarg></os></domain>");
        _cleanup_(freep) char *xml = domain_definition_format(definition, DEFINITION_INACTIVE);

        (void)state;
        assert_non_null(strstr(xml, "    <initarg>one</initarg>\n    <initarg>two</initarg>\n  </os>"));
}

/* Found by the fuzzer: a path and a source in one element ended the daemon. */
static void variables_have_a_path_or_a_source(void **state)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition =
                read_xml("<domain type='kvm'><name>a</name><memory>1024</memory><os><type>hvm</type>"
                         "<loader type='pflash'>/code</loader>"
                         "<nvram>/vars<source file='/other'/></nvram></os></domain>");
        _cleanup_(freep) char *xml = domain_definition_format(definition, DEFINITION_INACTIVE);

        (void)state;
        assert_non_null(strstr(xml, "    <nvram>/vars</nvram>\n"));
}

static void a_machine_by_hand(void **state)
{
        GVariant *native = g_variant_new_parsed(
                "{'type': <'kvm'>, 'name': <'web'>, 'memory_kib': <1048576>, 'vcpus': <2>,"
                " 'os': <{'type': <'hvm'>, 'arch': <'x86_64'>, 'machine': <'q35'>}>,"
                " 'metadata': <'<a:b xmlns:a=\"urn:a\"/>'>,"
                " 'devices': <{'disks': <[{'type': <'file'>, 'format': <'qcow2'>, 'target': <'vda'>,"
                "  'bus': <'virtio'>, 'source': <{'file': <'/disk'>}>, 'info': <{'boot_order': <1>}>}]>}>}");
        _cleanup_(domain_definition_freep) DomainDefinition *definition = read_native(native);
        const DomainDisk *disk = definition->devices.disks.items[0];

        (void)state;
        assert_int_equal(definition->type, DOMAIN_TYPE_KVM);
        assert_int_equal(definition->current_vcpus, 2);
        assert_string_equal(definition->os.machine, "q35");
        assert_string_equal(definition->metadata, "<a:b xmlns:a=\"urn:a\"/>");
        assert_string_equal(disk->source.file, "/disk");
        assert_int_equal(disk->source.type, DISK_TYPE_FILE);
        assert_int_equal(disk->info.boot_order, 1);
}

static void slips_by_hand_are_named(void **state)
{
        static const struct {
                const char *native, *message;
        } cases[] = {
                { "{'name': <'web'>}", "type: is missing" },
                { "{'type': <'kvm'>, 'name': <'a/b'>}", "has a '/'" },
                { "{'type': <'kvm'>, 'name': <'web'>, 'devices': <{'disks': <[{'bus': <'virtoi'>}]>}>}",
                  "devices.disks[0].target: is missing" },
                { "{'type': <'kvm'>, 'name': <'web'>, 'devices': <{'disks': <[{'target': <'vda'>, "
                  "'bus': <'virtoi'>}]>}>}",
                  "devices.disks[0].bus: 'virtoi': one of ide, fdc" },
                { "{'type': <'kvm'>, 'name': <'web'>, 'devices': <{'serials': <[{'source': "
                  "<{'type': <'tcp'>}>}]>}>}",
                  "devices.serials[0].source: <source type='tcp'>: source/@host is missing" },
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(error_clear) Error error = { 0 };
                DomainDefinition *definition = NULL;
                GVariant *native = g_variant_new_parsed(cases[i].native);

                if (domain_definition_from_variant(native, &definition, &error) >= 0)
                        fail_msg("taken: %s", cases[i].native);
                if (!strstr(error.message, cases[i].message))
                        fail_msg("'%s' lacks '%s'", error.message, cases[i].message);
        }
}

static void guests_do_not_see_everything(void **state)
{
        static const char one[] = "<domain type='kvm'><name>a</name><description>x</description>"
                                  "<memory>1024</memory><os><type>hvm</type></os><devices>"
                                  "<disk type='file'><driver cache='none'/><source file='/a'/>"
                                  "<target dev='vda' bus='virtio'/></disk>"
                                  "<rng model='virtio'><backend model='random'>/dev/random</backend></rng>"
                                  "<watchdog model='i6300esb' action='reset'/><filesystem type='mount'>"
                                  "<source dir='/share'/><target dir='tag'/></filesystem>"
                                  "</devices></domain>";
        static const struct {
                const char *from, *to, *all, *guest;
        } cases[] = {
                { ">x<", ">y<", "description", NULL },
                { "'none'", "'unsafe'", "devices.disks[0].cache", NULL },
                { "file='/a'", "file='/b'", "devices.disks[0].source.file", NULL },
                { "1024", "2048", "memory_kib", "memory_kib" },
                { "bus='virtio'", "bus='sata'", "devices.disks[0].bus", "devices.disks[0].bus" },
                { "</disk>", "</disk><sound model='ich9'/>", "devices.sounds[0]", "devices.sounds[0]" },
                { "</disk>", "</disk><graphics type='vnc'/>", "devices.graphics[0]", NULL },
                { "</disk>", "</disk><audio id='1' type='none'/>", "devices.audios[0]", NULL },
                { ">/dev/random<", ">/dev/hwrng<", "devices.rngs[0].device", NULL },
                { "action='reset'", "action='none'", "devices.watchdogs[0].action", NULL },
                { "i6300esb", "ib700", "devices.watchdogs[0].model", "devices.watchdogs[0].model" },
                { "dir='/share'", "dir='/other'", "devices.filesystems[0].source_dir", NULL },
                { "dir='tag'", "dir='gat'", "devices.filesystems[0].target",
                  "devices.filesystems[0].target" },
        };
        _cleanup_(domain_definition_freep) DomainDefinition *a = read_xml(one);

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(string_builder_freep) GString *other = g_string_new(one);
                _cleanup_(freep) char *all = NULL, *guest = NULL;

                assert_int_equal(g_string_replace(other, cases[i].from, cases[i].to, 0), 1);
                _cleanup_(domain_definition_freep) DomainDefinition *b = read_xml(other->str);

                all = domain_definition_difference(a, b, false);
                guest = domain_definition_difference(a, b, true);
                assert_string_equal(all, cases[i].all);
                assert_int_equal(g_strcmp0(guest, cases[i].guest), 0);
        }
}

static void note_change(const StructChange *change, void *data)
{
        static const char *const kinds[] = {
                [CHANGE_VALUE] = "", [CHANGE_ADDED] = "+", [CHANGE_REMOVED] = "-"
        };

        g_string_append_printf(data, "%s%s%s%s ", kinds[change->kind], change->path,
                               change->is_tunable ? "!" : "", change->is_abi ? "" : "?");
}

/* "!": while it runs; "?": the guest does not see it. */
static void changes_are_told_one_by_one(void **state)
{
        static const char one[] =
                "<domain type='kvm'><name>a</name><memory>1024</memory><os><type>hvm</type></os><devices>"
                "<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>"
                "<disk type='file'><source file='/b'/><target dev='vdb' bus='virtio'/></disk>"
                "<disk type='file' device='cdrom'><source file='/c'/><target dev='sdc' bus='sata'/></disk>"
                "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>"
                "<graphics type='vnc' passwd='x'/></devices></domain>";
        static const struct {
                const char *from, *to, *changes;
        } cases[] = {
                { "1024", "1024", "" },
                { "1024", "2048", "memory_kib " },
                { "<memory>", "<title>t</title><cputune><shares>9</shares></cputune><memory>",
                  "title!? +cpu_tune!? " },
                { "file='/b'", "file='/d'", "devices.disks[1].source.file? " },
                { "file='/c'", "file='/d'", "devices.disks[2].source.file!? " },
                { "<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>", "",
                  "-devices.disks[0]! " },
                { "<interface",
                  "<disk type='file'><source file='/n'/><target dev='vdn' bus='virtio'/></disk>"
                  "<interface",
                  "+devices.disks[3]! " },
                { "vdb", "vdz", "-devices.disks[1]! +devices.disks[1]! " },
                { "></interface>", "><link state='down'/></interface>", "devices.interfaces[0].link!? " },
                { "passwd='x'", "passwd='y'", "" },
                { " passwd='x'", "", "devices.graphics[0].password!? " },
        };
        _cleanup_(domain_definition_freep) DomainDefinition *a = read_xml(one);

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(string_builder_freep) GString *other = g_string_new(one),
                                                        *told = g_string_new(NULL);

                assert_int_equal(g_string_replace(other, cases[i].from, cases[i].to, 0), 1);
                _cleanup_(domain_definition_freep) DomainDefinition *b = read_xml(other->str);

                struct_changes(&domain_definition_type, a, b, note_change, told);
                if (strcmp(told->str, cases[i].changes) != 0)
                        fail_msg("'%s' to '%s': '%s', not '%s'", cases[i].from, cases[i].to, told->str,
                                 cases[i].changes);
        }
}

static void note_unknown(const char *what, void *data)
{
        g_string_append_printf(data, "%s\n", what);
}

static void what_is_no_part_of_the_language_is_told(void **state)
{
        static const char xml[] =
                "<domain type='kvm' colour='red'>\n<name>a</name><memroy>1</memroy>\n"
                "<os><type arch='x86_64' macine='q35'>hvm</type></os>\n"
                "<metadata><x:y xmlns:x='urn:x' z='1'><w/></x:y></metadata>\n"
                "<devices><disk type='file'><driver name='qemu' cash='none'/><source file='/a'/>"
                "<target dev='vda'/><foo><bar/></foo></disk>\n"
                "<hostdev mode='subsystem' type='usb'><source><vendor id='1'/></source></hostdev>"
                "<y:z xmlns:y='urn:y'/></devices></domain>";
        _cleanup_(string_builder_freep) GString *told = g_string_new(NULL);
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;

        (void)state;
        assert_int_equal(xml_parse(xml, strlen(xml), "domain", &document, NULL), 0);
        struct_unknown(&domain_definition_type, xml_document_root(document), note_unknown, told);
        assert_string_equal(told->str, "line 1: <domain>: there is no attribute 'colour'\n"
                                       "line 2: <domain>: there is no element <memroy>\n"
                                       "line 3: <type>: there is no attribute 'macine'\n"
                                       "line 5: <driver>: there is no attribute 'cash'\n"
                                       "line 5: <disk>: there is no element <foo>\n");
}

/* The path of a socket that a former daemon made is dropped with all that it was for. */
static void running_machines_can_be_defined_again(void **state)
{
        static const char live[] =
                "<domain type='kvm' id='3'><name>a</name><memory>1024</memory><os><type>hvm</type></os>"
                "<devices><channel type='unix'><source mode='connect' path='/run/domain-3-a/agent'>"
                "<reconnect enabled='yes' timeout='5'/></source>"
                "<target type='virtio' name='agent'/></channel></devices></domain>";
        _cleanup_(domain_definition_freep) DomainDefinition *running = NULL, *defined = read_xml(live);
        _cleanup_(error_clear) Error error = { 0 };

        (void)state;
        assert_int_equal(domain_definition_parse(live, strlen(live), 0, &running, &error), 0);
        assert_int_equal(running->id, 3);
        assert_string_equal(running->devices.channels.items[0]->source.path, "/run/domain-3-a/agent");
        assert_false(defined->has_id);
        assert_null(defined->devices.channels.items[0]->source.path);
        assert_int_equal(defined->devices.channels.items[0]->source.reconnect_enabled, YES_NO_ABSENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(documents_say_the_same),
                cmocka_unit_test(arguments_of_init_stay_in_os),
                cmocka_unit_test(variables_have_a_path_or_a_source),
                cmocka_unit_test(a_machine_by_hand),
                cmocka_unit_test(slips_by_hand_are_named),
                cmocka_unit_test(guests_do_not_see_everything),
                cmocka_unit_test(changes_are_told_one_by_one),
                cmocka_unit_test(what_is_no_part_of_the_language_is_told),
                cmocka_unit_test(running_machines_can_be_defined_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
