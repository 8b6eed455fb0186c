/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon needs no right to the file: whoever opened it had one, and QEMU gets the descriptor. What a
 * descriptor is good for is looked at when it comes, so that a start does not fail for it later. */

#include "drivers/qemu/file-groups.h"
#include "core/kept.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_LENGTH_MAX 255
#define FILES_MAX       2   /* one for reading, one for writing too */
#define OWNER_FILES_MAX 256 /* of all machines of one owner */

typedef struct FileGroup {
        int fds[FILES_MAX];
        unsigned count;
} FileGroup;

static void group_free(void *data)
{
        FileGroup *group = data;

        for (unsigned i = 0; i < group->count; i++)
                closep(&group->fds[i]);
        g_free(group);
}

static void group_freep(FileGroup **group)
{
        if (*group)
                group_free(*group);
}

/* By which the service manager knows all of a machine's. The caller frees. */
static char *kept_prefix(const Domain *domain)
{
        return g_strdup_printf("disk-%s-", domain->object.uuid);
}

/* A group's, which fits whatever its name is. The caller frees. */
static char *kept_name(const Domain *domain, const char *name)
{
        _cleanup_(freep) char *prefix = kept_prefix(domain),
                              *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);

        return g_strconcat(prefix, digest, NULL);
}

static void group_set(Machine *machine, const char *name, FileGroup *group)
{
        if (!machine->file_groups)
                machine->file_groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, group_free);
        g_hash_table_replace(machine->file_groups, g_strdup(name), group);
}

/* What the last daemon was given comes from the service manager when it is asked for. */
static const FileGroup *find(const Domain *domain, const char *name)
{
        Machine *machine = machine_of(domain);
        FileGroup *group = machine->file_groups ? g_hash_table_lookup(machine->file_groups, name) : NULL;
        _cleanup_(freep) char *kept = NULL;

        if (group)
                return group;
        kept = kept_name(domain, name);
        group = g_new0(FileGroup, 1);
        group->count = (unsigned)kept_take(kept, group->fds, FILES_MAX);
        if (group->count == 0) {
                group_free(group);
                return NULL;
        }
        group_set(machine, name, group);
        return group;
}

void file_groups_forget(const Domain *domain)
{
        _cleanup_(freep) char *prefix = kept_prefix(domain);

        kept_drop(prefix);
}

static unsigned count_of_owner(const Domain *domain)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains =
                object_table_list(domain->object.driver->objects, OBJECT_DOMAIN);
        unsigned count = 0;

        for (unsigned i = 0; i < domains->len; i++) {
                const Domain *other = domains->pdata[i];
                GHashTable *groups = machine_of(other)->file_groups;
                GHashTableIter at;
                void *group;

                if (!groups || other->object.owner != domain->object.owner)
                        continue;
                g_hash_table_iter_init(&at, groups);
                while (g_hash_table_iter_next(&at, NULL, &group))
                        count += ((const FileGroup *)group)->count;
        }
        return count;
}

static const char *kind_of(mode_t mode)
{
        return S_ISDIR(mode)    ? "a folder"
               : S_ISBLK(mode)  ? "a block device"
               : S_ISCHR(mode)  ? "a character device"
               : S_ISFIFO(mode) ? "a pipe"
               : S_ISSOCK(mode) ? "a socket"
                                : "no file with data";
}

static int check_file(size_t number, int fd, Error *error)
{
        int flags = fcntl(fd, F_GETFL);
        struct stat status;

        if (flags < 0 || fstat(fd, &status) < 0)
                return error_set_errno(error, errno, "AssociateFiles: cannot look at file %zu", number);
        if (!S_ISREG(status.st_mode))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "AssociateFiles: file %zu is %s: a regular file is needed", number,
                                 kind_of(status.st_mode));
        if (flags & O_PATH || (flags & O_ACCMODE) == O_WRONLY)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "AssociateFiles: file %zu is not open for reading", number);
        if (flags & O_APPEND)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "AssociateFiles: file %zu is open for appending: nothing else could be "
                                 "written to it",
                                 number);
        return 0;
}

static int check_files(const Domain *domain, const char *name, const int *files, size_t n_files,
                       Error *error)
{
        const FileGroup *present = find(domain, name);
        struct stat first, other;
        int r = 0;

        if (!*name || strlen(name) > NAME_LENGTH_MAX)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "AssociateFiles: the name of a group has 1 to %d bytes", NAME_LENGTH_MAX);
        if (n_files > FILES_MAX)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "AssociateFiles: %zu files, at most %d make a group: one that is open for "
                                 "reading, one for writing too",
                                 n_files, FILES_MAX);
        if (count_of_owner(domain) - (present ? present->count : 0) + n_files > OWNER_FILES_MAX)
                return error_set(error, ERROR_LIMITS_EXCEEDED,
                                 "AssociateFiles: the machines of one user hold at most %d files",
                                 OWNER_FILES_MAX);
        for (size_t i = 0; r >= 0 && i < n_files; i++)
                r = check_file(i, files[i], error);
        if (r < 0 || n_files < 2)
                return r;
        if (fstat(files[0], &first) < 0 || fstat(files[1], &other) < 0 || first.st_dev != other.st_dev ||
            first.st_ino != other.st_ino)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "AssociateFiles: files 0 and 1 are not the same file");
        return 0;
}

static int group_new(const int *files, size_t n_files, FileGroup **ret_group, Error *error)
{
        _cleanup_(group_freep) FileGroup *group = g_new0(FileGroup, 1);

        for (size_t i = 0; i < n_files; i++) {
                int fd = fcntl(files[i], F_DUPFD_CLOEXEC, 3);

                if (fd < 0)
                        return error_set_errno(error, errno, "AssociateFiles: cannot keep file %zu", i);
                group->fds[group->count++] = fd;
        }
        *ret_group = TAKE_PTR(group);
        return 0;
}

int qemu_domain_associate_files(Call *call, Domain *domain, const char *name, const int *files,
                                size_t n_files, Error *error)
{
        Machine *machine = machine_of(domain);
        _cleanup_(freep) char *kept = kept_name(domain, name);
        FileGroup *group = NULL;
        int r = domain_check_inactive(domain, error);

        (void)call;
        if (r >= 0)
                r = check_files(domain, name, files, n_files, error);
        if (r >= 0 && n_files > 0)
                r = group_new(files, n_files, &group, error);
        if (r < 0)
                return r;
        kept_drop(kept);
        if (group) {
                kept_put(kept, group->fds, group->count);
                group_set(machine, name, group);
        } else if (machine->file_groups) {
                g_hash_table_remove(machine->file_groups, name);
        }
        return 0;
}

/* QEMU looks for exactly the mode that it wants. */
int file_groups_open(const Domain *domain, const char *name, bool is_writable, Error *error)
{
        const FileGroup *group = find(domain, name);
        int mode = is_writable ? O_RDWR : O_RDONLY;

        if (!group)
                return error_set(
                        error, ERROR_OPERATION_INVALID,
                        "The %s has no files for fdgroup='%s': AssociateFiles gives it some, and they "
                        "outlast the daemon only where systemd started it",
                        object_describe((Object *)&domain->object), name);
        for (unsigned i = 0; i < group->count; i++) {
                int fd;

                if ((fcntl(group->fds[i], F_GETFL) & O_ACCMODE) != mode)
                        continue;
                fd = fcntl(group->fds[i], F_DUPFD_CLOEXEC, 3);
                return fd < 0 ? error_set_errno(error, errno, "Cannot pass the file of fdgroup='%s' on",
                                                name)
                              : fd;
        }
        return error_set(error, ERROR_OPERATION_INVALID,
                         "The %s uses fdgroup='%s' %s: no file of the group is open so",
                         object_describe((Object *)&domain->object), name,
                         is_writable ? "for reading and writing" : "for reading only");
}
