/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filters become text for nft: whatever a definition holds, what is written stays within the lines and the
 * chains of its device, and a second translation says the same. And whatever frame comes to a guest, what is
 * learnt of it is an address. */

#include "drivers/nwfilter/learn.h"
#include "drivers/nwfilter/translate.h"
#include <stdlib.h>
#include <string.h>

static const FilterDefinition *find(const void *data, const char *name)
{
        const FilterDefinition *definition = data;

        return strcmp(definition->name, name) == 0 ? definition : NULL;
}

static GHashTable *variables(void)
{
        GHashTable *all = parameters_new();

        parameters_add(all, "MAC", "52:54:00:00:00:01");
        parameters_add(all, "IP", VARIABLE_LEARNT);
        for (unsigned i = 0; i < 3; i++) {
                parameters_add(all, "A", i == 0 ? "1.2.3.4" : "10.0.0.1");
                parameters_add(all, "P", i == 0 ? "80" : "0x50");
                parameters_add(all, "V", i == 0 ? "::1" : "fe80::1");
        }
        return all;
}

/* Quotes enclose comments alone, and braces are balanced outside of them. */
static void check(const char *text)
{
        bool is_quoted = false;
        int depth = 0;

        for (const char *c = text; *c; c++) {
                if (*c == '"')
                        is_quoted = !is_quoted;
                else if (*c == '\n' && is_quoted)
                        abort();
                else if (!is_quoted && (*c == '{' || *c == '}'))
                        depth += *c == '{' ? 1 : -1;
                else if (!is_quoted && !g_ascii_isalnum(*c) && !strchr(" \n/_.:-,;@&=!", *c))
                        abort();
                if (depth < 0)
                        abort();
        }
        if (depth != 0 || is_quoted)
                abort();
}

static void learn(const uint8_t *data, size_t size)
{
        static const uint8_t mac[6] = { 0x52, 0x54, 0, 0, 0, 1 };
        _cleanup_(g_ptr_array_unrefp) GPtrArray *servers = g_ptr_array_new();
        char address[16] = "";
        uint32_t seconds;

        if (learn_read_dhcp(data, size, mac, servers, address, &seconds) &&
            !g_hostname_is_ip_address(address))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(filter_definition_freep) FilterDefinition *definition = NULL;
        _cleanup_(g_hash_table_unrefp) GHashTable *values = variables();
        _cleanup_(filter_text_clear) FilterText first = {}, second = {};
        _cleanup_(error_clear) Error error = {};
        FilterRequest request = {
                .device = 7, .variables = values, .kernel = { size % 2 == 0, size % 3 != 0 }, .find = find
        };
        int r;

        learn(data, size);
        if (filter_definition_parse((const char *)data, size, &definition, &error) < 0)
                return 0;
        request.filter = definition->name;
        request.find_data = definition;
        r = translate_filter(&request, &first, &error);
        if (r < 0 && !error_is_set(&error))
                abort(); /* refused without a word */
        if (r < 0)
                return 0;
        check(first.text);
        if (translate_filter(&request, &second, &error) < 0 || strcmp(first.text, second.text) != 0)
                abort();
        return 0;
}
