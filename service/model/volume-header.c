/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the first bytes of a disk image say: format, capacity, the image it stands on. Guests write these
 * bytes, so that every place is checked against what was read, and nothing is followed. */

#include "model/volume-header.h"
#include <glib.h>
#include <string.h>

#define SECTOR_BYTES         512
#define BACKING_PATH_MAX     1023 /* the limit of qcow2 */
#define QCOW2_BACKING_FORMAT 0xe2792aca
#define QCOW2_DATA_FILE_NAME 0x44415441
#define QCOW2_DATA_FILE_RAW  (1u << 1) /* of those that may be cleared */
#define QCOW2_LAZY_REFCOUNTS (1u << 0) /* of the compatible features */
#define QCOW2_DATA_FILE      (1u << 2) /* of the incompatible ones */
#define QCOW2_EXTENDED_L2    (1u << 4)
#define QCOW2_CRYPT_LUKS     2
#define QED_HAS_BACKING      1
#define QED_BACKING_IS_RAW   4

typedef struct Bytes {
        const uint8_t *data;
        size_t size;
} Bytes;

typedef struct Format {
        const char *name;
        size_t magic_offset;
        const char *magic;
        size_t magic_size;
        size_t header_size; /* the least that must be there */
        int (*read)(Bytes bytes, VolumeHeader *header, Error *error);
} Format;

static uint64_t number(Bytes bytes, size_t offset, size_t width, bool is_big_endian)
{
        uint64_t value = 0;

        for (size_t i = 0; i < width; i++)
                value = value << 8 | bytes.data[offset + (is_big_endian ? i : width - 1 - i)];
        return value;
}

static uint64_t big(Bytes bytes, size_t offset, size_t width)
{
        return number(bytes, offset, width, true);
}

static uint64_t little(Bytes bytes, size_t offset, size_t width)
{
        return number(bytes, offset, width, false);
}

static bool is_within(Bytes bytes, uint64_t offset, uint64_t length)
{
        return offset <= bytes.size && length <= bytes.size - offset;
}

static int set_capacity(VolumeHeader *header, uint64_t count, uint64_t unit, Error *error)
{
        if (count > INT64_MAX / unit)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The %s header has a capacity of more than 8 EiB", header->format);
        header->has_capacity = true;
        header->capacity = count * unit;
        return 0;
}

static int read_text(Bytes bytes, uint64_t offset, uint64_t length, const char *format, char **ret_text,
                     Error *error)
{
        if (length > BACKING_PATH_MAX || !is_within(bytes, offset, length) ||
            memchr(bytes.data + offset, 0, length))
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The %s header has a backing file whose name is out of bounds", format);
        *ret_text = g_strndup((const char *)bytes.data + offset, length);
        return 0;
}

/* The first one of each kind counts. */
static int qcow2_extensions(Bytes bytes, uint64_t offset, VolumeHeader *header, Error *error)
{
        while (is_within(bytes, offset, 8)) {
                uint64_t type = big(bytes, offset, 4), length = big(bytes, offset + 4, 4);
                char **text = type == QCOW2_BACKING_FORMAT   ? &header->backing_format
                              : type == QCOW2_DATA_FILE_NAME ? &header->data_file
                                                             : NULL;
                int r = text && !*text ? read_text(bytes, offset + 8, length, "qcow2", text, error) : 0;

                if (type == 0 || r < 0)
                        return r;
                offset += 8 + (length + 7) / 8 * 8;
        }
        return 0;
}

static int read_qcow2(Bytes bytes, VolumeHeader *header, Error *error)
{
        uint64_t version = big(bytes, 4, 4), backing = big(bytes, 8, 8), extensions = 72;
        int r;

        if (version != 2 && version != 3)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The qcow2 header has version %u, not 2 or 3", (unsigned)version);
        if (big(bytes, 20, 4) < 9 || big(bytes, 20, 4) > 21)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The qcow2 header has clusters of 2^%u bytes, not 2^9 to 2^21",
                                 (unsigned)big(bytes, 20, 4));
        header->cluster_size = 1u << big(bytes, 20, 4);
        if (version == 3) {
                if (!is_within(bytes, 0, 104) || big(bytes, 100, 4) < 104)
                        return error_set(error, ERROR_OPERATION_FAILED, "The qcow2 header is cut off");
                extensions = big(bytes, 100, 4);
                header->is_compat_1_1 = true;
                header->has_data_file = big(bytes, 72, 8) & QCOW2_DATA_FILE;
                header->data_file_raw = big(bytes, 88, 8) & QCOW2_DATA_FILE_RAW;
                header->extended_l2 = big(bytes, 72, 8) & QCOW2_EXTENDED_L2;
                header->lazy_refcounts = big(bytes, 80, 8) & QCOW2_LAZY_REFCOUNTS;
        }
        header->encrypted = big(bytes, 32, 4) != 0;
        header->is_luks = big(bytes, 32, 4) == QCOW2_CRYPT_LUKS;
        r = set_capacity(header, big(bytes, 24, 8), 1, error);
        if (r >= 0 && backing != 0)
                r = read_text(bytes, backing, big(bytes, 16, 4), "qcow2", &header->backing_path, error);
        return r < 0 ? r : qcow2_extensions(bytes, extensions, header, error);
}

static int read_qed(Bytes bytes, VolumeHeader *header, Error *error)
{
        uint64_t features = little(bytes, 16, 8);
        int r = set_capacity(header, little(bytes, 48, 8), 1, error);

        if (r < 0 || !(features & QED_HAS_BACKING))
                return r;
        if (features & QED_BACKING_IS_RAW)
                header->backing_format = g_strdup("raw");
        return read_text(bytes, little(bytes, 56, 4), little(bytes, 60, 4), "qed", &header->backing_path,
                         error);
}

static int read_vmdk(Bytes bytes, VolumeHeader *header, Error *error)
{
        return set_capacity(header, little(bytes, 12, 8), SECTOR_BYTES, error);
}

static int read_vdi(Bytes bytes, VolumeHeader *header, Error *error)
{
        return set_capacity(header, little(bytes, 368, 8), 1, error);
}

static int read_luks(Bytes bytes, VolumeHeader *header, Error *error)
{
        header->encrypted = true;
        header->is_luks = true;
        if (big(bytes, 6, 2) != 1) /* version 2 says it elsewhere */
                return 0;
        if (!is_within(bytes, 104, 4))
                return error_set(error, ERROR_OPERATION_FAILED, "The luks header is cut off");
        header->data_offset = big(bytes, 104, 4) * SECTOR_BYTES; /* the capacity is what follows */
        return 0;
}

static const Format formats[] = {
        { "iso", 32769, "CD001", 5, 32774, NULL },
        { "qcow2", 0, "QFI\xfb", 4, 72, read_qcow2 },
        { "qed", 0, "QED\0", 4, 64, read_qed },
        { "vmdk", 0, "KDMV", 4, 20, read_vmdk },
        { "vdi", 64, "\x7f\x10\xda\xbe", 4, 376, read_vdi },
        { "vhdx", 0, "vhdxfile", 8, 8, NULL },
        { "luks", 0, "LUKS\xba\xbe", 6, 8, read_luks },
};

void volume_header_clear(VolumeHeader *header)
{
        g_free(header->backing_path);
        g_free(header->backing_format);
        g_free(header->data_file);
        *header = (VolumeHeader){};
}

int volume_header_read(const uint8_t *data, size_t size, VolumeHeader *ret_header, Error *error)
{
        Bytes bytes = { data, MIN(size, VOLUME_HEADER_BYTES) };
        _cleanup_(volume_header_clear) VolumeHeader header = { .format = "raw" };

        for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
                const Format *format = &formats[i];
                int r;

                if (!is_within(bytes, format->magic_offset, format->magic_size) ||
                    memcmp(data + format->magic_offset, format->magic, format->magic_size) != 0)
                        continue;
                if (bytes.size < format->header_size)
                        return error_set(error, ERROR_OPERATION_FAILED, "The %s header is cut off",
                                         format->name);
                header.format = format->name;
                r = format->read ? format->read(bytes, &header, error) : 0;
                if (r < 0)
                        return r;
                break;
        }
        *ret_header = header;
        header = (VolumeHeader){};
        return 0;
}
