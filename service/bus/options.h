/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Options of the native family: a{sv} with words for what the org.libvirt family has as bits. */

#include "driver.h"

/* All are booleans: true gives the bits of `flags`, false those of `unless`. A list ends with a NULL name.
 */
typedef struct Option {
        const char *name;
        uint32_t flags, unless;
} Option;

/* ERROR_INVALID_ARGUMENT names an option that is not in the list (and those that are), or one that is no
 * boolean. */
int options_read(GVariant *options, const Option *known, uint32_t *ret_flags, Error *error);

/* virDomainCreateFlags. */
enum {
        START_PAUSED = 1 << 0,
        START_AUTODESTROY = 1 << 1,
        START_BYPASS_CACHE = 1 << 2,
        START_FORCE_BOOT = 1 << 3,
        START_VALIDATE = 1 << 4,
        START_RESET_NVRAM = 1 << 5,
};
/* What a machine is started with, natively; what has no bit is the call's. */
int start_options_read(GVariant *options, Call *call, uint32_t *ret_flags, Error *error);
