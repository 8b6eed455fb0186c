/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Dictionaries of type a{sv} that a caller gave. */

#include "core/error.h"
#include <glib.h>

/* Hands the entries over, one after the other, until one is refused. */
typedef int (*ValuesTake)(void *target, const char *key, GVariant *value, Error *error);
int values_take(GVariant *values, ValuesTake take, void *target, Error *error);
