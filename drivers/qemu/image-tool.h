/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images of a machine, worked on by qemu-img as the machine's owner. What root and group libvirt share is
 * worked on as root: then nothing that an image's header names is written unless the definition names it as
 * well. */

#include "drivers/qemu/owner-files.h"

/* Images are qcow2, and the machine does not run. A snapshot in the image: made, gone back to, removed. */
int image_tool_snapshot_create(const Domain *domain, const char *path, const char *name,
                               Error *error) AWAITS;
int image_tool_snapshot_apply(const Domain *domain, const char *path, const char *name, Error *error) AWAITS;
int image_tool_snapshot_delete(const Domain *domain, const char *path, const char *name,
                               Error *error) AWAITS;
/* Whether it has one of that name. */
int image_tool_snapshot_exists(const Domain *domain, const char *path, const char *name, bool *ret_exists,
                               Error *error) AWAITS;

typedef struct NewImage {
        const char *path;
        bool is_device;    /* it is there, a block device; else there must be nothing */
        DiskFormat format; /* raw or qcow2 */
        uint64_t size;     /* bytes */
        const char *base;  /* what it lies over; NULL: nothing */
        DiskFormat base_format;
} NewImage;
/* On the disk when it returns; of a failure no file is left. */
int image_tool_create(const Domain *domain, const NewImage *image, Error *error) AWAITS;
/* A new qcow2 image over `base`, on the disk when it returns; nothing is left after a failure. `size` in
 * bytes; 0: that of the base, which must not be in use then. */
int image_tool_create_overlay(const Domain *domain, const char *path, const char *base,
                              DiskFormat base_format, uint64_t size, Error *error) AWAITS;
/* Writes what an image has over its base into the base; the image stays. */
int image_tool_commit(const Domain *domain, const char *path, const char *base, Error *error) AWAITS;
/* Says in the image's header that it lies over another base with the same content. */
int image_tool_rebase(const Domain *domain, const char *path, const char *base, DiskFormat base_format,
                      Error *error) AWAITS;
/* Whether the image's header says that it lies over `base`. */
int image_tool_check_base(const Domain *domain, const char *path, const char *base, Error *error) AWAITS;
/* Whether an image that lies over `base` has nothing that the base has not; reads both. False also if that
 * cannot be found out. */
bool image_tool_is_same(const Domain *domain, const char *path, const char *base,
                        DiskFormat base_format) AWAITS;
