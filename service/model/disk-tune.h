/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The limits of one disk, as a dictionary of type a{sv} with libvirt's keys. */

#include "model/domain.h"

/* The numbers, in one order: two of each of six groups (bytes a second, requests a second, both for bursts),
 * total, read and write; the size of a request; and from DISK_TUNE_LENGTHS on how long bursts may be. */
enum { DISK_TUNE_LENGTHS = 13, DISK_TUNE_LIMITS = 19 };
uint64_t *disk_tune_limit(DiskTune *tune, size_t i);

/* By its target or the path of its image; NULL: there is none. */
DomainDisk *disk_tune_find(const DomainDefinition *definition, const char *name);

/* All keys; NULL: no limits. Floating. */
GVariant *disk_tune_tell(const DiskTune *tune);
/* A new set of limits for the disk with these values, checked as one of a definition is. */
int disk_tune_take(const DomainDisk *disk, GVariant *values, DiskTune **ret_tune, Error *error);
