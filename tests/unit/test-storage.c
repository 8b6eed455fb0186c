/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <pool> and <volume>: what each type of pool keeps, fills in and cannot be without. */

#include "model/storage-volume.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define IDENTITY "<uuid>5a1c0c64-5f0e-4a39-8a36-3a4a3a0d7d05</uuid>"
#define SIZES                                                                                               \
        "  <capacity unit='bytes'>0</capacity>\n"                                                           \
        "  <allocation unit='bytes'>0</allocation>\n"                                                       \
        "  <available unit='bytes'>0</available>\n"
#define HEAD(type, name) "<pool type='" type "'>\n  <name>" name "</name>\n  " IDENTITY "\n" SIZES

typedef struct Pair {
        const char *in, *out;
} Pair;

static StoragePoolDefinition *parsed(const char *xml)
{
        _cleanup_(error_clear) Error error = {};
        StoragePoolDefinition *pool = NULL;

        if (storage_pool_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &pool, &error) < 0)
                fail_msg("%s: %s", xml, error.message);
        return pool;
}

static void fills_in(void **state)
{
        static const Pair pairs[] = {
                { "<pool type='dir'><name>a</name>" IDENTITY
                  "<capacity>7</capacity><target><path>//srv///a/</path>"
                  "<permissions><mode>0750</mode><owner>-1</owner><group>6</group></permissions></target></"
                  "pool>",
                  HEAD("dir", "a") "  <source/>\n  <target>\n    <path>/srv/a</path>\n    <permissions>\n"
                                   "      <mode>0750</mode>\n      <group>6</group>\n    </permissions>\n"
                                   "  </target>\n</pool>\n" },
                { "<pool type='logical'>" IDENTITY
                  "<source><name>vg</name><device path='/dev/b'/></source></pool>",
                  HEAD("logical", "vg") "  <source>\n    <device path='/dev/b'/>\n    <name>vg</name>\n"
                                        "    <format type='lvm2'/>\n  </source>\n  <target>\n"
                                        "    <path>/dev/vg</path>\n  </target>\n</pool>\n" },
                { "<pool type='netfs' "
                  "xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0'><name>n</name>" IDENTITY
                  "<source><host name='h' port='9'/><dir path='/x/'/><format type='nfs'/></source>"
                  "<target><path>/mnt</path></target>"
                  "<fs:mount_opts><fs:option name='noatime'/></fs:mount_opts></pool>",
                  "<pool xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0' type='netfs'>\n"
                  "  <name>n</name>\n  " IDENTITY "\n" SIZES "  <source>\n    <host name='h' port='9'/>\n"
                  "    <dir path='/x'/>\n    <format type='nfs'/>\n  </source>\n  <target>\n"
                  "    <path>/mnt</path>\n  </target>\n  <fs:mount_opts>\n"
                  "    <fs:option name='noatime'/>\n  </fs:mount_opts>\n</pool>\n" },
                { "<pool type='scsi'><name>s</name>" IDENTITY
                  "<source><adapter name='host0'/><name>x</name></source>"
                  "<target><path>/dev/disk/by-path</path></target></pool>",
                  HEAD("scsi",
                       "s") "  <source>\n    <adapter type='scsi_host' name='host0'/>\n  </source>\n"
                            "  <target>\n    <path>/dev/disk/by-path</path>\n  </target>\n</pool>\n" },
                { "<pool type='rbd'><name>r</name>" IDENTITY "<source><host name='h'/>"
                  "<auth type='ceph' username='u'><secret usage='s'/></auth></source>"
                  "<target><path>/x</path></target></pool>",
                  HEAD("rbd", "r") "  <source>\n    <host name='h'/>\n    <name>r</name>\n"
                                   "    <auth type='ceph' username='u'>\n      <secret usage='s'/>\n"
                                   "    </auth>\n  </source>\n</pool>\n" },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
                _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *pool = parsed(pairs[i].in);
                _cleanup_(freep) char *first = storage_pool_definition_format(pool), *second = NULL;

                assert_string_equal(first, pairs[i].out);
                _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *again = parsed(first);
                second = storage_pool_definition_format(again);
                assert_string_equal(second, first);
                _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *copy =
                        storage_pool_definition_copy(pool);
                assert_null(struct_difference(&storage_pool_definition_type, copy, pool, false));
        }
}

#define POOL(type, source, path)                                                                            \
        "<pool type='" type "'><name>a</name><source>" source "</source><target><path>" path                \
        "</path></target></pool>"

static void refuses(void **state)
{
        static const struct {
                const char *xml, *word;
        } cases[] = {
                { "<volume/>", "<pool>" },
                { "<pool><name>a</name></pool>", "@type" },
                { POOL("letter", "", "/a"), "letter" },
                { "<pool type='dir'><target><path>/a</path></target></pool>", "name" },
                { "<pool type='dir'><name>a</name></pool>", "<path>" },
                { "<pool type='dir'><name>a&#10;b</name><target><path>/a</path></target></pool>", "<name>" },
                { POOL("dir", "", "a"), "absolute" },
                { POOL("dir", "", "/a&#10;b"), "one line" },
                { POOL("fs", "", "/a"), "<device>" },
                { POOL("fs", "<device path='/dev/b'/><format type='ntfs'/>", "/a"), "ntfs" },
                { POOL("netfs", "<dir path='/a'/>", "/a"), "<host>" },
                { POOL("netfs", "<host name='h'/>", "/a"), "<dir>" },
                { POOL("scsi", "", "/a"), "<adapter>" },
                { POOL("scsi", "<adapter/>", "/a"), "parentaddr" },
                { POOL("scsi", "<adapter wwnn='1'/>", "/a"), "fc_host" },
                { POOL("scsi", "<adapter type='fc_host' wwnn='1' wwpn='2'/>", "/a"), "16" },
                { POOL("iscsi-direct", "<host name='h'/>", "/a"), "<initiator>" },
                { POOL("rbd", "<host name='h'/><auth type='ceph' username='u'/>", "/a"), "<secret>" },
                { "<pool type='dir'><name>a</name><target><path>/a</path><permissions><mode>10000</mode>"
                  "</permissions></target></pool>",
                  "07777" },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                StoragePoolDefinition *pool = NULL;
                _cleanup_(error_clear) Error error = {};

                if (storage_pool_definition_parse(cases[i].xml, strlen(cases[i].xml), 0, &pool, &error) >= 0)
                        fail_msg("%s: is accepted", cases[i].xml);
                if (!strstr(error.message, cases[i].word))
                        fail_msg("%s: '%s'", cases[i].xml, error.message);
        }
}

static void volumes(void **state)
{
        static const char xml[] =
                "<volume type='file'>\n  <name>a.qcow2</name>\n"
                "  <capacity unit='bytes'>5368709120</capacity>\n  <target>\n"
                "    <path>/srv/a.qcow2</path>\n    <format type='qcow2'/>\n"
                "    <permissions>\n      <mode>0000</mode>\n    </permissions>\n"
                "    <compat>1.1</compat>\n    <clusterSize unit='bytes'>131072</clusterSize>\n"
                "    <nocow/>\n    <features>\n      <extended_l2/>\n    </features>\n"
                "  </target>\n  <backingStore>\n    <path>/srv/base</path>\n"
                "    <format type='raw'/>\n  </backingStore>\n</volume>\n";
        _cleanup_(storage_volume_definition_freep) StorageVolumeDefinition *volume = NULL;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(freep) char *out = NULL;

        (void)state;
        if (storage_volume_definition_parse(xml, strlen(xml), &volume, &error) < 0)
                fail_msg("%s", error.message);
        out = storage_volume_definition_format(volume);
        assert_string_equal(out, xml);
        assert_true(volume->target.permissions.has_mode);
        assert_false(volume->has_allocation);
}

static void sources(void **state)
{
        static const char xml[] = "<source><host name='h' port='7'/><dir path='/x'/></source>";
        _cleanup_(g_ptr_array_unrefp) GPtrArray *found = storage_sources_new();
        _cleanup_(storage_source_freep) PoolSource *where = NULL;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(freep) char *none = storage_sources_format(found), *two = NULL;
        PoolSource *group = storage_source_new("lvm2"), *folder = storage_source_new(NULL);

        (void)state;
        if (storage_source_parse(xml, strlen(xml), &where, &error) < 0)
                fail_msg("%s", error.message);
        assert_string_equal(where->hosts.items[0]->name, "h");
        assert_int_equal(where->hosts.items[0]->port, 7);
        assert_true(storage_source_parse("<pool/>", 7, &where, &error) < 0);
        assert_string_equal(none, "<sources/>\n");
        group->name = g_strdup("a<b");
        storage_source_add_device(group, "/dev/b");
        storage_source_add_device(group, "/dev/c");
        storage_source_add_host(folder, "h");
        g_ptr_array_add(found, group);
        g_ptr_array_add(found, folder);
        two = storage_sources_format(found);
        assert_string_equal(two, "<sources>\n  <source>\n    <device path='/dev/b'/>\n"
                                 "    <device path='/dev/c'/>\n    <name>a&lt;b</name>\n"
                                 "    <format type='lvm2'/>\n  </source>\n  <source>\n"
                                 "    <host name='h'/>\n  </source>\n</sources>\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(fills_in),
                cmocka_unit_test(refuses),
                cmocka_unit_test(sources),
                cmocka_unit_test(volumes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
