/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Folders below a machine's own may be written to by its user: nothing in them is followed. */

#include "drivers/qemu/keep.h"
#include "core/store.h"
#include "drivers/qemu/folder.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static char *machine_path(const Driver *driver, const char *uuid)
{
        return g_build_filename(driver->config->state_dir, "qemu", uuid, NULL);
}

char *keep_path(const Driver *driver, const char *uuid, const char *what)
{
        return g_build_filename(driver->config->state_dir, "qemu", uuid, what, NULL);
}

int keep_open(const Domain *domain, const char *what, uid_t uid, gid_t gid, Error *error)
{
        _cleanup_(freep) char *path = machine_path(domain->object.driver, domain->object.uuid);
        _cleanup_(closep) int folder = store_open_folder(path, 0711, error), fd = -EBADF;

        if (folder < 0)
                return folder;
        if (mkdirat(folder, what, 0700) < 0 && errno != EEXIST)
                return error_set_errno(error, errno, "Cannot make folder %s/%s", path, what);
        fd = openat(folder, what, FOLDER_FLAGS);
        if (fd < 0 || (uid != (uid_t)-1 && fchown(fd, uid, gid) < 0))
                return error_set_errno(error, errno, "Cannot set up folder %s/%s", path, what);
        return TAKE_FD(fd);
}

bool keep_is_used(const Domain *domain, const char *what)
{
        _cleanup_(freep) char *path = keep_path(domain->object.driver, domain->object.uuid, what);
        g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);

        return folder && g_dir_read_name(folder);
}

int keep_remove(const Domain *domain, const char *what, Error *error)
{
        _cleanup_(freep) char *path = machine_path(domain->object.driver, domain->object.uuid);
        _cleanup_(closep) int folder = open(path, FOLDER_FLAGS);
        int r;

        if (folder < 0)
                return errno == ENOENT ? 0 : error_set_errno(error, errno, "Cannot open folder %s", path);
        r = folder_remove_tree(folder, what);
        if (r < 0)
                return error_set_errno(error, r, "Cannot remove folder %s/%s", path, what);
        (void)rmdir(path); /* unless there is more that is kept */
        return 0;
}
