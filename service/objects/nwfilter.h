/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A network filter, as far as the bus shows it for every driver. A driver embeds it as the first member of
 * what it needs to know besides, and changes it only through these functions, so that every change is
 * announced. */

#include "objects/object.h"

typedef struct NWFilter {
        Object object;
        char *chain;
        int priority;
        bool is_shipped;  /* it comes with virtbus */
        bool is_modified; /* it came, and was changed since */
        GPtrArray *users; /* Object, counted: machines with an interface that has it, directly or not */
} NWFilter;

/* After object_init(), and before object_done(). */
void nwfilter_init(NWFilter *filter, const char *chain, int priority);
void nwfilter_done(NWFilter *filter);

/* Copies. */
void nwfilter_set_shape(NWFilter *filter, const char *chain, int priority);
void nwfilter_set_origin(NWFilter *filter, bool is_shipped, bool is_modified);
/* Takes the array over, which frees. */
void nwfilter_set_users(NWFilter *filter, GPtrArray *users);
