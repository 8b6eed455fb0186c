/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Goes down the path one name at a time with O_PATH, so that what was looked at is what is opened in the
 * end, however the folders change meanwhile. */

#include "drivers/qemu/passed.h"
#include "drivers/qemu/denial.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define LINKS_MAX  40
#define COPY_MAX   (1024u * 1024 * 1024)
#define COPY_CHUNK (16u * 1024 * 1024)

/* What is left to go, and where we stand. */
typedef struct Walk {
        const char *path; /* as given, for messages */
        char *rest;
        int fd;
        unsigned n_links;
} Walk;

static void walk_clear(Walk *walk)
{
        g_free(walk->rest);
        closep(&walk->fd);
}

static int walk_to_root(Walk *walk, Error *error)
{
        closep(&walk->fd);
        walk->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return walk->fd < 0 ? error_set_errno(error, errno, "Cannot open /") : 0;
}

static int follow(Walk *walk, int link, const struct stat *status, const char *name, Error *error)
{
        char target[PATH_MAX + 1];
        ssize_t size;
        char *rest;

        if (status->st_uid != 0 && status->st_uid != geteuid())
                return error_set(error, ERROR_ACCESS_DENIED,
                                 "%s leads over the link '%s', which user %u made: it is not followed",
                                 walk->path, name, status->st_uid);
        if (++walk->n_links > LINKS_MAX)
                return error_set_errno(error, ELOOP, "Cannot open %s", walk->path);
        size = readlinkat(link, "", target, PATH_MAX);
        if (size < 0)
                return error_set_errno(error, errno, "Cannot read the link '%s' of %s", name, walk->path);
        target[size] = '\0';
        rest = g_strconcat(target, "/", walk->rest, NULL);
        g_free(walk->rest);
        walk->rest = rest;
        return target[0] == '/' ? walk_to_root(walk, error) : 0;
}

/* Where we stand is what does not let us do `what`. */
static int fail(const Walk *walk, int error_number, const char *what, Error *error)
{
        _cleanup_(freep) char *why = error_number == EACCES ? denial_describe(walk->fd, what) : NULL;
        int r = error_set_errno(error, error_number, "Cannot open %s", walk->path);

        denial_append(error, why);
        return r;
}

/* One name further. `name` is part of walk->rest no longer. */
static int step(Walk *walk, const char *name, Error *error)
{
        _cleanup_(closep) int next = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;

        if (next < 0 || fstat(next, &status) < 0)
                return fail(walk, errno, "enter", error);
        if (S_ISLNK(status.st_mode))
                return follow(walk, next, &status, name, error);
        closep(&walk->fd);
        walk->fd = TAKE_FD(next);
        return 0;
}

static int walk_path(Walk *walk, Error *error)
{
        int r = walk_to_root(walk, error);

        while (r >= 0) {
                size_t skipped = strspn(walk->rest, "/"), length = strcspn(walk->rest + skipped, "/");
                _cleanup_(freep) char *name = g_strndup(walk->rest + skipped, length), *rest = NULL;

                if (length == 0)
                        return 0;
                rest = g_strdup(walk->rest + skipped + length);
                g_free(walk->rest);
                walk->rest = TAKE_PTR(rest);
                if (strcmp(name, ".") != 0)
                        r = step(walk, name, error);
        }
        return r;
}

/* A copy that anybody who gets the descriptor can open, of a file that its user could not. */
static int copy(const char *path, int fd, off_t size, Error *error)
{
        _cleanup_(closep) int memory = memfd_create("virtbus-file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        off_t left = size;

        if (memory < 0)
                return error_set_errno(error, errno, "Cannot make a file in memory");
        if (size > (off_t)COPY_MAX)
                return error_set(error, ERROR_LIMITS_EXCEEDED,
                                 "%s is too large to be copied for the machine's user, who may not read it",
                                 path);
        while (left > 0) {
                ssize_t n = sendfile(memory, fd, NULL, MIN((size_t)left, COPY_CHUNK));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(error, errno, "Cannot read %s", path);
                if (n == 0)
                        break; /* it has become shorter */
                left -= n;
        }
        if (fcntl(memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return error_set_errno(error, errno, "Cannot seal a file in memory");
        return TAKE_FD(memory);
}

int passed_open_folder(const char *path, Error *error)
{
        _cleanup_(walk_clear) Walk walk = { .path = path, .rest = g_strdup(path), .fd = -EBADF };
        struct stat status;
        int r = walk_path(&walk, error);

        if (r < 0)
                return r;
        if (fstat(walk.fd, &status) < 0 || !S_ISDIR(status.st_mode))
                return error_set(error, ERROR_OPERATION_FAILED, "%s is no folder", path);
        return TAKE_FD(walk.fd);
}

int passed_open(const char *path, const PassedOptions *options, Error *error)
{
        _cleanup_(walk_clear) Walk walk = { .path = path, .rest = g_strdup(path), .fd = -EBADF };
        _cleanup_(freep) char *again = NULL;
        _cleanup_(closep) int fd = -EBADF;
        struct stat status;
        int r;

        if (path[0] != '/')
                return error_set(error, ERROR_INVALID_XML, "'%s' is no absolute path", path);
        r = walk_path(&walk, error);
        if (r < 0)
                return r;
        if (fstat(walk.fd, &status) < 0)
                return error_set_errno(error, errno, "Cannot open %s", path);
        if (options->is_device && !S_ISCHR(status.st_mode))
                return error_set(error, ERROR_OPERATION_FAILED, "%s is no character device", path);
        if (!options->is_device && !S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
                return error_set(error, ERROR_OPERATION_FAILED, "%s is neither a file nor a block device",
                                 path);
        again = g_strdup_printf("/proc/self/fd/%d", walk.fd);
        fd = open(again, (options->is_writable ? O_RDWR : O_RDONLY) | (options->is_direct ? O_DIRECT : 0) |
                                 O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return fail(&walk, errno, options->is_writable ? "write to" : "read", error);
        if (options->is_reopened && !(status.st_mode & S_IROTH))
                return copy(path, fd, status.st_size, error);
        return TAKE_FD(fd);
}
