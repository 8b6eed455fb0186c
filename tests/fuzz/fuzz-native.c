/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions without XML, as DefineDomain, DefineNetwork and DefineFilter take them: whatever is accepted
 * is told so that it is accepted again and says the same, and written so that the next daemon can read it.
 * An input is a kind and a value in GVariant's notation, or a document, of which the value is told. */

#include "model/domain.h"
#include "model/network.h"
#include "model/nwfilter.h"
#include "model/table-private.h"
#include "tests/fuzz/mutate-native.h"
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static void ones(uint8_t *bytes, size_t size)
{
        memset(bytes, 1, size);
}

/* Of one kind. `xml` NULL: from the value. Both results may be NULL; the caller frees them. False: refused.
 */
typedef bool (*Read)(const char *xml, GVariant *value, char **ret_xml, GVariant **ret_value, Error *error);

static bool domain_read(const char *xml, GVariant *value, char **ret_xml, GVariant **ret_value, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        int r;

        domain_definition_set_random(ones);
        r = xml ? domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error)
                : domain_definition_from_variant(value, &definition, error);
        if (r < 0 || domain_definition_complete(definition, error) < 0)
                return false;
        *ret_xml = domain_definition_format(definition, DEFINITION_INACTIVE);
        *ret_value = g_variant_ref_sink(domain_definition_to_variant(definition));
        return true;
}

static bool network_read(const char *xml, GVariant *value, char **ret_xml, GVariant **ret_value,
                         Error *error)
{
        _cleanup_(network_definition_freep) NetworkDefinition *definition = NULL;
        int r = xml ? network_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error)
                    : network_definition_from_variant(value, &definition, error);

        if (r < 0)
                return false;
        *ret_xml = network_definition_format(definition, DEFINITION_INACTIVE);
        *ret_value = g_variant_ref_sink(network_definition_to_variant(definition));
        return true;
}

static bool filter_read(const char *xml, GVariant *value, char **ret_xml, GVariant **ret_value, Error *error)
{
        _cleanup_(filter_definition_freep) FilterDefinition *definition = NULL;
        int r = xml ? filter_definition_parse(xml, strlen(xml), &definition, error)
                    : filter_definition_from_variant(value, &definition, error);

        if (r < 0)
                return false;
        *ret_xml = filter_definition_format(definition);
        *ret_value = g_variant_ref_sink(filter_definition_to_variant(definition));
        return true;
}

static const struct Kind {
        const char *name;
        Read read;
} kinds[] = { { "domain", domain_read }, { "network", network_read }, { "filter", filter_read } };

/* "domain {'name': <'a'>}", or a document; NULL: neither. The caller frees. */
static GVariant *value_of(const char *text, const struct Kind **ret_kind)
{
        if (!g_utf8_validate(text, -1, NULL))
                return NULL; /* no bus brings that */
        for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
                size_t length = strlen(kinds[i].name);
                _cleanup_(error_clear) Error error = {};
                _cleanup_(freep) char *xml = NULL;
                GVariant *value = NULL;

                *ret_kind = &kinds[i];
                if (text[0] == '<' && kinds[i].read(text, NULL, &xml, &value, &error))
                        return value;
                if (strncmp(text, kinds[i].name, length) != 0 || text[length] != ' ')
                        continue;
                return g_variant_parse(G_VARIANT_TYPE_VARDICT, text + length, NULL, NULL, NULL);
        }
        return NULL;
}

static void check_same(const char *what, const char *first, bool is_read, const char *second,
                       const Error *error)
{
        if (is_read && strcmp(first, second) == 0)
                return;
        g_printerr("--- first\n%s--- %s\n%s\n", first, what, is_read ? second : error->message);
        abort();
}

static unsigned depth_of(GVariant *value)
{
        unsigned deepest = 0;

        if (!g_variant_is_container(value))
                return 0;
        for (size_t i = 0, n = g_variant_n_children(value); i < n; i++) {
                _cleanup_(g_variant_unrefp) GVariant *child = g_variant_get_child_value(value, i);

                deepest = MAX(deepest, depth_of(child));
        }
        return deepest + 1;
}

/* What is within another too deep is cut on its way to the bus: a long chain of backing images. */
static void check_again(const struct Kind *kind, const char *xml, GVariant *value)
{
        _cleanup_(g_variant_unrefp) GVariant *told = NULL, *stored_value = NULL;
        _cleanup_(freep) char *natively = NULL, *stored = NULL;
        _cleanup_(error_clear) Error error = {}, store_error = {};
        bool is_read = kind->read(xml, NULL, &stored, &stored_value, &store_error);

        check_same("stored", xml, is_read, stored, &store_error);
        if (depth_of(value) + NATIVE_DEPTH_OF_ITEM >= NATIVE_DEPTH_MAX)
                return;
        is_read = kind->read(NULL, value, &natively, &told, &error);
        check_same("natively", xml, is_read, natively, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = g_strndup((const char *)data, size), *xml = NULL;
        _cleanup_(g_variant_unrefp) GVariant *value = NULL, *told = NULL;
        _cleanup_(error_clear) Error error = {};
        const struct Kind *kind;

        value = value_of(text, &kind);
        if (!value)
                return 0;
        if (kind->read(NULL, value, &xml, &told, &error))
                check_again(kind, xml, told);
        else if (!error_is_set(&error))
                abort(); /* refused without a word */
        return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
        _cleanup_(freep) char *text = g_strndup((const char *)data, size), *printed = NULL, *whole = NULL;
        _cleanup_(g_variant_unrefp) GVariant *value = NULL;
        const struct Kind *kind;

        srand(seed);
        value = value_of(text, &kind);
        if (!value || rand() % 32 == 0)
                return LLVMFuzzerMutate(data, size, max_size);
        for (unsigned n = 1 + (unsigned)rand() % 4; n > 0; n--)
                value = mutate_native(value);
        printed = g_variant_print(value, true);
        whole = g_strconcat(kind->name, " ", printed, NULL);
        if (strlen(whole) > max_size)
                return LLVMFuzzerMutate(data, size, max_size);
        memcpy(data, whole, strlen(whole));
        return strlen(whole);
}
