/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk is copied to another place while the guest runs, and kept the same there until it goes over to it
 * or the copy is given up. */

#include "drivers/qemu/json-stream.h"
#include "drivers/qemu/machine.h"

/* The job begins; takes the place (of disk_place_type) and the arguments, in which the speed stands, over.
 */
int block_copy_begin(Domain *domain, const char *disk, DomainDisk *place, json_t *arguments, bool is_shallow,
                     bool must_exist, Error *error) AWAITS;
/* The guest has gone over to the copy: the definitions follow. `data` is the target. */
int block_copy_follow(Domain *domain, const void *data, Error *error) AWAITS;

int qemu_domain_block_copy(Call *call, Domain *domain, const char *disk, const char *xml, GVariant *params,
                           uint32_t flags, Error *error) AWAITS;
