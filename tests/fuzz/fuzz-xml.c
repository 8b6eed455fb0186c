/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions: whatever is accepted is written so that it is accepted again and says the same, copied and
 * compared without a difference, and told natively so that it can be read back. */

#include "model/domain.h"
#include "tests/fuzz/mutate.h"
#include <stdlib.h>
#include <string.h>

static void ones(uint8_t *bytes, size_t size)
{
        memset(bytes, 1, size);
}

/* Accepted and completed; NULL if it is refused, with an error. */
static DomainDefinition *read_one(const char *text, size_t size, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;

        if (domain_definition_parse(text, size, DEFINITION_INACTIVE, &definition, error) < 0 ||
            domain_definition_complete(definition, error) < 0) {
                if (!error_is_set(error))
                        abort(); /* refused without a word */
                return NULL;
        }
        return TAKE_PTR(definition);
}

static void expect_same(const char *what, const char *first, const char *second)
{
        if (second && strcmp(first, second) == 0)
                return;
        g_printerr("--- first\n%s--- %s\n%s\n", first, what, second);
        abort();
}

static void check_copy(const DomainDefinition *definition)
{
        _cleanup_(domain_definition_freep) DomainDefinition *copy = domain_definition_copy(definition);
        _cleanup_(freep) char *difference = domain_definition_difference(definition, copy, false);

        if (difference) {
                g_printerr("the copy differs in %s\n", difference);
                abort();
        }
}

static void refuse_change(const StructChange *change, void *data)
{
        (void)data;
        g_printerr("%s has changed\n", change->path);
        abort();
}

/* Too much within each other is cut on the way to the bus: a chain of backing images. */
static void check_native(const DomainDefinition *definition)
{
        _cleanup_(domain_definition_freep) DomainDefinition *again = NULL;
        _cleanup_(freep) char *first = domain_definition_format(definition, DEFINITION_INACTIVE),
                              *second = NULL;
        _cleanup_(error_clear) Error error = {};

        if (strstr(first, "<backingStore"))
                return;
        if (domain_definition_from_variant(domain_definition_to_variant(definition), &again, &error) < 0) {
                g_printerr("%snot read natively: %s\n", first, error.message);
                abort();
        }
        second = domain_definition_format(again, DEFINITION_INACTIVE);
        expect_same("natively", first, second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL, *again = NULL;
        _cleanup_(freep) char *first = NULL, *second = NULL;
        _cleanup_(error_clear) Error refused = {}, error = {};

        domain_definition_set_random(ones);
        definition = read_one((const char *)data, size, &refused);
        if (!definition)
                return 0;
        first = domain_definition_format(definition, DEFINITION_SECURE | DEFINITION_INACTIVE);
        again = read_one(first, strlen(first), &error);
        second = again ? domain_definition_format(again, DEFINITION_SECURE | DEFINITION_INACTIVE)
                       : g_strdup(error.message);
        expect_same("second", first, second);
        struct_changes(&domain_definition_type, definition, again, refuse_change, NULL);
        check_copy(definition);
        check_native(definition);
        return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
        return mutate_xml(&domain_definition_type, data, size, max_size, seed);
}
