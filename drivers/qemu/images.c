/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two machines have one image if it is one file, whatever they call it. Nothing is kept of it: what runs is
 * asked anew at each start, so that it is true after a restart of the daemon, too. */

#include "drivers/qemu/images.h"
#include "core/worker.h"
#include "drivers/qemu/file-groups.h"
#include "drivers/qemu/machine.h"
#include "drivers/qemu/volume-disks.h"
#include "model/disk-chain.h"
#include <sys/stat.h>

typedef struct UsedImage {
        char *path, *target;
        int fd;               /* of a group of files; negative: it is found by its path */
        const Domain *domain; /* counted; NULL: the one that starts */
        bool is_writer, is_shareable;
        bool is_there;
        dev_t device;
        ino_t inode;
} UsedImage;

typedef struct Check {
        GArray *images; /* of UsedImage, those of the one that starts first */
        unsigned n_own;
} Check;

static void image_clear(void *data)
{
        UsedImage *image = data;

        closep(&image->fd);
        g_free(image->path);
        g_free(image->target);
        if (image->domain)
                object_unref((Object *)&image->domain->object);
}

static void check_free(void *data)
{
        Check *check = data;

        g_array_unref(check->images);
        g_free(check);
}

static void check_freep(Check **check)
{
        if (*check)
                check_free(*check);
}

static void add(Check *check, const Domain *of, const Domain *named, const DomainDisk *disk,
                const DiskSource *source, bool is_writer)
{
        char *path = volume_disks_path(of->object.driver, source, of->object.owner);
        UsedImage image = { .path = path,
                            .fd = source->fd_group ? file_groups_open(of, source->fd_group, is_writer, NULL)
                                                   : -EBADF,
                            .target = g_strdup(disk->target),
                            .domain = named,
                            .is_writer = is_writer,
                            .is_shareable = disk->shareable };

        if (named)
                (void)object_ref((Object *)&named->object);
        if (path && (!source->fd_group || image.fd >= 0)) /* whoever opens it says what is missing */
                g_array_append_val(check->images, image);
        else
                image_clear(&image);
}

/* `without`: the target of a disk of which the place that it is copied to is left out; NULL: none. */
static void add_all(Check *check, const Domain *of, const Domain *named, const DomainDefinition *definition,
                    const char *without)
{
        LIST_FOREACH (disk, definition->devices.disks) {
                bool is_writer = !disk->readonly && disk->device != DISK_DEVICE_CDROM && !disk->transient;

                add(check, of, named, disk, &disk->source, is_writer);
                for (const DiskBacking *backing = disk->backing; backing; backing = backing->backing)
                        add(check, of, named, disk, &backing->source, false);
                if (disk->mirror &&
                    g_strcmp0(disk->target, without) != 0) /* what it is copied or merged to */
                        add(check, of, named, disk, &disk->mirror->source, true);
        }
}

/* Of two that start at the same time the later one is refused. */
static bool is_before(const Domain *other, const Domain *domain, const DomainDefinition *definition)
{
        const Machine *machine = machine_of(other);

        if (other == domain || machine->phase == MACHINE_OFF)
                return false;
        return machine->phase == MACHINE_RUNNING || !machine->pending ||
               machine->pending->id < definition->id;
}

static Check *check_make(void)
{
        Check *check = g_new0(Check, 1);

        check->images = g_array_new(false, false, sizeof(UsedImage));
        g_array_set_clear_func(check->images, image_clear);
        return check;
}

static Check *check_new(const Domain *domain, const DomainDefinition *definition)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains =
                object_table_list(domain->object.driver->objects, OBJECT_DOMAIN);
        Check *check = check_make();

        add_all(check, domain, NULL, definition, NULL);
        check->n_own = check->images->len;
        for (unsigned i = 0; check->n_own > 0 && i < domains->len; i++) {
                const Domain *other = domains->pdata[i];
                const DomainDefinition *live = other->live ? other->live : machine_of(other)->pending;

                if (live && is_before(other, domain, definition))
                        add_all(check, other, other, live, NULL);
        }
        return check;
}

static int look(void *data)
{
        Check *check = data;

        for (unsigned i = 0; i < check->images->len; i++) {
                UsedImage *image = &g_array_index(check->images, UsedImage, i);
                struct stat status;

                if ((image->fd >= 0 ? fstat(image->fd, &status) : stat(image->path, &status)) < 0)
                        continue; /* whoever opens it says so */
                image->is_there = S_ISREG(status.st_mode) || S_ISBLK(status.st_mode);
                image->device = S_ISBLK(status.st_mode) ? status.st_rdev : status.st_dev;
                image->inode = S_ISBLK(status.st_mode) ? 0 : status.st_ino;
        }
        return 0;
}

static int compare(const Domain *domain, const UsedImage *own, const UsedImage *other, Error *error)
{
        if (!own->is_there || !other->is_there || own->device != other->device || own->inode != other->inode)
                return 0;
        if ((!own->is_writer && !other->is_writer) || (own->is_shareable && other->is_shareable))
                return 0;
        /* Others' machines are nobody's business. */
        return error_set(error, ERROR_OPERATION_INVALID,
                         "The disk %s is '%s', which %s uses: both need <shareable/>, or both <readonly/>",
                         own->target, own->path,
                         other->domain->object.owner == domain->object.owner
                                 ? object_describe((Object *)&other->domain->object)
                                 : "another user's machine");
}

/* Of the first with the others; takes the check over. */
static int run(const Domain *domain, Check *owned, uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(check_freep) Check *check = owned;
        int r;

        if (check->images->len == check->n_own)
                return 0;
        r = worker_run(look, check, check_free, deadline_usec);
        if (r == -ETIMEDOUT || r == -ECANCELED) {
                (void)TAKE_PTR(check); /* the thread has it still */
                return error_set(error, r == -ETIMEDOUT ? ERROR_TIMED_OUT : ERROR_CANCELLED,
                                 "Looking at the images of the %s took too long",
                                 object_describe((Object *)&domain->object));
        }
        for (unsigned i = 0; r >= 0 && i < check->n_own; i++)
                for (unsigned k = check->n_own; r >= 0 && k < check->images->len; k++)
                        r = compare(domain, &g_array_index(check->images, UsedImage, i),
                                    &g_array_index(check->images, UsedImage, k), error);
        return r;
}

int images_check(const Domain *domain, const DomainDefinition *definition, uint64_t deadline_usec,
                 Error *error)
{
        return run(domain, check_new(domain, definition), deadline_usec, error);
}

int images_check_copy(const Domain *domain, const DomainDisk *place, bool is_own, uint64_t deadline_usec,
                      Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains =
                object_table_list(domain->object.driver->objects, OBJECT_DOMAIN);
        Check *check = check_make();

        add(check, domain, NULL, place, &place->source, true);
        check->n_own = check->images->len;
        for (unsigned i = 0; i < domains->len; i++) {
                const Domain *other = domains->pdata[i];
                const DomainDefinition *live = other->live ? other->live : machine_of(other)->pending;

                if (live && other != domain)
                        add_all(check, other, other, live, NULL);
        }
        if (domain->live && !is_own)
                add_all(check, domain, domain, domain->live, place->target);
        return run(domain, check, deadline_usec, error);
}
