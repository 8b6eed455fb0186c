/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the model makes of a definition, without daemon and driver: reads <domain> from the standard input,
 * writes it completed to the standard output as a stopped machine's. With --parse nothing is filled in, with
 * --live it is read and written as a running machine's. Ends with 1 and the error where the daemon would
 * refuse it. Random bytes count up, so that the same input always has the same output. */

#include "model/domain.h"
#include <stdio.h>
#include <string.h>

static void count_up(uint8_t *bytes, size_t size)
{
        static uint8_t next = 1;

        for (size_t i = 0; i < size; i++)
                bytes[i] = next++;
}

static GString *read_all(FILE *file)
{
        GString *text = g_string_new(NULL);
        char buffer[4096];
        size_t size;

        while (text->len <= XML_SIZE_MAX && (size = fread(buffer, 1, sizeof buffer, file)) > 0)
                g_string_append_len(text, buffer, (gssize)size);
        return text;
}

static int usage(const char *program)
{
        fprintf(stderr, "Usage: %s [--parse] [--live] < DEFINITION\n", program);
        return 2;
}

int main(int argc, char **argv)
{
        _cleanup_(error_clear) Error error = { 0 };
        _cleanup_(string_builder_freep) GString *xml = NULL;
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        _cleanup_(freep) char *result = NULL;
        bool is_completed = true;
        unsigned flags = DEFINITION_INACTIVE;
        int r;

        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "--parse") == 0)
                        is_completed = false;
                else if (strcmp(argv[i], "--live") == 0)
                        flags = 0;
                else
                        return usage(argv[0]);
        }
        domain_definition_set_random(count_up);
        xml = read_all(stdin);
        r = domain_definition_parse(xml->str, xml->len, flags, &definition, &error);
        if (r >= 0 && is_completed)
                r = domain_definition_complete(definition, &error);
        if (r < 0) {
                fprintf(stderr, "%s\n", error.message);
                return 1;
        }
        result = domain_definition_format(definition, flags | DEFINITION_SECURE);
        fputs(result, stdout);
        return 0;
}
