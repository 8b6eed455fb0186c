/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/network/tool.h"
#include <unistd.h>

int tool_find(const char *name, const char *purpose, char **ret_path, Error *error)
{
        _cleanup_(freep) char *path = g_find_program_in_path(name);

        if (!path)
                path = g_strconcat("/usr/sbin/", name, NULL);
        if (access(path, X_OK) < 0)
                return error_set(error, ERROR_NOT_SUPPORTED, "This host has no %s, %s", name, purpose);
        *ret_path = TAKE_PTR(path);
        return 0;
}
