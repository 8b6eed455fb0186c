/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Folders below a machine's own may be written to by its user: nothing in them is followed. */

#include "drivers/qemu/keep.h"
#include "core/store.h"
#include "core/worker.h"
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

static bool is_used(const char *path)
{
        g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);

        return folder && g_dir_read_name(folder);
}

int keep_check_free(const Driver *driver, const char *uuid, uid_t owner, Error *error)
{
        static const char *const kinds[] = { KEEP_NVRAM, KEEP_TPM };

        if (!driver->config->is_system || geteuid() != 0 || owner == 0)
                return 0;
        for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
                _cleanup_(freep) char *path = keep_path(driver, uuid, kinds[i]);
                struct stat status;

                if (lstat(path, &status) >= 0 && status.st_uid != owner && is_used(path))
                        return error_set(error, ERROR_EXISTS,
                                         "UUID %s was that of another user's machine, and not all that was "
                                         "kept for it is removed",
                                         uuid);
        }
        return 0;
}

bool keep_is_used(const Domain *domain, const char *what)
{
        _cleanup_(freep) char *path = keep_path(domain->object.driver, domain->object.uuid, what);

        return is_used(path);
}

static char *new_name(const char *what)
{
        return g_strconcat(what, ".new", NULL);
}

static int remove_tree(const Domain *domain, const char *name, Error *error)
{
        _cleanup_(freep) char *path = machine_path(domain->object.driver, domain->object.uuid);
        _cleanup_(closep) int folder = open(path, FOLDER_FLAGS);
        int r;

        if (folder < 0)
                return errno == ENOENT ? 0 : error_set_errno(error, errno, "Cannot open folder %s", path);
        r = folder_remove_tree(folder, name);
        if (r < 0)
                return error_set_errno(error, r, "Cannot remove folder %s/%s", path, name);
        (void)rmdir(path); /* unless there is more that is kept */
        return 0;
}

int keep_remove(const Domain *domain, const char *what, Error *error)
{
        int r = keep_abandon(domain, what, error);

        return r < 0 ? r : remove_tree(domain, what, error);
}

int keep_abandon(const Domain *domain, const char *what, Error *error)
{
        _cleanup_(freep) char *name = new_name(what);

        return remove_tree(domain, name, error);
}

int keep_begin(const Domain *domain, const char *what, uid_t uid, gid_t gid, char **ret_path, Error *error)
{
        _cleanup_(freep) char *name = new_name(what);
        int fd, r = remove_tree(domain, name, error);

        if (r < 0)
                return r;
        fd = keep_open(domain, name, uid, gid, error);
        if (fd >= 0)
                *ret_path = keep_path(domain->object.driver, domain->object.uuid, name);
        return fd;
}

/* All files in it, then itself; takes the descriptor over. */
static int sync_folder(int fd)
{
        DIR *folder = fdopendir(fd);
        const struct dirent *entry;
        int r = 0;

        if (!folder) {
                closep(&fd);
                return -errno;
        }
        while (r >= 0 && (entry = readdir(folder))) {
                _cleanup_(closep) int file =
                        openat(dirfd(folder), entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
                struct stat status;

                if (file < 0 && (errno == ELOOP || errno == ENXIO))
                        continue; /* a link or a socket: nothing of ours */
                if (file < 0 || fstat(file, &status) < 0 || (S_ISREG(status.st_mode) && fsync(file) < 0))
                        r = -errno;
        }
        if (r >= 0 && fsync(dirfd(folder)) < 0)
                r = -errno;
        (void)closedir(folder); /* was only read */
        return r;
}

typedef struct Finish {
        const char *path, *from, *to; /* of a fiber that waits to the end */
} Finish;

static int finish(void *data)
{
        const Finish *task = data;
        _cleanup_(closep) int folder = open(task->path, FOLDER_FLAGS);
        int made = folder < 0 ? -EBADF : openat(folder, task->from, FOLDER_FLAGS), r;

        if (made < 0)
                return -errno;
        r = sync_folder(made);
        if (r < 0)
                return r;
        /* What has the name is at most an empty folder: else this fails. */
        return renameat(folder, task->from, folder, task->to) < 0 || fsync(folder) < 0 ? -errno : 0;
}

int keep_finish(const Domain *domain, const char *what, Error *error)
{
        _cleanup_(freep) char *path = machine_path(domain->object.driver, domain->object.uuid),
                              *name = new_name(what);
        Finish task = { .path = path, .from = name, .to = what };
        int r = worker_finish(finish, &task);

        return r < 0 ? error_set_errno(error, r, "Cannot keep what was made in %s/%s", path, name) : 0;
}
