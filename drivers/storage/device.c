/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/device.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

/* udev's names of devices are links; the kernel refuses O_EXCL for one that is mounted or part of another.
 */
int device_open(const char *path, int flags)
{
        int exclusive = (flags & O_ACCMODE) != O_RDONLY ? O_EXCL : 0;
        _cleanup_(closep) int file = open(path, flags | exclusive | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat stat;

        if (file < 0 && errno == EBUSY)
                return -ETXTBSY;
        if (file < 0 || fstat(file, &stat) < 0)
                return -errno;
        return S_ISBLK(stat.st_mode) ? TAKE_FD(file) : -ENOTBLK;
}

/* A device says its size otherwise than a file; its blocks are all there. */
int device_stat(int file, struct stat *ret)
{
        uint64_t size;

        if (fstat(file, ret) < 0)
                return -errno;
        if (!S_ISBLK(ret->st_mode))
                return 0;
        if (ioctl(file, BLKGETSIZE64, &size) < 0)
                return -errno;
        ret->st_size = (off_t)size;
        ret->st_blocks = (blkcnt_t)(size / 512);
        return 0;
}
