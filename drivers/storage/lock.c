/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* They are of the open file, not of the process, and end with it. */

#include "drivers/storage/lock.h"
#include <errno.h>
#include <fcntl.h>

/* QEMU's bytes (block/file-posix.c): whoever has a right to the image holds a lock on the first number and
 * the right's, whoever does not want others to have it on the second and the right's. */
#define LOCK_HAVE       100
#define LOCK_REFUSE     200
#define RIGHT_TO_READ   0
#define RIGHT_TO_WRITE  1
#define RIGHT_TO_RESIZE 3

static int lock_byte(int file, off_t byte)
{
        struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

        return fcntl(file, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

static int lock_for_reading(int file)
{
        struct flock writer = {
                .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_HAVE + RIGHT_TO_WRITE, .l_len = 1
        };
        int r = fcntl(file, F_OFD_GETLK, &writer) < 0 ? -errno : writer.l_type == F_UNLCK ? 0 : -EAGAIN;

        if (r >= 0)
                r = lock_byte(file, LOCK_HAVE + RIGHT_TO_READ);
        if (r >= 0)
                r = lock_byte(file, LOCK_REFUSE + RIGHT_TO_WRITE);
        return r < 0 ? r : lock_byte(file, LOCK_REFUSE + RIGHT_TO_RESIZE);
}

static int lock_for_writing(int file)
{
        struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        return fcntl(file, F_OFD_SETLK, &all) < 0 ? -errno : 0;
}

int image_lock(int file, bool is_writing)
{
        int r = is_writing ? lock_for_writing(file) : lock_for_reading(file);

        return r == -EAGAIN || r == -EACCES ? -ETXTBSY : r;
}
