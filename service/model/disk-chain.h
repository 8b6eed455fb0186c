/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The chain of images of a disk, and how it changes in a definition. */

#include "model/domain.h"

/* Borrowed; NULL if there is none, or no definition. */
DomainDisk *chain_find_disk(const DomainDefinition *definition, const char *target);
/* By target or path of the source; ERROR_INVALID_ARGUMENT if there is none, or nothing in it. Borrowed. */
int chain_find_named(const DomainDefinition *definition, const char *name, DomainDisk **ret_disk,
                     Error *error);

/* The path of a file or block device; NULL for other sources. Borrowed. */
const char *chain_path(const DiskSource *source);
/* The image of that path below the active one; NULL: there is none. Borrowed. */
const DiskBacking *chain_find_below(const DomainDisk *disk, const char *path);
bool chain_is_active(const DomainDisk *disk, const char *path);
/* Whether a disk of the definition has the image of that path, the active one or one below; the disk with
 * that target, or any for NULL. */
bool chain_is_named(const DomainDefinition *definition, const char *target, const char *path);
/* The path of the image directly below, or above, that of the path; NULL: none, or one that has no path.
 * Borrowed. */
const char *chain_next(const DomainDisk *disk, const char *path);
const char *chain_above(const DomainDisk *disk, const char *path);

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
/* All images from `top` down to the one above `base`, all for NULL; false if that are none. */
bool chain_remove_range(DomainDefinition *definition, const char *target, const char *top, const char *base);

/* A source that is empty becomes a copy of another, as the image of that number. */
void chain_copy_source(DiskSource *target, DiskType type, const DiskSource *source, uint32_t index);
/* The disk goes over to an image elsewhere, with what is below it if it `keeps_below` that. */
void chain_move(DomainDisk *disk, DiskType type, DiskFormat format, const DiskSource *source,
                bool keeps_below);

/* What BlockResize asks for, in whole sectors; `is_bytes`: not KiB. */
int chain_wanted_bytes(uint64_t size, bool is_bytes, uint64_t *ret_bytes, Error *error);

/* A place that a <disk> element describes, which needs no more than a source: of disk_place_type. */
int chain_read_place(const char *xml, DomainDisk **ret_place, Error *error);
/* What BlockCopy is told beside: bytes a second, bytes; 0: nothing is said. */
typedef struct CopyParameters {
        uint64_t bandwidth, buffer_size;
        uint32_t granularity;
} CopyParameters;
int chain_read_copy_parameters(GVariant *values, CopyParameters *ret_parameters, Error *error);
