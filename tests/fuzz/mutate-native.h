/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Mutation of native values, as programs give them to DefineDomain and its like: keys and values are taken
 * out, doubled, changed, swapped with others that were seen, and put where they do not belong. */

#include <glib.h>

/* A changed value; takes the reference and gives one. What it is made of is known for the next. */
GVariant *mutate_native(GVariant *value);
