/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words to bits. A word that is not known is refused and the known ones are named, so that a typing error is
 * not a machine that starts differently. */

#include "bus/options.h"
#include <string.h>

static const Option start_options[] = {
        { "paused", START_PAUSED, 0 },
        { "auto-destroy", START_AUTODESTROY, 0 },
        { "force-boot", START_FORCE_BOOT, 0 },
        { "reset-nvram", START_RESET_NVRAM, 0 },
        { "validate", START_VALIDATE, 0 },
        { "start-networks", 0, START_KEEP_NETWORKS },
        {},
};

static const Option *option_find(const Option *known, const char *name)
{
        for (; known->name; known++)
                if (strcmp(known->name, name) == 0)
                        return known;
        return NULL;
}

static int refuse(const Option *known, const char *name, Error *error)
{
        _cleanup_(string_builder_freep) GString *names = g_string_new(NULL);

        for (; known->name; known++)
                g_string_append_printf(names, "%s%s", names->len ? ", " : "", known->name);
        return error_set(error, ERROR_INVALID_ARGUMENT, "There is no option '%s' here: %s%s", name,
                         names->len ? "known are " : "none is known", names->str);
}

int options_read(GVariant *options, const Option *known, uint32_t *ret_flags, Error *error)
{
        uint32_t flags = 0;

        for (size_t i = 0; i < g_variant_n_children(options); i++) {
                _cleanup_(g_variant_unrefp) GVariant *value = NULL;
                _cleanup_(freep) char *name = NULL;
                const Option *option;

                g_variant_get_child(options, i, "{sv}", &name, &value);
                option = option_find(known, name);
                if (!option)
                        return refuse(known, name, error);
                if (!g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
                        return error_set(error, ERROR_INVALID_ARGUMENT, "Option '%s' is a boolean, not '%s'",
                                         name, g_variant_get_type_string(value));
                flags |= g_variant_get_boolean(value) ? option->flags : option->unless;
        }
        *ret_flags = flags;
        return 0;
}

int start_options_read(GVariant *options, Call *call, uint32_t *ret_flags, Error *error)
{
        uint32_t flags;
        int r = options_read(options, start_options, &flags, error);

        if (r < 0)
                return r;
        call->keeps_networks = flags & START_KEEP_NETWORKS;
        *ret_flags = flags & ~START_KEEP_NETWORKS;
        return 0;
}
