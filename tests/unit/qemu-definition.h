/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/domain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A machine named web with this in its <domain>. */
static DomainDefinition *stage_definition(const char *inner)
{
        g_autofree char *xml =
                g_strdup_printf("<domain type='qemu'><name>web</name>"
                                "<uuid>11111111-2222-4333-8444-555555555555</uuid>"
                                "<memory>65536</memory><os><type arch='x86_64' machine='pc'>hvm</type>"
                                "</os>%s</domain>",
                                inner);
        DomainDefinition *definition = NULL;

        assert_int_equal(domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, NULL),
                         0);
        return definition;
}
