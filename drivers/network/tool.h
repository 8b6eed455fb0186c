/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/error.h"

/* The path of one of the host's programs, which the caller frees; ERROR_NOT_SUPPORTED that says what it is
 * for if there is none. Looks in /usr/sbin as well, which is not in every PATH. */
int tool_find(const char *name, const char *purpose, char **ret_path, Error *error);
