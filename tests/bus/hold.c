/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Preloaded into the daemon by test_updates.py, and into QEMU by test_block_copy.py: while the file
 * $HOLD_FILE is there nothing gets to the disk. "$HOLD_FILE-waits" is made when something is to. */

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void hold(void)
{
        const char *file = getenv("HOLD_FILE");
        char waits[PATH_MAX];

        (void)snprintf(waits, sizeof waits, "%s-waits", file);
        while (access(file, F_OK) == 0) {
                close(open(waits, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
                usleep(10000);
        }
}

int fsync(int fd)
{
        hold();
        return ((__typeof__(&fsync))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd)
{
        hold();
        return ((__typeof__(&fdatasync))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
