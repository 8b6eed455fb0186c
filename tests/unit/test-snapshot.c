/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <domainsnapshot>, <domaincheckpoint> and <domainbackup>: pairs of documents in tests/xml (XML_UPDATE
 * writes them), brought in line with the machine in snapshot/machine.xml, and what is refused. */

#include "model/backup.h"
#include "model/checkpoint.h"
#include "model/snapshot.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1234567890

static char *read_file(const char *folder, const char *name)
{
        _cleanup_(freep) char *path = g_strdup_printf("%s/%s/%s.xml", g_getenv("XML_DIR"), folder, name);
        char *text = NULL;

        (void)g_file_get_contents(path, &text, NULL, NULL); /* NULL differs from everything */
        return text;
}

static void compare(const char *folder, const char *name, const char *kind, const char *text)
{
        _cleanup_(freep) char *file = g_strdup_printf("%s.%s", name, kind), *expected = NULL;
        _cleanup_(freep) char *path = g_strdup_printf("%s/%s/%s.xml", g_getenv("XML_DIR"), folder, file);

        if (g_getenv("XML_UPDATE"))
                assert_true(g_file_set_contents(path, text, -1, NULL));
        expected = read_file(folder, file);
        assert_string_equal(text, expected ? expected : "");
}

static DomainDefinition *machine(void)
{
        _cleanup_(freep) char *xml = read_file("snapshot", "machine");
        DomainDefinition *definition = NULL;

        assert_non_null(xml);
        assert_true(domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, NULL) >= 0);
        return definition;
}

/* One pass: read and, if `domain`, completed. NULL with an error. */
typedef char *(*Once)(const char *xml, bool is_redefinition, const DomainDefinition *domain, Error *error);

static char *snapshot_once(const char *xml, bool is_redefinition, const DomainDefinition *domain,
                           Error *error)
{
        _cleanup_(snapshot_definition_freep) SnapshotDefinition *snapshot = NULL;

        if (snapshot_definition_parse(xml, strlen(xml), is_redefinition, &snapshot, error) < 0)
                return NULL;
        if (domain && (snapshot_definition_complete(snapshot, NOW, error) < 0 ||
                       snapshot_definition_align(snapshot, domain, DISK_SNAPSHOT_EXTERNAL, error) < 0))
                return NULL;
        return snapshot_definition_format(snapshot, 0);
}

static char *checkpoint_once(const char *xml, bool is_redefinition, const DomainDefinition *domain,
                             Error *error)
{
        _cleanup_(checkpoint_definition_freep) CheckpointDefinition *checkpoint = NULL;

        if (checkpoint_definition_parse(xml, strlen(xml), is_redefinition, &checkpoint, error) < 0)
                return NULL;
        if (domain && checkpoint_definition_complete(checkpoint, domain, NOW, error) < 0)
                return NULL;
        return checkpoint_definition_format(checkpoint, 0);
}

static char *backup_once(const char *xml, bool is_redefinition, const DomainDefinition *domain, Error *error)
{
        _cleanup_(backup_definition_freep) BackupDefinition *backup = NULL;

        (void)is_redefinition; /* there is none */
        if (backup_definition_parse(xml, strlen(xml), &backup, error) < 0)
                return NULL;
        if (domain && backup_definition_complete(backup, domain, "suffix", error) < 0)
                return NULL;
        return backup_definition_format(backup);
}

static void writes_back_what_was_said(void **state)
{
        static const struct {
                const char *folder, *name;
                Once once;
        } documents[] = {
                { "snapshot", "request", snapshot_once },
                { "snapshot", "empty", snapshot_once },
                { "snapshot", "redefinition", snapshot_once },
                { "snapshot", "redefinition-old", snapshot_once },
                { "checkpoint", "request", checkpoint_once },
                { "checkpoint", "empty", checkpoint_once },
                { "checkpoint", "redefinition", checkpoint_once },
                { "backup", "push", backup_once },
                { "backup", "pull", backup_once },
                { "backup", "empty", backup_once },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(documents); i++) {
                _cleanup_(freep) char *file = g_strconcat(documents[i].name, ".in", NULL);
                _cleanup_(freep) char *in = read_file(documents[i].folder, file), *first, *second;
                _cleanup_(error_clear) Error error = {};
                bool is_redefinition = g_str_has_prefix(documents[i].name, "redefinition");

                first = documents[i].once(in, is_redefinition, NULL, &error);
                if (!first)
                        fail_msg("%s/%s: %s", documents[i].folder, file, error.message);
                compare(documents[i].folder, documents[i].name, "parsed", first);
                second = documents[i].once(first, is_redefinition, NULL, &error);
                assert_string_equal(second, first);
        }
}

static void follows_the_machine(void **state)
{
        static const struct {
                const char *folder, *name, *xml;
                Once once;
        } cases[] = {
                { "snapshot", "disks", "<domainsnapshot><name>s1</name></domainsnapshot>", snapshot_once },
                { "snapshot", "by-path",
                  "<domainsnapshot><disks><disk name='/images/web.qcow2' snapshot='internal'/></disks>"
                  "</domainsnapshot>",
                  snapshot_once },
                { "checkpoint", "disks", "<domaincheckpoint/>", checkpoint_once },
                { "checkpoint", "listed",
                  "<domaincheckpoint><name>c</name><disks><disk name='vda'/></disks></domaincheckpoint>",
                  checkpoint_once },
                { "backup", "disks", "<domainbackup><incremental>c</incremental></domainbackup>",
                  backup_once },
                { "backup", "scratch",
                  "<domainbackup mode='pull'><disks><disk name='vda'/></disks></domainbackup>",
                  backup_once },
        };
        _cleanup_(domain_definition_freep) DomainDefinition *domain = machine();

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(error_clear) Error error = {};
                _cleanup_(freep) char *out = cases[i].once(cases[i].xml, false, domain, &error);

                if (!out)
                        fail_msg("%s: %s", cases[i].xml, error.message);
                compare(cases[i].folder, cases[i].name, "completed", out);
        }
}

#define DISK(attributes, content)                                                                           \
        "<domainsnapshot><disks><disk " attributes ">" content "</disk></disks></domainsnapshot>"

static void refuses(void **state)
{
        static const struct {
                Once once;
                bool is_redefinition;
                const char *xml, *word;
        } cases[] = {
                { snapshot_once, false, "<snapshot/>", "domainsnapshot" },
                { snapshot_once, true, "<domainsnapshot/>", "<name>" },
                { snapshot_once, true, "<domainsnapshot><name>a</name></domainsnapshot>", "creationTime" },
                { snapshot_once, true,
                  "<domainsnapshot><name>a</name><creationTime>1</creationTime></domainsnapshot>",
                  "<state>" },
                { snapshot_once, true,
                  "<domainsnapshot><name>a</name><creationTime>1</creationTime><state>odd</state>"
                  "</domainsnapshot>",
                  "odd" },
                { snapshot_once, true,
                  "<domainsnapshot><name>a</name><creationTime>1</creationTime><state>shutoff</state>"
                  "<memory snapshot='internal'/></domainsnapshot>",
                  "memory" },
                { snapshot_once, true,
                  "<domainsnapshot><name>a</name><creationTime>x</creationTime><state>running</state>"
                  "</domainsnapshot>",
                  "creationTime" },
                { snapshot_once, true,
                  "<domainsnapshot><name>a</name><creationTime>1</creationTime><state>running</state>"
                  "<parent><name>a</name></parent></domainsnapshot>",
                  "parent" },
                { snapshot_once, false, "<domainsnapshot><name>a/b</name></domainsnapshot>", "a/b" },
                { snapshot_once, false, "<domainsnapshot><name>.a</name></domainsnapshot>", ".a" },
                { snapshot_once, false, "<domainsnapshot><memory file='m'/></domainsnapshot>", "absolute" },
                { snapshot_once, false, "<domainsnapshot><memory snapshot='external'/></domainsnapshot>",
                  "file" },
                { snapshot_once, false, "<domainsnapshot><memory snapshot='no' file='/m'/></domainsnapshot>",
                  "external" },
                { snapshot_once, false, DISK("", ""), "name" },
                { snapshot_once, false, DISK("name='vdz'", ""), "vdz" },
                { snapshot_once, false, DISK("name='vda' snapshot='perhaps'", ""), "perhaps" },
                { snapshot_once, false, DISK("name='vda' type='dir'", "<source dir='/x'/>"), "dir" },
                { snapshot_once, false, DISK("name='vda'", "<source file='x'/>"), "absolute" },
                { snapshot_once, false, DISK("name='vda' snapshot='internal'", "<source file='/x'/>"),
                  "external" },
                { snapshot_once, false,
                  "<domainsnapshot><disks><disk name='vda'/><disk name='/images/web.qcow2'/></disks>"
                  "</domainsnapshot>",
                  "twice" },
                { snapshot_once, false, "<domainsnapshot><name>qcow2</name></domainsnapshot>", "web.qcow2" },
                { checkpoint_once, true, "<domaincheckpoint/>", "<name>" },
                { checkpoint_once, true,
                  "<domaincheckpoint><name>a</name><creationTime>1</creationTime></domaincheckpoint>",
                  "<domain>" },
                { checkpoint_once, false, "<domaincheckpoint><disks><disk/></disks></domaincheckpoint>",
                  "name" },
                { checkpoint_once, false,
                  "<domaincheckpoint><disks><disk name='sda' "
                  "checkpoint='bitmap'/></disks></domaincheckpoint>",
                  "sda" },
                { checkpoint_once, false,
                  "<domaincheckpoint><disks><disk name='vda' checkpoint='no' bitmap='b'/></disks>"
                  "</domaincheckpoint>",
                  "bitmap" },
                { checkpoint_once, false,
                  "<domaincheckpoint><disks><disk name='vda'/><disk name='vda'/></disks></domaincheckpoint>",
                  "vda" },
                { backup_once, false, "<domainbackup mode='throw'/>", "throw" },
                { backup_once, false, "<domainbackup><server name='a'/></domainbackup>", "server" },
                { backup_once, false,
                  "<domainbackup mode='pull'><server transport='unix' socket='x'/></domainbackup>",
                  "socket" },
                { backup_once, false,
                  "<domainbackup><disks><disk name='vda'><scratch file='/x'/></disk></disks></domainbackup>",
                  "scratch" },
                { backup_once, false,
                  "<domainbackup><disks><disk name='vda' exportname='x'/></disks></domainbackup>",
                  "exportname" },
                { backup_once, false,
                  "<domainbackup><disks><disk name='vda' backupmode='incremental'/></disks></domainbackup>",
                  "checkpoint" },
                { backup_once, false, "<domainbackup><disks><disk name='sda'/></disks></domainbackup>",
                  "sda" },
                { backup_once, false,
                  "<domainbackup><disks><disk name='vda' type='network'/></disks></domainbackup>",
                  "network" },
        };
        _cleanup_(domain_definition_freep) DomainDefinition *domain = machine();

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(error_clear) Error error = {};
                _cleanup_(freep) char *out =
                        cases[i].once(cases[i].xml, cases[i].is_redefinition, domain, &error);

                if (out)
                        fail_msg("%s: not refused", cases[i].xml);
                if (!strstr(error.message, cases[i].word))
                        fail_msg("%s: '%s' does not say '%s'", cases[i].xml, error.message, cases[i].word);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(writes_back_what_was_said),
                cmocka_unit_test(follows_the_machine),
                cmocka_unit_test(refuses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
