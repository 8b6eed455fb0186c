/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/host/sysfs.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define VALUE_MAX 4096

char *sysfs_read(const char *folder, const char *name)
{
        _cleanup_(freep) char *path = g_build_filename(folder, name, NULL);
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        char text[VALUE_MAX + 1];
        ssize_t size = fd < 0 ? -1 : read(fd, text, VALUE_MAX);

        if (size < 0)
                return NULL;
        text[size] = 0;
        return g_strdup(g_strchomp(text));
}

bool sysfs_read_number(const char *folder, const char *name, int base, uint64_t *ret_value)
{
        _cleanup_(freep) char *text = sysfs_read(folder, name);
        char *end;
        uint64_t value;

        if (!text || !*text)
                return false;
        value = g_ascii_strtoull(text, &end, base);
        if (end == text)
                return false;
        *ret_value = value;
        return true;
}

char *sysfs_read_link_name(const char *folder, const char *name)
{
        _cleanup_(freep) char *path = g_build_filename(folder, name, NULL);
        _cleanup_(freep) char *target = g_file_read_link(path, NULL);

        return target ? g_path_get_basename(target) : NULL;
}

int sysfs_write(const char *folder, const char *name, const char *value)
{
        _cleanup_(freep) char *path = g_build_filename(folder, name, NULL);
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0 || write(fd, value, strlen(value)) < 0)
                return -errno;
        return 0;
}
