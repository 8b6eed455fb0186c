/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What would be run: the command line of a definition, without starting anything. */

#include "drivers/qemu/native.h"
#include "drivers/qemu/build.h"
#include "drivers/qemu/prepare.h"
#include <string.h>

static char *format_line(const CommandLine *line)
{
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < line->environment->len; i++) {
                _cleanup_(freep) char *quoted = g_shell_quote(line->environment->pdata[i]);

                g_string_append_printf(text, "%s ", quoted);
        }
        for (unsigned i = 0; i < line->arguments->len; i++) {
                _cleanup_(freep) char *quoted = g_shell_quote(line->arguments->pdata[i]);

                g_string_append_printf(text, "%s%s", i ? " " : "", quoted);
        }
        return g_string_free(text, FALSE);
}

int qemu_connect_domain_xml_to_native(Call *call, const char *format, const char *xml, uint32_t flags,
                                      char **ret_native, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        _cleanup_(command_line_freep) CommandLine *line = NULL;
        _cleanup_(freep) char *folder = NULL;
        int r;

        r = error_check_flags(error, "DomainXMLToNative", flags, 0);
        if (r >= 0 && strcmp(format, "qemu-argv") != 0)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "The QEMU driver has the format qemu-argv, not '%s'", format);
        if (r >= 0)
                r = domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);
        if (r >= 0)
                r = prepare_definition(call->driver, definition, call->owner, error);
        if (r < 0)
                return r;
        folder = g_build_filename(qemu_driver(call->driver)->run_path, definition->uuid, NULL);
        r = build_line(call->driver, definition, call->owner, folder, call->deadline_usec, &line, error);
        if (r >= 0)
                *ret_native = format_line(line);
        return r;
}
