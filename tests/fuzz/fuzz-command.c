/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions to QEMU's arguments: whatever is accepted has a command line or an error, and arguments that
 * look like JSON are JSON. */

#include "drivers/qemu/command/command.h"
#include "tests/fuzz/mutate.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void ones(uint8_t *bytes, size_t size)
{
        memset(bytes, 1, size);
}

static void check_arguments(const CommandLine *line)
{
        for (unsigned i = 0; i < line->arguments->len; i++) {
                const char *argument = line->arguments->pdata[i];
                _cleanup_(json_decrefp) json_t *value = NULL;

                if (!argument)
                        abort();
                if (argument[0] != '{')
                        continue;
                value = json_loads(argument, JSON_REJECT_DUPLICATES, NULL);
                if (!value) {
                        g_printerr("no JSON: %s\n", argument);
                        abort();
                }
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const CommandHost host = { .binary = "/usr/bin/qemu-system-x86_64",
                                          .folder = "/run/a",
                                          .cpu_vendor = "GenuineIntel",
                                          .version = 7002000,
                                          .now_sec = 1000000000 };
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        _cleanup_(command_line_freep) CommandLine *line = NULL;
        _cleanup_(error_clear) Error error = {};

        domain_definition_set_random(ones);
        if (domain_definition_parse((const char *)data, size, DEFINITION_INACTIVE, &definition, &error) <
                    0 ||
            domain_definition_complete(definition, &error) < 0)
                return 0;
        domain_definition_assign_aliases(definition);
        line = command_line_new(definition, &host);
        if (command_build(line, &error) >= 0)
                check_arguments(line);
        else if (!error_is_set(&error))
                abort(); /* refused without a word */
        return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
        return mutate_xml(&domain_definition_type, data, size, max_size, seed);
}
