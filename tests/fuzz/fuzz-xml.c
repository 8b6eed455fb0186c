/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions: whatever is accepted is written so that it is accepted again and says the same. */

#include "model/domain.h"
#include <stdlib.h>
#include <string.h>

static void zeroes(uint8_t *bytes, size_t size)
{
        memset(bytes, 1, size);
}

/* Accepted, completed and written; NULL if it is refused, with an error. */
static char *once(const char *text, size_t size, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;

        if (domain_definition_parse(text, size, DEFINITION_INACTIVE, &definition, error) < 0 ||
            domain_definition_complete(definition, error) < 0) {
                if (!error_is_set(error))
                        abort(); /* refused without a word */
                return NULL;
        }
        return domain_definition_format(definition, DEFINITION_SECURE | DEFINITION_INACTIVE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *first = NULL, *second = NULL;
        _cleanup_(error_clear) Error refused = {}, error = {};

        domain_definition_set_random(zeroes);
        first = once((const char *)data, size, &refused);
        if (!first)
                return 0;
        second = once(first, strlen(first), &error);
        if (!second || strcmp(first, second) != 0) {
                g_printerr("--- first\n%s--- second\n%s\n", first, second ?: error.message);
                abort();
        }
        return 0;
}
