/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files of a folder that somebody else writes to, too: whatever a name becomes between two looks at it,
 * nothing outside of the folder is opened. */

#include "drivers/storage/files.h"
#include "drivers/storage/part.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define TRIES 100000

typedef struct Race {
        int folder;
        atomic_bool ends;
} Race;

static void put_file(int folder)
{
        int fd = openat(folder, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        if (fd >= 0)
                (void)close(fd);
        (void)renameat(folder, "new", folder, "a");
}

/* The name is a file, a link to the one outside, a FIFO, in turn. */
static void *swap(void *data)
{
        Race *race = data;

        while (!race->ends) {
                put_file(race->folder);
                if (symlinkat("../outside", race->folder, "new") == 0)
                        (void)renameat(race->folder, "new", race->folder, "a");
                put_file(race->folder);
                if (mkfifoat(race->folder, "new", 0600) == 0)
                        (void)renameat(race->folder, "new", race->folder, "a");
        }
        return NULL;
}

/* As a new volume and an upload: both give the name's file another mode, size and name. */
static void make_and_replace(int folder)
{
        const StoragePermissions permissions = { .has_mode = true, .mode = 0666 };
        _cleanup_(freep) char *part = part_name();
        _cleanup_(closep) int part_fd = -EBADF, present_fd = -EBADF;

        (void)files_make_raw(folder, "a", 4096, 4096, false, NULL);
        if (files_commit(folder, "a", "b", &permissions, NULL) >= 0)
                (void)files_remove(folder, "b", false, NULL);
        if (files_lock(folder, "a", false, &present_fd, NULL) >= 0 &&
            part_create(folder, part, &part_fd, NULL) >= 0 &&
            part_replace(folder, part, part_fd, "a", present_fd, 8192, NULL) < 0)
                files_drop(folder, part);
        closep(&part_fd);
        part_fd = -EBADF;
        (void)files_tidy(folder, NULL);
}

/* How often it was a file of the folder. */
static unsigned try_all(int folder, const struct stat *outside)
{
        unsigned n = 0;

        for (unsigned i = 0; i < TRIES; i++) {
                _cleanup_(file_entry_freep) FileEntry *entry = NULL;
                _cleanup_(closep) int fd = -EBADF;
                struct stat status;

                if (i % 2 == 0) {
                        if (files_look(folder, "a", &entry, NULL) < 0)
                                continue;
                        status = entry->stat;
                } else if (files_lock(folder, "a", i % 4 == 1, &fd, NULL) < 0 || fstat(fd, &status) < 0) {
                        continue;
                }
                assert_true(S_ISREG(status.st_mode));
                assert_int_not_equal(status.st_ino, outside->st_ino);
                n++;
                if (i % 64 == 0)
                        (void)files_resize_raw(folder, "a", 0, 4096, false, NULL);
                if (i % 64 == 1)
                        (void)files_remove(folder, "a", false, NULL);
                if (i % 64 == 3)
                        make_and_replace(folder);
        }
        return n;
}

static void links_are_not_followed(void **state)
{
        char path[] = "/tmp/virtbus-files-XXXXXX";
        _cleanup_(freep) char *inner = NULL, *outer = NULL;
        struct stat before, after;
        pthread_t thread;
        Race race = {};

        (void)state;
        assert_non_null(g_mkdtemp(path));
        inner = g_build_filename(path, "pool", NULL);
        outer = g_build_filename(path, "outside", NULL);
        assert_int_equal(g_mkdir(inner, 0700), 0);
        assert_true(g_file_set_contents(outer, "secret", 6, NULL));
        assert_int_equal(stat(outer, &before), 0);
        race.folder = open(inner, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(race.folder >= 0);
        assert_int_equal(pthread_create(&thread, NULL, swap, &race), 0);
        assert_true(try_all(race.folder, &before) > 0);
        race.ends = true;
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(stat(outer, &after), 0);
        assert_int_equal(after.st_size, before.st_size);
        assert_int_equal(after.st_mode, before.st_mode);
        assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
        (void)unlinkat(race.folder, "a", 0);
        (void)unlinkat(race.folder, "b", 0);
        (void)unlinkat(race.folder, "new", 0);
        (void)close(race.folder);
        g_unlink(outer);
        g_rmdir(inner);
        g_rmdir(path);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(links_are_not_followed) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
