/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Goes down the path one name at a time: the first folder that does not let the thread pass is the one that
 * stopped it, and can itself be looked at, for the one above it did. */

#include "drivers/qemu/denial.h"
#include "core/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX   40
#define STRINGS_MAX 65536

static char *user_name(uid_t uid)
{
        _cleanup_(freep) char *strings = g_malloc(STRINGS_MAX);
        struct passwd entry, *found = NULL;

        if (getpwuid_r(uid, &entry, strings, STRINGS_MAX, &found) == 0 && found)
                return g_strdup(entry.pw_name);
        return g_strdup_printf("user %u", uid);
}

static char *group_name(gid_t gid)
{
        _cleanup_(freep) char *strings = g_malloc(STRINGS_MAX);
        struct group entry, *found = NULL;

        if (getgrgid_r(gid, &entry, strings, STRINGS_MAX, &found) == 0 && found)
                return g_strdup(entry.gr_name);
        return g_strdup_printf("group %u", gid);
}

char *denial_describe(int fd, const char *what)
{
        _cleanup_(freep) char *link = g_strdup_printf("/proc/self/fd/%d", fd), *owner = NULL, *group = NULL,
                              *user = NULL;
        char path[PATH_MAX + 1];
        ssize_t size = readlink(link, path, PATH_MAX);
        struct stat status;

        if (size < 0 || fstat(fd, &status) < 0)
                return NULL;
        path[size] = '\0';
        owner = user_name(status.st_uid);
        group = group_name(status.st_gid);
        user = user_name((uid_t)setfsuid((uid_t)-1)); /* only asks */
        return g_strdup_printf("%s has mode %04o and belongs to %s:%s: %s may not %s it", path,
                               status.st_mode & 07777, owner, group, user, what);
}

/* What the whole way leads to. */
static char *look_at_end(int fd)
{
        _cleanup_(freep) char *again = g_strdup_printf("/proc/self/fd/%d", fd);
        _cleanup_(closep) int reading = -EBADF, writing = -EBADF;
        struct stat status;

        if (fstat(fd, &status) < 0 || (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)))
                return NULL;
        reading = open(again, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (reading < 0)
                return errno == EACCES ? denial_describe(fd, "read") : NULL;
        writing = open(again, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        return writing < 0 && errno == EACCES ? denial_describe(fd, "write to") : NULL;
}

typedef struct Way {
        char *rest;
        int fd;
        unsigned n_links;
} Way;

static void way_clear(Way *way)
{
        g_free(way->rest);
        closep(&way->fd);
}

/* What the link says comes before the rest. */
static bool follow(Way *way, int link)
{
        char target[PATH_MAX + 1], *rest;
        ssize_t size = readlinkat(link, "", target, PATH_MAX);

        if (size < 0 || ++way->n_links > LINKS_MAX)
                return false;
        target[size] = '\0';
        rest = g_strconcat(target, "/", way->rest, NULL);
        g_free(way->rest);
        way->rest = rest;
        if (target[0] == '/') {
                closep(&way->fd);
                way->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        }
        return way->fd >= 0;
}

/* One name further; false: no further, with the reason if it is one. */
static bool step(Way *way, const char *name, char **ret_why)
{
        _cleanup_(closep) int next = openat(way->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;

        if (next < 0) {
                *ret_why = errno == EACCES ? denial_describe(way->fd, "enter") : NULL;
                return false;
        }
        if (fstat(next, &status) < 0)
                return false;
        if (S_ISLNK(status.st_mode))
                return follow(way, next);
        closep(&way->fd);
        way->fd = TAKE_FD(next);
        return true;
}

char *denial_find(const char *path)
{
        _cleanup_(way_clear) Way way = { .rest = g_strdup(path), .fd = -EBADF };
        char *why = NULL;

        way.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (path[0] != '/' || way.fd < 0)
                return NULL;
        for (;;) {
                size_t skipped = strspn(way.rest, "/"), length = strcspn(way.rest + skipped, "/");
                _cleanup_(freep) char *name = g_strndup(way.rest + skipped, length), *rest = NULL;

                if (length == 0)
                        return look_at_end(way.fd);
                rest = g_strdup(way.rest + skipped + length);
                g_free(way.rest);
                way.rest = TAKE_PTR(rest);
                if (!step(&way, name, &why))
                        return why;
        }
}

void denial_append(Error *error, const char *why)
{
        char *text;

        if (!why || !error || !error_is_set(error))
                return;
        text = g_strdup_printf("%s: %s", error->message, why);
        g_free(error->message);
        error->message = g_utf8_make_valid(text, -1); /* a name of a folder may be anything */
        g_free(text);
}

int denial_set_error(Error *error, int error_number, const char *path)
{
        _cleanup_(freep) char *why = error_number == EACCES ? denial_find(path) : NULL;
        int r = error_set_errno(error, error_number, "Cannot open %s", path);

        denial_append(error, why);
        return r;
}
