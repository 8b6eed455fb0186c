/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The unfinished name is drawn by lot, so that what has it is ours without having been looked at. What has
 * the final name is ours only if it is the same file as was noted when it was whole. */

#include "drivers/qemu/memory-file.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/worker.h"
#include "drivers/qemu/keep.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/pivot.h"
#include "drivers/qemu/save-file.h"
#include "drivers/qemu/status.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_own(const Domain *domain, Error *error)
{
        return keep_open(domain, KEEP_SAVE, (uid_t)-1, (gid_t)-1, error);
}

/* What a daemon that was killed has left goes, but no memory that is whole: it may be all that there is of a
 * run that is over. */
static int check_own(const Domain *domain, Error *error) AWAITS
{
        _cleanup_(closep) int folder = open_own(domain, error), fd = -EBADF;
        _cleanup_(save_file_clear) SaveFile file = {};
        int r;

        if (folder < 0)
                return folder;
        fd = openat(folder, MEMORY_FILE_OWN_PART, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return 0;
        r = fd < 0 ? error_set_errno(error, errno, "Cannot open it") : save_file_read(fd, &file, error);
        if (r == SAVE_FILE_WRONG) {
                error_clear(error);
                (void)unlinkat(folder, MEMORY_FILE_OWN_PART, 0); /* else it cannot be created */
                return 0;
        }
        if (r >= 0)
                r = error_set(error, ERROR_EXISTS, "it is all there, ManagedSaveRemove throws it away");
        error_prefix(error, "The memory of an earlier run of the %s is left in save/" MEMORY_FILE_OWN_PART,
                     object_describe(&domain->object));
        return r;
}

static int create_own(const Domain *domain, Error *error)
{
        _cleanup_(closep) int folder = open_own(domain, error);
        int fd;

        if (folder < 0)
                return folder;
        fd = openat(folder, MEMORY_FILE_OWN_PART, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd >= 0 ? fd
                       : error_set_errno(error, errno, "Cannot create a file for the memory of the %s",
                                         object_describe(&domain->object));
}

static int place_own(const Domain *domain, Error *error)
{
        _cleanup_(closep) int folder = open_own(domain, error);

        if (folder < 0)
                return folder;
        if (renameat(folder, MEMORY_FILE_OWN_PART, folder, MEMORY_FILE_OWN) < 0 || fsync(folder) < 0)
                return error_set_errno(error, errno, "Cannot keep the memory of the %s",
                                       object_describe(&domain->object));
        return 0;
}

int memory_file_begin(Domain *domain, const char *path, bool ends_run, Error *error)
{
        Machine *machine = machine_of(domain);
        int r = pivot_check(domain, error); /* who was told to go on would */

        if (r >= 0 && path && !ends_run)
                r = owner_files_check_free(domain, path, error);
        if (r >= 0 && !path)
                r = check_own(domain, error);
        if (r < 0)
                return r;
        memory_file_forget(domain);
        machine->memory_file = g_new0(MemoryFile, 1);
        machine->memory_file->path = g_strdup(path);
        if (path)
                machine->memory_file->part =
                        g_strdup_printf("%s.virtbus-%08x%08x", path, g_random_int(), g_random_int());
        machine->memory_file->was_running = domain->state == DOMAIN_STATE_RUNNING;
        machine->memory_file->ends_run = ends_run;
        r = status_save(domain, error);
        if (r >= 0)
                r = path ? owner_files_create(domain, machine->memory_file->part, error)
                         : create_own(domain, error);
        if (r < 0)
                memory_file_give_up(domain);
        return r;
}

static bool is_placed(const Domain *domain, const MemoryFile *file) AWAITS
{
        _cleanup_(closep) int folder = file->path ? -EBADF : open_own(domain, NULL),
                              fd = file->path ? owner_files_open(domain, file->path, false, NULL)
                                              : openat(folder, MEMORY_FILE_OWN,
                                                       O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;

        return fd >= 0 && fstat(fd, &status) >= 0 && status.st_dev == file->device &&
               status.st_ino == file->inode;
}

int memory_file_place(Domain *domain, Error *error)
{
        const MemoryFile *file = machine_of(domain)->memory_file;

        if (is_placed(domain, file))
                return 0;
        return file->path ? owner_files_rename(domain, file->part, file->path, file->ends_run, error)
                          : place_own(domain, error);
}

static int sync_file(void *data)
{
        return fsync(*(const int *)data) < 0 ? -errno : 0;
}

int memory_file_keep(Domain *domain, int fd, Error *error)
{
        MemoryFile *file = machine_of(domain)->memory_file;
        struct stat status;
        int r = worker_finish(sync_file, &fd); /* what QEMU wrote by itself was not */

        if (r < 0)
                return error_set_errno(error, r, "Cannot sync the file");
        if (fstat(fd, &status) < 0)
                return error_set_errno(error, errno, "Cannot look at the file");
        file->device = status.st_dev;
        file->inode = status.st_ino;
        file->point = MEMORY_FILE_WHOLE;
        r = status_save(domain, error);
        return r < 0 ? r : memory_file_place(domain, error);
}

void memory_file_remove(const Domain *domain)
{
        const MemoryFile *file = machine_of(domain)->memory_file;
        const bool is_whole = file->point == MEMORY_FILE_WHOLE;
        _cleanup_(error_clear) Error error = {};
        int r = 0;

        if (file->point == MEMORY_FILE_KEPT)
                return;
        if (!file->path) {
                _cleanup_(closep) int folder = open_own(domain, &error);

                if (folder < 0)
                        log_warning(domain->object.path, "%s", error.message);
                (void)unlinkat(folder, MEMORY_FILE_OWN_PART, 0); /* there is one of them at most */
                if (is_whole)
                        (void)unlinkat(folder, MEMORY_FILE_OWN, 0);
                return;
        }
        r = owner_files_remove(domain, file->part, &error);
        if (r >= 0 && is_whole)
                r = owner_files_remove_same(domain, file->path, file->device, file->inode, &error);
        if (r < 0)
                log_warning(domain->object.path, "%s", error.message);
}

void memory_file_forget(Domain *domain)
{
        machine_of(domain)->memory_file = memory_file_free(machine_of(domain)->memory_file);
}

static void save_note(Domain *domain)
{
        _cleanup_(error_clear) Error error = {};

        if (status_save(domain, &error) < 0) /* the next daemon lets the guest go on once more */
                log_warning(domain->object.path, "%s", error.message);
}

static int resume(const Domain *domain, Error *error)
{
        return machine_of(domain)->memory_file->was_running && machine_has_monitor(machine_of(domain))
                       ? machine_command(domain, "cont", NULL, NULL, error)
                       : 0;
}

void memory_file_give_up(Domain *domain)
{
        MemoryFile *file = machine_of(domain)->memory_file;
        const bool was_cancelled = fiber_is_cancelled(fiber_current());

        if (!file)
                return;
        fiber_clear_cancel();
        if (file->ends_run && file->point == MEMORY_FILE_WHOLE) {
                file->ends_run = false; /* the next daemon would take it for a reason to end the run */
                save_note(domain);
        }
        memory_file_remove(domain);
        (void)resume(domain, NULL); /* if QEMU is gone, there is nothing to go on */
        memory_file_forget(domain);
        save_note(domain);
        if (was_cancelled)
                fiber_cancel(fiber_current());
}

int memory_file_end(Domain *domain, bool goes_on, Error *error)
{
        const bool was_cancelled = fiber_is_cancelled(fiber_current());
        int r = 0;

        fiber_clear_cancel();
        if (goes_on) {
                r = resume(domain, error);
                memory_file_forget(domain);
        } else {
                machine_of(domain)->memory_file->point = MEMORY_FILE_KEPT;
        }
        save_note(domain);
        if (was_cancelled)
                fiber_cancel(fiber_current());
        return r;
}
