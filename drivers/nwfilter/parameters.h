/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Variables of filters: lists of texts, of an interface and of each reference on the way to a filter. */

#include "model/nwfilter.h"

/* The value of a variable that holds what is learnt of the guest while it runs. */
#define VARIABLE_LEARNT "@"

/* What was said farther outside comes first: what a reference says are defaults. */
typedef struct FilterScope {
        const struct FilterScope *outer;
        GHashTable *values; /* name → GPtrArray of char * */
} FilterScope;

GHashTable *parameters_new(void);
/* Adds to the list of that name. */
void parameters_add(GHashTable *variables, const char *name, const char *value);
/* NULL: there is none. */
const GPtrArray *parameters_find(const FilterScope *scope, const char *name);

/* Called with the rule's attributes for each of its meanings (FilterPair, borrowed). */
typedef int (*ParametersVisit)(const FilterEntry *entry, const GPtrArray *pairs, void *data, Error *error);
/* Puts the variables' values into the rule. Those with the same iterator advance together, up to the end of
 * the shortest list; each iterator takes all its steps for each step of those after it. A value that its
 * attribute cannot have, and a variable or an element that is missing, are errors that name it. */
int parameters_expand(const FilterEntry *entry, const char *filter, const FilterScope *scope,
                      ParametersVisit visit, void *data, Error *error);
