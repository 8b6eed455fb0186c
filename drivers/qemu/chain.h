/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The chain of images of a disk: how it changes in a definition, and what its parts are called in QEMU. A
 * part's number (DiskSource.index of the active image, DiskBacking.index below) stays with it for a run:
 * "vda-3-image" is the node of number 3, "vda-image" that with which the run began. */

#include "drivers/qemu/json-stream.h"
#include "drivers/qemu/machine.h"

/* Borrowed; NULL if there is none, or no definition. */
DomainDisk *chain_find_disk(const DomainDefinition *definition, const char *target);
/* By target or path of the source; ERROR_INVALID_ARGUMENT if there is none, or nothing in it. Borrowed. */
int chain_find_named(const DomainDefinition *definition, const char *name, DomainDisk **ret_disk,
                     Error *error);
/* By target or path of the source, of a machine that runs; ERROR_INVALID_ARGUMENT if there is none. */
int chain_find_live(const Domain *domain, const char *name, DomainDisk **ret_disk, Error *error);

/* The path of a file or block device; NULL for other sources. Borrowed. */
const char *chain_path(const DiskSource *source);
/* The caller frees. */
char *chain_node(const DomainDisk *disk, uint32_t index);
char *chain_storage_node(const DomainDisk *disk, uint32_t index);
/* A number that none of the disk's images has. */
uint32_t chain_free_index(const DomainDisk *disk);
/* Numbers for the images of a definition that is about to run. */
void chain_number(DomainDefinition *live);

/* A new active image, a qcow2 file, over the present one. */
void chain_push(DomainDisk *disk, const char *path, uint32_t index);
/* Takes the active image off: the one below it is active. False if the definition does not know of one. */
bool chain_pop(DomainDisk *disk);
/* Takes the image of that path out of a disk's chain; false if it is not there. */
bool chain_remove_image(DomainDefinition *definition, const char *target, const char *path);
/* Whether the two disks have the same active image. */
bool chain_is_same(const DomainDisk *a, const DomainDisk *b);

/* What the daemon opens for a QEMU that may not open it by itself: the file name to tell it, and the
 * descriptor's set (-1: none). The caller frees the name. */
int chain_open(const Domain *domain, const char *path, bool is_writable, char **ret_name,
               json_int_t *ret_set, Error *error) AWAITS;
/* Adds the nodes of an image that exists, not yet in any chain. */
int chain_add_nodes(const Domain *domain, const DomainDisk *disk, const char *path, DiskFormat format,
                    uint32_t index, Error *error) AWAITS;
void chain_remove_nodes(const Domain *domain, const DomainDisk *disk, uint32_t index) AWAITS;

/* Whether QEMU has that node, and over other images: a disk has gone over to it. */
int chain_is_used(const Domain *domain, const char *node, bool *ret_is_used, Error *error) AWAITS;

/* Bytes, as the guest sees them, of the disk's active image. */
int chain_size(const Domain *domain, const DomainDisk *disk, uint64_t *ret_size, Error *error) AWAITS;
