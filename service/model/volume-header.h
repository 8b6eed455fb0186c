/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/error.h"
#include <stdint.h>

/* As much of an image's start as volume_header_read() looks at. */
#define VOLUME_HEADER_BYTES (64 * 1024)

typedef struct VolumeHeader {
        const char *format;      /* static; "raw" for what has no header that we know */
        bool has_capacity;       /* raw, vhdx and luks do not say it here */
        uint64_t capacity;       /* bytes */
        bool encrypted, is_luks; /* by LUKS, and not by qcow's own old way */
        uint64_t data_offset;    /* of luks: where the data begins, bytes */
        bool is_compat_1_1, lazy_refcounts, extended_l2; /* of qcow2 */
        bool has_data_file, data_file_raw; /* its data is in a file that it names, as in a raw image */
        char *data_file;                   /* NULL if it does not say which; as backing_path */
        uint32_t cluster_size;             /* bytes; 0: it has none, or does not say */
        char *backing_path;   /* as the image says it; never to be followed without a look at it */
        char *backing_format; /* NULL if the image does not say: then only to be guessed */
} VolumeHeader;

void volume_header_clear(VolumeHeader *header);

/* Reads the first bytes of an image; *ret_header is the caller's to clear. A header that is cut off or says
 * what cannot be is an error, for such a file is damaged or made to do harm. */
int volume_header_read(const uint8_t *data, size_t size, VolumeHeader *ret_header, Error *error);
