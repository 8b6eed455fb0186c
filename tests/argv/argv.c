/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* argv FOLDER: for each X.xml in it, the command line must be that of X.argv, one argument a line, and the
 * real QEMU must take it if this host has one. With UPDATE=1 in the environment X.argv is written instead,
 * to be read by a person before it is committed. Definitions write @TMP@ for the folder that their files are
 * in: "disk.img", "disk.qcow2", "code.fd", "vars.fd", "kernel" and "initrd" are there. A definition with a
 * comment "not started" is only compared. */

#include "core/fiber.h"
#include "core/loop.h"
#include "drivers/qemu/command/command.h"
#include "tests/argv/accept.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QEMU       "/usr/bin/qemu-system-x86_64"
#define FLASH_SIZE (256u * 1024)
#define DISK_SIZE  (1024u * 1024)

typedef struct Run {
        const char *folder; /* of the definitions */
        char *temporary;
        unsigned n_passed, n_failed;
} Run;

/* The same "random" bytes in each run. */
static void count_up(uint8_t *bytes, size_t size)
{
        static uint8_t next;

        for (size_t i = 0; i < size; i++)
                bytes[i] = next++;
}

static char *replace(const char *text, const char *what, const char *by)
{
        GString *result = g_string_new(text);

        g_string_replace(result, what, by, 0);
        return g_string_free(result, FALSE);
}

/* A qcow2 header of version 2 for an empty disk: enough for QEMU to open it. */
static void make_qcow2(const char *path)
{
        g_autofree char *bytes = g_malloc0(5 * 65536);
        const struct {
                size_t at;
                uint64_t value;
                unsigned size;
        } fields[] = {
                { 0, 0x514649fb, 4 }, { 4, 2, 4 },      { 20, 16, 4 },
                { 24, DISK_SIZE, 8 }, { 36, 1, 4 },     { 40, 3 * 65536, 8 },
                { 48, 65536, 8 },     { 56, 1, 4 },     { 65536, 2 * 65536, 8 },
                { 131072, 1, 2 },     { 131074, 1, 2 }, { 131076, 1, 2 },
                { 131078, 1, 2 },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
                for (unsigned j = 0; j < fields[i].size; j++)
                        bytes[fields[i].at + j] = (char)(fields[i].value >> (8 * (fields[i].size - 1 - j)));
        }
        g_file_set_contents(path, bytes, 5 * 65536, NULL);
}

static void make_files(const char *folder)
{
        static const struct {
                const char *name;
                size_t size;
        } files[] = { { "disk.img", DISK_SIZE }, { "cd.iso", DISK_SIZE }, { "code.fd", FLASH_SIZE },
                      { "vars.fd", FLASH_SIZE }, { "initrd", 512 },       { "kernel", 4096 } };
        g_autofree char *zeroes = g_malloc0(DISK_SIZE),
                        *qcow2 = g_build_filename(folder, "disk.qcow2", NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                g_autofree char *path = g_build_filename(folder, files[i].name, NULL);

                g_file_set_contents(path, zeroes, (gssize)files[i].size, NULL);
        }
        make_qcow2(qcow2);
}

static char *format(const CommandLine *line, const char *temporary)
{
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < line->environment->len; i++)
                g_string_append_printf(text, "%s\n", (char *)g_ptr_array_index(line->environment, i));
        for (unsigned i = 0; i < line->arguments->len; i++) {
                const char *argument = g_ptr_array_index(line->arguments, i);
                bool is_option = argument[0] == '-' || i == 0;

                g_string_append_printf(text, "%s%s\n", is_option ? "" : "        ", argument);
        }
        g_string_replace(text, temporary, "@TMP@", 0);
        return g_string_free(text, FALSE);
}

static int build(const char *xml, const CommandHost *host, DomainDefinition **ret_definition,
                 CommandLine **ret_line, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        _cleanup_(command_line_freep) CommandLine *line = NULL;
        int r;

        r = domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);
        if (r >= 0)
                r = domain_definition_complete(definition, error);
        if (r < 0)
                return r;
        domain_definition_assign_aliases(definition);
        line = command_line_new(definition, host);
        r = command_build(line, error);
        if (r < 0)
                return r;
        *ret_definition = TAKE_PTR(definition);
        *ret_line = TAKE_PTR(line);
        return 0;
}

static int compare(const char *path, const char *text, Error *error)
{
        g_autofree char *expected = NULL;

        if (getenv("UPDATE"))
                return g_file_set_contents(path, text, -1, NULL)
                               ? 0
                               : error_set(error, ERROR_INTERNAL, "Cannot write %s", path);
        if (!g_file_get_contents(path, &expected, NULL, NULL))
                return error_set(error, ERROR_INTERNAL, "There is no %s; it would be:\n%s", path, text);
        if (strcmp(text, expected) != 0)
                return error_set(error, ERROR_INTERNAL, "It is not what %s says, but:\n%s", path, text);
        return 0;
}

static int check(const Run *run, const char *name, Error *error)
{
        g_autofree char *path = g_build_filename(run->folder, name, NULL), *text = NULL, *xml = NULL,
                        *result = NULL;
        g_autofree char *golden = replace(path, ".xml", ".argv");
        const CommandHost host = { .binary = QEMU,
                                   .folder = run->temporary,
                                   .runs = true,
                                   .version = 7002000,
                                   .now_sec = 1000000000 };
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        _cleanup_(command_line_freep) CommandLine *line = NULL;
        int r;

        if (!g_file_get_contents(path, &text, NULL, NULL))
                return error_set(error, ERROR_INTERNAL, "Cannot read %s", path);
        xml = replace(text, "@TMP@", run->temporary);
        r = build(xml, &host, &definition, &line, error);
        if (r < 0)
                return r;
        result = format(line, run->temporary);
        r = compare(golden, result, error);
        if (r < 0 || access(QEMU, X_OK) < 0 || strstr(xml, "not started"))
                return r;
        return line_accept(line, run->temporary, error);
}

static void check_all(void *data)
{
        Run *run = data;
        g_autoptr(GDir) folder = g_dir_open(run->folder, 0, NULL);
        const char *name;

        while (folder && (name = g_dir_read_name(folder))) {
                _cleanup_(error_clear) Error error = { 0 };

                if (!g_str_has_suffix(name, ".xml"))
                        continue;
                if (check(run, name, &error) < 0) {
                        run->n_failed++;
                        printf("%s: %s\n", name, error.message);
                } else
                        run->n_passed++;
        }
        loop_exit(0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
        (void)status;
        (void)kind;
        (void)walk;
        return remove(path);
}

int main(int argc, char *argv[])
{
        Run run = { .folder = argc == 2 ? argv[1] : "." };

        run.temporary = g_dir_make_tmp("virtbus-argv-XXXXXX", NULL);
        if (!run.temporary || loop_open() < 0)
                return EXIT_FAILURE;
        make_files(run.temporary);
        domain_definition_set_random(count_up);
        if (fiber_start("argv", check_all, &run) < 0 || loop_run() < 0)
                return EXIT_FAILURE;
        fiber_close();
        loop_close();
        (void)nftw(run.temporary, remove_one, 16,
                   FTW_DEPTH | FTW_PHYS); /* a leftover in /tmp harms nobody */
        g_free(run.temporary);
        printf("%u definitions passed, %u failed\n", run.n_passed, run.n_failed);
        return run.n_failed == 0 && run.n_passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
