/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The chain of images of a disk (model/disk-chain.h): what its parts are called in QEMU, and how they get
 * there. A part's number (DiskSource.index of the active image, DiskBacking.index below) stays with it for a
 * run: "vda-3-image" is the node of number 3, "vda-image" that with which the run began. */

#include "drivers/qemu/json-stream.h"
#include "drivers/qemu/machine.h"
#include "model/disk-chain.h"

/* The caller frees. */
char *chain_node(const DomainDisk *disk, uint32_t index);
char *chain_storage_node(const DomainDisk *disk, uint32_t index);
typedef struct ChainImage {
        const char *path;
        bool is_device; /* a block device, no file */
        DiskFormat format;
        uint32_t index;
        const char *below; /* the node that it lies over; NULL: none yet */
} ChainImage;
/* Adds the nodes of an image that exists, to be written to, not yet in any chain. */
int chain_add_nodes(const Domain *domain, const DomainDisk *disk, const ChainImage *image,
                    Error *error) AWAITS;
void chain_remove_nodes(const Domain *domain, const DomainDisk *disk, uint32_t index) AWAITS;

/* Whether QEMU has that node at all. */
int chain_has_node(const Domain *domain, const char *node, bool *ret_has, Error *error) AWAITS;
/* The topmost node of the disk, which its device has; the caller frees. */
int chain_find_root(const Domain *domain, const DomainDisk *disk, char **ret_node, Error *error) AWAITS;
/* An image of the chain that was opened for reading can be written to, or no longer. QEMU opens files in
 * another way by itself when it has to, but a descriptor that was passed is one or the other. */
int chain_set_writable(const Domain *domain, const DomainDisk *disk, const DiskBacking *image,
                       bool is_writable, Error *error) AWAITS;

/* The same of what a merge of `top`, and all above `base`, into that writes to: the base, and the header of
 * the image that will lie over it. */
int chain_set_merge_writable(const Domain *domain, const DomainDisk *disk, const char *top, const char *base,
                             bool is_writable, Error *error) AWAITS;

/* Whether QEMU has that node, and over other images: a disk has gone over to it. */
int chain_is_used(const Domain *domain, const char *node, bool *ret_is_used, Error *error) AWAITS;

/* Bytes, as the guest sees them, of the disk's active image. */
int chain_size(const Domain *domain, const DomainDisk *disk, uint64_t *ret_size, Error *error) AWAITS;
