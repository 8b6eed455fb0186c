/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/look.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "core/worker.h"
#include "drivers/storage/device.h"
#include "drivers/storage/lock.h"
#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define TIMEOUT_USEC (20 * G_USEC_PER_SEC)
#define MOUNTS_FILE  "/proc/self/mountinfo"

/* All that a worker needs is its own, for it may be left behind. */
typedef struct Question {
        int (*ask)(struct Question *question);
        char *path, *other, *answer;
} Question;

static void question_free(void *data)
{
        Question *question = data;

        g_free(question->path);
        g_free(question->other);
        g_free(question->answer);
        g_free(question);
}

static int ask_step(void *data)
{
        Question *question = data;
        int r = question->ask(question);

        return r == -ETIMEDOUT ? -EIO : r; /* -ETIMEDOUT is the deadline's alone */
}

/* The step's result; *ret_answer is the caller's. */
static int look_ask(int (*ask)(Question *question), const char *path, const char *other,
                    char **ret_answer) AWAITS
{
        Question *question = g_new0(Question, 1);
        int r;

        *question = (Question){ .ask = ask, .path = g_strdup(path), .other = g_strdup(other) };
        r = worker_run(ask_step, question, question_free, deadline_after_usec(TIMEOUT_USEC));
        if (r == -ETIMEDOUT || r == -ECANCELED)
                return r;
        if (r >= 0 && ret_answer)
                *ret_answer = TAKE_PTR(question->answer);
        question_free(question);
        return r;
}

/* What the kernel knows of use, and what machines say by their locks; *ret_number is the device's. */
static int check_unused(const char *path, dev_t *ret_number)
{
        _cleanup_(closep) int fd = device_open(path, O_RDWR);
        struct stat stat;

        if (fd < 0 || fstat(fd, &stat) < 0)
                return fd < 0 ? fd : -errno;
        *ret_number = stat.st_rdev;
        return image_lock(fd, true);
}

/* Not exclusive: its partitions may be mounted. */
static int disk_ask(Question *question)
{
        _cleanup_(closep) int fd = device_open(question->path, O_RDONLY);

        return fd < 0 ? fd : image_lock(fd, false);
}

/* By the kernel's name of the device. The caller frees. */
static char *path_of(const char *name)
{
        return g_strdelimit(g_build_filename("/dev", name, NULL), "!", '/');
}

/* The partitions of the device, if it is a disk. */
static int check_parts(const char *folder)
{
        GDir *parts = g_dir_open(folder, 0, NULL);
        const char *name;
        dev_t number;
        int r = 0;

        while (r >= 0 && parts && (name = g_dir_read_name(parts))) {
                _cleanup_(freep) char *mark = g_build_filename(folder, name, "partition", NULL),
                                      *path = path_of(name);

                if (g_file_test(mark, G_FILE_TEST_EXISTS))
                        r = check_unused(path, &number);
                if (r == -ENOENT || r == -ENXIO)
                        r = 0; /* gone meanwhile */
        }
        if (parts)
                g_dir_close(parts);
        return r;
}

/* The disk of the device, if it is a partition. */
static int check_disk(const char *folder)
{
        _cleanup_(freep) char *mark = g_build_filename(folder, "partition", NULL), *place = NULL,
                              *above = NULL, *name = NULL, *path = NULL;

        if (!g_file_test(mark, G_FILE_TEST_EXISTS))
                return 0;
        place = g_file_read_link(folder, NULL);
        if (!place)
                return -ENOENT;
        above = g_path_get_dirname(place);
        name = g_path_get_basename(above);
        path = path_of(name);
        return disk_ask(&(Question){ .path = path });
}

/* A machine's lock of a partition is not one of the whole disk, nor the other way round. */
static int unused_ask(Question *question)
{
        _cleanup_(freep) char *folder = NULL;
        dev_t number;
        int r = check_unused(question->path, &number);

        if (r < 0)
                return r;
        folder = g_strdup_printf("/sys/dev/block/%u:%u", major(number), minor(number));
        r = check_disk(folder);
        return r < 0 ? r : check_parts(folder);
}

static int ask_use(int (*ask)(Question *question), const char *pool, const char *path, Error *error) AWAITS
{
        int r;

        if (path[0] != '/')
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "pool '%s': '%s' is no absolute path of a block device", pool, path);
        r = look_ask(ask, path, NULL, NULL);
        if (r == -ETXTBSY)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "pool '%s': the device '%s' is in use: mounted, a part of another device, "
                                 "or a running machine's",
                                 pool, path);
        if (r == -ENOTBLK || r == -EISDIR)
                return error_set(error, ERROR_OPERATION_INVALID, "pool '%s': '%s' is no block device", pool,
                                 path);
        return r < 0 ? error_set_errno(error, r, "pool '%s': cannot use the device '%s'", pool, path) : 0;
}

int look_unused_device(const char *pool, const char *path, Error *error)
{
        return ask_use(unused_ask, pool, path, error);
}

int look_disk(const char *pool, const char *path, Error *error)
{
        return ask_use(disk_ask, pool, path, error);
}

DEFINE_FOREIGN_CLEANUP(struct blkid_struct_probe, blkid_free_probe)

/* The file is opened by us, so that nothing but a device is. */
static int signature_ask(Question *question)
{
        _cleanup_(closep) int fd = device_open(question->path, O_RDONLY);
        _cleanup_(blkid_free_probep) struct blkid_struct_probe *probe = blkid_new_probe();
        const char *what;
        int r;

        if (fd < 0)
                return fd;
        if (!probe || blkid_probe_set_device(probe, fd, 0, 0) < 0)
                return -EIO;
        (void)blkid_probe_enable_superblocks(probe, 1);
        (void)blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE);
        (void)blkid_probe_enable_partitions(probe, 1);
        r = blkid_do_safeprobe(probe);
        if (r == 1)
                return 0;
        if (r == -2)
                what = "more than one file system";
        else if (r < 0)
                return -EIO;
        else if (blkid_probe_lookup_value(probe, "TYPE", &what, NULL) < 0 &&
                 blkid_probe_lookup_value(probe, "PTTYPE", &what, NULL) < 0)
                what = "something";
        question->answer = g_strdup(what);
        return 1;
}

int look_empty_device(const char *pool, const char *path, Error *error)
{
        _cleanup_(freep) char *what = NULL;
        int r = look_ask(signature_ask, path, NULL, &what);

        if (r < 0)
                return error_set_errno(error, r, "pool '%s': cannot look at what is on '%s'", pool, path);
        return r == 0 ? 0
                      : error_set(
                                error, ERROR_OPERATION_INVALID,
                                "pool '%s': there is %s on the device '%s': the flag OVERWRITE destroys it",
                                pool, what, path);
}

DEFINE_FOREIGN_CLEANUP(struct libmnt_table, mnt_unref_table)

static int mount_ask(Question *question)
{
        _cleanup_(mnt_unref_tablep) struct libmnt_table *table = mnt_new_table_from_file(MOUNTS_FILE);
        struct libmnt_fs *found;

        if (!table)
                return -EIO;
        found = mnt_table_find_target(table, question->path, MNT_ITER_BACKWARD);
        if (!found)
                return 0;
        question->answer = g_strdup(mnt_fs_get_source(found) ? mnt_fs_get_source(found) : "none");
        return 1;
}

int look_mount(const char *target, char **ret_source, Error *error)
{
        int r = look_ask(mount_ask, target, NULL, ret_source);

        return r < 0 ? error_set_errno(error, r, "Cannot see what is mounted at '%s'", target) : r;
}

static int same_ask(Question *question)
{
        struct stat a, b;

        if (stat(question->path, &a) < 0 || stat(question->other, &b) < 0)
                return errno == ENOENT ? 0 : -errno;
        return S_ISBLK(a.st_mode) && S_ISBLK(b.st_mode) && a.st_rdev == b.st_rdev;
}

int look_is_same_device(const char *a, const char *b, Error *error)
{
        int r = look_ask(same_ask, a, b, NULL);

        return r < 0 ? error_set_errno(error, r, "Cannot look at '%s' and '%s'", a, b) : r;
}

static int stable_ask(Question *question)
{
        struct stat device, link;
        DIR *folder;

        if (stat(question->other, &device) < 0)
                return -errno;
        question->answer = g_strdup(question->other);
        folder = opendir(question->path);
        if (!folder)
                return 0;
        for (struct dirent *found; (found = readdir(folder));) {
                if (found->d_type != DT_LNK || fstatat(dirfd(folder), found->d_name, &link, 0) < 0 ||
                    !S_ISBLK(link.st_mode) || link.st_rdev != device.st_rdev)
                        continue;
                g_free(question->answer);
                question->answer = g_build_filename(question->path, found->d_name, NULL);
                break;
        }
        closedir(folder);
        return 0;
}

int look_stable_path(const char *folder, const char *device, char **ret_path, Error *error)
{
        int r = look_ask(stable_ask, folder, device, ret_path);

        return r < 0 ? error_set_errno(error, r, "Cannot look for '%s' in '%s'", device, folder) : 0;
}
