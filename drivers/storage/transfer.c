/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An upload is written to a new file that takes the place of the old one when all of it is on the disk, so
 * that the volume is always what it was or what it shall be. What stays of the old one is copied, by the
 * kernel, which shares the blocks where the file system can. */

#include "drivers/storage/transfer.h"
#include "core/fiber.h"
#include "drivers/storage/contents.h"
#include "drivers/storage/part.h"
#include "drivers/storage/stream.h"
#include <string.h>

static int lock(Volume *volume, bool is_writing, int *ret_folder_fd, int *ret_fd, Error *error) AWAITS
{
        /* A refresh may replace the entry meanwhile. */
        _cleanup_(freep) char *name = g_strdup(file_entry_file(volume->entry));
        _cleanup_(closep) int folder_fd = -EBADF;
        int r = contents_open(volume_pool(volume), &folder_fd, error);

        if (r >= 0 && entry_is_folder(volume->entry))
                r = error_set(error, ERROR_NOT_SUPPORTED, "The volume '%s' is a folder: it has no data",
                              volume->volume.object.name);
        if (r >= 0)
                r = files_lock(folder_fd, name, is_writing, ret_fd, error);
        if (r >= 0 && ret_folder_fd)
                *ret_folder_fd = TAKE_FD(folder_fd);
        return r;
}

int transfer_open_read(Call *call, StorageVolume *volume, int *ret_data, Error *error)
{
        (void)call;
        return lock(volume_of(volume), false, NULL, ret_data, error);
}

int transfer_open_write(Call *call, StorageVolume *volume, int *ret_data, Error *error)
{
        (void)call;
        return lock(volume_of(volume), true, NULL, ret_data, error);
}

typedef struct Progress {
        Job *job;
        uint64_t total;
} Progress;

static void progress_tell(uint64_t count, void *data)
{
        const Progress *progress = data;

        if (progress->job)
                job_set_progress(progress->job, count, progress->total);
}

/* The same bytes of the old file. */
static int keep(const StreamMove *move, int old_fd, uint64_t offset, uint64_t length, Error *error) AWAITS
{
        Stream old = { .kind = STREAM_FILE, .fd = old_fd, .position = offset };
        StreamMove kept = { .name = move->name, .file = move->file, .offset = offset, .length = length };
        uint64_t count;

        return length > 0 ? stream_read_into(&old, &kept, &count, error) : 0;
}

static int check_count(const StreamMove *move, uint64_t count, Error *error)
{
        return move->length == UINT64_MAX || count == move->length
                       ? 0
                       : error_set(error, ERROR_OPERATION_FAILED,
                                   "The volume '%s': only %" PRIu64 " of %" PRIu64 " bytes came", move->name,
                                   count, move->length);
}

static int receive(Stream *source, const StreamMove *move, int old_fd, uint64_t *ret_count,
                   Error *error) AWAITS
{
        uint64_t count;
        int r = stream_read_into(source, move, &count, error);

        if (r >= 0)
                r = check_count(move, count, error);
        if (r >= 0)
                r = keep(move, old_fd, 0, move->offset, error);
        if (r >= 0)
                r = keep(move, old_fd, move->offset + count, UINT64_MAX, error);
        if (r >= 0)
                *ret_count = count;
        return r;
}

static int check_range(const StorageVolume *volume, uint64_t offset, uint64_t length, Error *error)
{
        if (offset <= INT64_MAX && length <= INT64_MAX - offset)
                return 0;
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "The volume '%s': offset and length together are at most 2^63 - 1 bytes",
                         volume->object.name);
}

/* There is one device: what comes overwrites what was. */
static int upload_to_device(Volume *volume, int device_fd, Stream *source, StreamMove *move,
                            uint64_t *ret_count, Error *error) AWAITS
{
        uint64_t size = stream_rest(&(Stream){ .fd = device_fd }), count;
        int r;

        if (move->offset > size || (move->length != UINT64_MAX && move->length > size - move->offset))
                return error_set(error, ERROR_INVALID_ARGUMENT, "The volume '%s' ends at byte %" PRIu64,
                                 move->name, size);
        move->file = device_fd;
        move->is_sparse = false; /* the old bytes would stay */
        r = stream_read_into(source, move, &count, error);
        if (r >= 0)
                r = check_count(move, count, error);
        if (r >= 0)
                r = part_sync(device_fd, move->name, error);
        if (r < 0)
                return r;
        *ret_count = count;
        return contents_look_after(volume, error);
}

int transfer_upload(Call *call, StorageVolume *storage_volume, int source, uint64_t offset, uint64_t length,
                    bool is_sparse, uint64_t *ret_count, Error *error)
{
        Volume *volume = volume_of(storage_volume);
        _cleanup_(freep) char *name = g_strdup(storage_volume->object.name);
        _cleanup_(freep) char *part = part_name();
        _cleanup_(closep) int folder_fd = -EBADF, old_fd = -EBADF, part_fd = -EBADF;
        _cleanup_(stream_clear) Stream stream = { .fd = -EBADF };
        Progress progress = { .job = call->job, .total = length };
        StreamMove move = { .name = name,
                            .offset = offset,
                            .length = length > 0 ? length : UINT64_MAX,
                            .is_sparse = is_sparse,
                            .progress = progress_tell,
                            .data = &progress };
        uint64_t count = 0;
        int r = check_range(storage_volume, offset, length, error);

        if (r >= 0)
                r = stream_open(source, true, &stream, error);
        if (r >= 0)
                r = lock(volume, true, &folder_fd, &old_fd, error);
        if (r < 0)
                return r;
        if (length == 0)
                progress.total = stream_rest(&stream);
        if (volume->entry->path)
                return upload_to_device(volume, old_fd, &stream, &move, ret_count, error);
        r = part_create(folder_fd, part, &part_fd, error);
        if (r < 0)
                return r;
        move.file = part_fd;
        r = receive(&stream, &move, old_fd, &count, error);
        if (r >= 0)
                r = part_replace(folder_fd, part, part_fd, name, old_fd, offset + count, error);
        if (r < 0) {
                files_drop(folder_fd, part);
                return r;
        }
        volume_pool(volume)->generation++;
        *ret_count = count;
        return contents_look_after(volume, error);
}

int transfer_download(Call *call, StorageVolume *storage_volume, int target, uint64_t offset,
                      uint64_t length, uint64_t *ret_count, Error *error)
{
        Volume *volume = volume_of(storage_volume);
        _cleanup_(freep) char *name = g_strdup(storage_volume->object.name);
        _cleanup_(closep) int file = -EBADF;
        _cleanup_(stream_clear) Stream stream = { .fd = -EBADF };
        Progress progress = { .job = call->job };
        StreamMove move = { .name = name,
                            .offset = offset,
                            .length = length > 0 ? length : UINT64_MAX,
                            .progress = progress_tell,
                            .data = &progress };
        uint64_t size;
        int r = check_range(storage_volume, offset, length, error);

        if (r >= 0)
                r = stream_open(target, false, &stream, error);
        if (r >= 0)
                r = lock(volume, false, NULL, &file, error);
        if (r < 0)
                return r;
        move.file = file;
        size = stream_rest(&(Stream){ .fd = file });
        if (offset > size)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The volume '%s' has no byte %" PRIu64 ": it ends at %" PRIu64, name,
                                 offset, size);
        progress.total = MIN(size - offset, move.length);
        return stream_write_from(&stream, &move, ret_count, error);
}
