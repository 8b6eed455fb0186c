/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model/values.h"

int values_take(GVariant *values, ValuesTake take, void *target, Error *error)
{
        GVariantIter at;
        GVariant *value;
        const char *key;
        int r = 0;

        g_variant_iter_init(&at, values);
        while (r >= 0 && g_variant_iter_next(&at, "{&sv}", &key, &value)) {
                r = take(target, key, value, error);
                g_variant_unref(value);
        }
        return r;
}
