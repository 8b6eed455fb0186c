/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Overwriting all that a file has on the storage. */

#include "core/error.h"
#include "core/job.h"

/* virStorageVolWipeAlgorithm. */
typedef enum WipeAlgorithm {
        WIPE_ZERO = 0,
        WIPE_NNSA = 1,
        WIPE_DOD = 2,
        WIPE_BSI = 3,
        WIPE_GUTMANN = 4,
        WIPE_SCHNEIER = 5,
        WIPE_PFITZNER7 = 6,
        WIPE_PFITZNER33 = 7,
        WIPE_RANDOM = 8,
        WIPE_TRIM = 9,
        _WIPE_MAX,
} WipeAlgorithm;

/* `file` is open for reading and writing; `name` is for errors. The job (or NULL) is told how far it came
 * and stops between two steps when it is cancelled. */
int wipe_file(int file, const char *name, WipeAlgorithm algorithm, Job *job, Error *error) AWAITS;
