/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What would be run: the command line of a definition, without starting anything. */

#include "drivers/qemu/operations.h"
#include "drivers/qemu/prepare.h"
#include <string.h>

int qemu_connect_domain_xml_to_native(Call *call, const char *format, const char *xml, uint32_t flags,
                                      char **ret_native, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        _cleanup_(prepared_clear) Prepared prepared = {};
        _cleanup_(string_builder_freep) GString *text = NULL;
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
        folder = g_build_filename(qemu_driver(call->driver)->runs_path, definition->uuid, NULL);
        r = prepare_start(call->driver, definition, call->owner, folder, false, call->deadline_usec,
                          &prepared, error);
        if (r < 0)
                return r;
        text = g_string_new(NULL);
        for (unsigned i = 0; i < prepared.line->environment->len; i++)
                g_string_append_printf(text, "%s ", (char *)prepared.line->environment->pdata[i]);
        for (unsigned i = 0; i < prepared.line->arguments->len; i++) {
                _cleanup_(freep) char *quoted = g_shell_quote(prepared.line->arguments->pdata[i]);

                g_string_append_printf(text, "%s%s", i ? " " : "", quoted);
        }
        *ret_native = g_string_free(TAKE_PTR(text), FALSE);
        return 0;
}
