/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "objects/nwfilter.h"
#include <string.h>

static void user_release(void *object)
{
        object_unref(object);
}

void nwfilter_init(NWFilter *filter, const char *chain, int priority)
{
        filter->chain = g_strdup(chain);
        filter->priority = priority;
        filter->users = g_ptr_array_new_with_free_func(user_release);
}

void nwfilter_done(NWFilter *filter)
{
        g_ptr_array_unref(filter->users);
        g_free(filter->chain);
}

void nwfilter_set_shape(NWFilter *filter, const char *chain, int priority)
{
        if (strcmp(filter->chain, chain) != 0) {
                g_free(filter->chain);
                filter->chain = g_strdup(chain);
                object_changed(&filter->object, "Chain");
        }
        if (filter->priority != priority) {
                filter->priority = priority;
                object_changed(&filter->object, "Priority");
        }
}

void nwfilter_set_origin(NWFilter *filter, bool is_shipped, bool is_modified)
{
        if (filter->is_shipped == is_shipped && filter->is_modified == is_modified)
                return;
        filter->is_shipped = is_shipped;
        filter->is_modified = is_modified;
        object_changed(&filter->object, "Origin");
}

void nwfilter_set_users(NWFilter *filter, GPtrArray *users)
{
        bool is_same = users->len == filter->users->len;

        for (unsigned i = 0; i < users->len && is_same; i++)
                is_same = users->pdata[i] == filter->users->pdata[i];
        g_ptr_array_unref(filter->users);
        filter->users = users;
        if (!is_same)
                object_changed(&filter->object, "UsedBy");
}
