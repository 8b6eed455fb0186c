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

/* What a machine is started with, natively; START_KEEP_NETWORKS is the call's. */
int start_options_read(GVariant *options, Call *call, uint32_t *ret_flags, Error *error);
