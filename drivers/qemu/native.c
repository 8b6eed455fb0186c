/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What would be run: the command line of a definition, without starting anything. */

#include "drivers/qemu/native.h"
#include "drivers/qemu/build.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/prepare.h"
#include <string.h>

/* As a person would type it: most arguments need no quotes. */
static void append_argument(GString *text, const char *argument)
{
        static const char plain[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%";
        _cleanup_(freep) char *quoted = NULL;

        if (text->len > 0)
                g_string_append_c(text, ' ');
        if (*argument && strspn(argument, plain) == strlen(argument)) {
                g_string_append(text, argument);
                return;
        }
        quoted = g_shell_quote(argument);
        g_string_append(text, quoted);
}

/* NAME=VALUE: the shell knows it by its unquoted name. */
static void append_variable(GString *text, const char *variable)
{
        const char *equals = strchr(variable, '=');

        if (text->len > 0)
                g_string_append_c(text, ' ');
        g_string_append_len(text, variable, equals ? equals + 1 - variable : (gssize)strlen(variable));
        if (equals) {
                _cleanup_(freep) char *quoted = g_shell_quote(equals + 1);

                g_string_append(text, quoted);
        }
}

/* The line of a prepared definition, of which a run's copy is made. */
static int build(Call *call, DomainDefinition *definition, CommandLine **ret_line, Error *error) AWAITS
{
        _cleanup_(freep) char *name = folder_name(definition->uuid), *folder = NULL;

        folder = g_build_filename(qemu_driver(call->driver)->run_path, name, NULL);
        return build_line(call->driver, definition, call->owner, folder, false, NULL, call->deadline_usec,
                          ret_line, error);
}

int qemu_check_domain(Call *call, const DomainDefinition *definition, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *copy = domain_definition_copy(definition);
        _cleanup_(command_line_freep) CommandLine *line = NULL;

        return build(call, copy, &line, error);
}

int qemu_connect_domain_xml_to_native(Call *call, const char *format, const char *xml, uint32_t flags,
                                      char **ret_native, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        _cleanup_(command_line_freep) CommandLine *line = NULL;
        _cleanup_(string_builder_freep) GString *text = NULL;
        int r;

        r = error_check_flags(error, "DomainXMLToNative", flags, 0);
        if (r >= 0 && strcmp(format, "qemu-argv") != 0)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "The QEMU driver has the format qemu-argv, not '%s'", format);
        if (r >= 0)
                r = domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);
        if (r >= 0)
                r = prepare_definition(call->driver, definition, call->owner, error);
        if (r >= 0)
                r = build(call, definition, &line, error);
        if (r < 0)
                return r;
        text = g_string_new(NULL);
        for (unsigned i = 0; i < line->environment->len; i++)
                append_variable(text, line->environment->pdata[i]);
        for (unsigned i = 0; i < line->arguments->len; i++)
                append_argument(text, line->arguments->pdata[i]);
        *ret_native = g_string_free(TAKE_PTR(text), FALSE);
        return 0;
}
