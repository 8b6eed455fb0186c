/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One image of a disk's chain is merged into the one below it, and the definitions follow. */

#include "drivers/qemu/machine.h"

/* Of the names of QEMU's jobs; the target follows. */
#define CHAIN_MERGE_PREFIX "virtbus-merge-"

/* `path` is the image that goes, `base` the one below it. The machine's chain, and the kept definition's, is
 * without it when this returns, on the disk too; the file is there still. */
int chain_merge(Domain *domain, const char *target, const char *path, const char *base, const Job *cause,
                Error *error) AWAITS;

/* Takes these images out of the definitions, on the disk and in memory. */
int chain_merge_follow(Domain *domain, const char *target, const char *top, const char *base,
                       Error *error) AWAITS;

/* Whether it can be done: both images are in the disk's present chain, one above the other. */
int chain_merge_check(const Domain *domain, const char *target, const char *path, const char *base,
                      Error *error);
