/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sets of processors or NUMA nodes as people write them: "0-3,7,^2". */

#include "core/cleanup.h"

#define CPUSET_MAX 16384u

/* The canonical form, ascending ranges: "0-1,3,7"; NULL if the text is no set, or names a number above
 * CPUSET_MAX. The caller frees. The empty set is "". */
char *cpuset_canonical(const char *text);
/* Whether a canonical set has the number. */
bool cpuset_has(const char *set, unsigned number);
