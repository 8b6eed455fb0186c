/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/snapshots.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/store.h"
#include "core/worker.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER    "snapshot"
#define SUFFIX    ".xml"
#define NVRAM_MAX (64u * 1024 * 1024)

static int open_folder(const QemuDriver *qemu, Error *error)
{
        _cleanup_(freep) char *path =
                g_build_filename(qemu->driver->config->config_dir, "qemu", FOLDER, NULL);

        return store_open_folder(path, 0700, error);
}

/* The mark stays until somebody says that it ends, or its record goes. */
static DomainSnapshot *reverting_after(const Domain *domain, const SnapshotChange *change)
{
        DomainSnapshot *snapshot =
                change->reverting ? change->reverting : machine_of(domain)->pending_revert;

        return !snapshot || change->ends_reverting || forest_is_removed(change, snapshot) ? NULL : snapshot;
}

static void write_one(const SnapshotChange *change, DomainSnapshot *snapshot, bool is_current,
                      const char *pending, XmlWriter *writer)
{
        /* Only its parent may differ from what stays in memory. */
        SnapshotDefinition definition = *forest_definition(change, snapshot);
        const DomainSnapshot *parent =
                definition.parent
                        ? forest_nearest(change, snapshot_find(snapshot->domain, definition.parent))
                        : NULL;

        definition.parent = parent ? parent->object.name : NULL;
        xml_writer_open(writer, "snapshot");
        if (is_current)
                xml_writer_attribute(writer, "current", "yes");
        if (pending)
                xml_writer_attribute(writer, "pending", pending);
        if (snapshot == reverting_after(snapshot->domain, change))
                xml_writer_attribute(writer, "reverting", "yes");
        if (snapshot->nvram_file)
                xml_writer_attribute(writer, "nvram", snapshot->nvram_file);
        snapshot_definition_write(&definition, writer, DEFINITION_SECURE);
        xml_writer_close(writer);
}

static char *format(const Domain *domain, const SnapshotChange *change)
{
        const DomainSnapshot *current = forest_current(domain, change);
        const Machine *machine = machine_of(domain);
        XmlWriter *writer = xml_writer_new();

        xml_writer_open(writer, "snapshots");
        for (unsigned i = 0; i < domain->snapshots->len; i++) {
                DomainSnapshot *snapshot = domain->snapshots->pdata[i];

                if (!forest_is_removed(change, snapshot))
                        write_one(change, snapshot, snapshot == current, NULL, writer);
        }
        if (change->add)
                write_one(change, change->add, change->add == current, change->pending, writer);
        if (machine->pending_snapshot) /* nobody knows yet what became of it */
                write_one(change, machine->pending_snapshot, false,
                          machine->pending_images_made ? SNAPSHOT_PENDING_MADE : SNAPSHOT_PENDING, writer);
        xml_writer_close(writer);
        return xml_writer_finish(writer);
}

static void remove_nvram(int folder, const DomainSnapshot *snapshot) AWAITS
{
        if (snapshot->nvram_file && store_remove(folder, snapshot->nvram_file, NULL) < 0)
                log_warning(snapshot->object.path, "cannot remove %s", snapshot->nvram_file);
}

static int save(const Domain *domain, int folder, const SnapshotChange *change, Error *error) AWAITS
{
        _cleanup_(freep) char *name = g_strconcat(domain->object.uuid, SUFFIX, NULL), *text = NULL;
        unsigned n = domain->snapshots->len + (change->add ? 1 : 0) +
                     (machine_of(domain)->pending_snapshot ? 1 : 0);

        if (n == (change->removed ? change->removed->len : 0))
                return store_remove(folder, name, error);
        text = format(domain, change);
        if (strlen(text) > XML_SIZE_MAX)
                return error_set(
                        error, ERROR_LIMITS_EXCEEDED,
                        "The records of the snapshots of the %s would have %zu bytes, at most %u are "
                        "possible",
                        object_describe(&domain->object), strlen(text), XML_SIZE_MAX);
        return store_write(folder, name, text, strlen(text), 0600, error);
}

/* As it is in the file. */
static void set_reverting(Domain *domain, DomainSnapshot *snapshot)
{
        DomainSnapshot *before = machine_of(domain)->pending_revert;

        machine_of(domain)->pending_revert = snapshot ? snapshot_ref(snapshot) : NULL;
        snapshot_unref(before);
}

int snapshots_change(Domain *domain, const SnapshotChange *change, Error *error)
{
        _cleanup_(closep) int folder = open_folder(qemu_driver_of(domain), error);
        int r = folder < 0 ? folder : save(domain, folder, change, error);

        if (r < 0) {
                error_prefix(error, "Cannot save the snapshots of the %s", object_describe(&domain->object));
                return r;
        }
        set_reverting(domain, reverting_after(domain, change));
        if (!change->pending)
                forest_apply(domain, change);
        for (unsigned i = 0; change->removed && i < change->removed->len; i++)
                remove_nvram(folder, change->removed->pdata[i]);
        return 0;
}

int snapshots_forget(Domain *domain, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *all = g_ptr_array_new_with_free_func(object_release);
        _cleanup_(snapshot_unrefp) DomainSnapshot *pending = NULL;
        Machine *machine = machine_of(domain);
        int r;

        if (domain->snapshots->len == 0 && !machine->pending_snapshot)
                return 0;
        for (unsigned i = 0; i < domain->snapshots->len; i++)
                g_ptr_array_add(all, snapshot_ref(domain->snapshots->pdata[i]));
        pending = TAKE_PTR(machine->pending_snapshot);
        r = snapshots_change(domain, &(SnapshotChange){ .removed = all }, error);
        if (r < 0)
                machine->pending_snapshot = TAKE_PTR(pending);
        else if (pending)
                snapshots_drop_nvram(pending);
        return r;
}

int snapshots_save_nvram(DomainSnapshot *snapshot, const char *data, size_t size, Error *error)
{
        _cleanup_(closep) int folder = open_folder(qemu_driver_of(snapshot->domain), error);
        _cleanup_(freep) char *name = g_strdup_printf("%s-%08x%08x.nvram", snapshot->domain->object.uuid,
                                                      g_random_int(), g_random_int());
        int r = folder < 0 ? folder : store_write(folder, name, data, size, 0600, error);

        if (r < 0)
                return r;
        g_free(snapshot->nvram_file);
        snapshot->nvram_file = TAKE_PTR(name);
        return 0;
}

void snapshots_drop_nvram(DomainSnapshot *snapshot)
{
        _cleanup_(closep) int folder = open_folder(qemu_driver_of(snapshot->domain), NULL);

        remove_nvram(folder, snapshot);
        g_clear_pointer(&snapshot->nvram_file, g_free);
}

typedef struct Reading {
        int folder;
        char *name, *data;
        size_t size;
        Error error;
} Reading;

static int read_step(void *data)
{
        Reading *reading = data;

        return store_read(reading->folder, reading->name, NVRAM_MAX, &reading->data, &reading->size,
                          &reading->error);
}

int snapshots_read_nvram(const DomainSnapshot *snapshot, char **ret_data, size_t *ret_size, Error *error)
{
        _cleanup_(closep) int folder = open_folder(qemu_driver_of(snapshot->domain), error);
        _cleanup_(freep) char *name = g_strdup(snapshot->nvram_file);
        Reading reading = { .folder = folder, .name = name };
        int r = folder < 0 ? folder : worker_finish(read_step, &reading);

        if (r < 0) {
                error_move(error, &reading.error);
                return r;
        }
        *ret_data = reading.data;
        *ret_size = reading.size;
        return 0;
}

DomainSnapshot *snapshots_reverting(const Domain *domain)
{
        return machine_of(domain)->pending_revert;
}

DomainSnapshot *snapshots_pending(const Domain *domain)
{
        return machine_of(domain)->pending_snapshot;
}

static bool is_nvram_name(const char *name)
{
        return name && g_str_has_suffix(name, ".nvram") && !strchr(name, '/');
}

static int load_one(Domain *domain, const XmlNode *node, Error *error)
{
        const XmlNode *inner = xml_child(node, "domainsnapshot");
        _cleanup_(snapshot_unrefp) DomainSnapshot *snapshot = NULL;
        void *definition;
        int r;

        if (!inner)
                return error_set(error, ERROR_INVALID_XML, "A <snapshot> is empty");
        r = struct_parse(&snapshot_definition_type, inner, 0, &definition, error);
        if (r < 0)
                return r;
        snapshot = snapshot_new(domain, definition);
        if (is_nvram_name(xml_attribute(node, "nvram")))
                snapshot->nvram_file = g_strdup(xml_attribute(node, "nvram"));
        if (xml_attribute(node, "pending")) {
                snapshot_unref(machine_of(domain)->pending_snapshot);
                machine_of(domain)->pending_snapshot = TAKE_PTR(snapshot);
                machine_of(domain)->pending_images_made =
                        g_strcmp0(xml_attribute(node, "pending"), SNAPSHOT_PENDING_MADE) == 0;
                return 0;
        }
        snapshot->is_current = g_strcmp0(xml_attribute(node, "current"), "yes") == 0;
        r = snapshot_add(snapshot);
        if (r < 0)
                return error_set(error, ERROR_EXISTS, "Snapshot '%s' stands there twice",
                                 snapshot->object.name);
        if (xml_attribute(node, "reverting")) {
                snapshot_unref(machine_of(domain)->pending_revert);
                machine_of(domain)->pending_revert = snapshot_ref(snapshot);
        }
        return 0;
}

static int load_file(Driver *driver, int folder, const char *name, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(freep) char *text = NULL, *uuid = g_strndup(name, strlen(name) - strlen(SUFFIX));
        Domain *domain = (Domain *)object_table_by_uuid(driver->objects, OBJECT_DOMAIN, uuid);
        size_t size;
        int r;

        if (!domain)
                return error_set(error, ERROR_NO_DOMAIN, "There is no machine of that UUID");
        r = store_read(folder, name, XML_SIZE_MAX, &text, &size, error);
        if (r >= 0)
                r = xml_parse_stored(text, size, "snapshots", &document, error);
        if (r < 0)
                return r;
        for (const XmlNode *node = xml_child(xml_document_root(document), "snapshot"); node;
             node = xml_next(node)) {
                _cleanup_(error_clear) Error problem = {};

                if (load_one(domain, node, &problem) >= 0)
                        continue;
                r = -EBADMSG;
                if (!error_is_set(error))
                        error_move(error, &problem); /* the others are read all the same */
        }
        return r;
}

/* The next change replaces the file by what was understood of it. The number makes it another one if the
 * file is another. */
static void keep_damaged(int folder, const char *name)
{
        _cleanup_(freep) char *kept = NULL;
        struct stat status;

        if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return;
        kept = g_strdup_printf("%s.damaged-%llu", name, (unsigned long long)status.st_ino);
        if (linkat(folder, name, folder, kept, 0) < 0 && errno != EEXIST)
                log_error(name, "cannot keep a copy: %s", g_strerror(errno));
}

static int visit(int folder, const char *name, void *data)
{
        Driver *driver = data;
        _cleanup_(error_clear) Error error = {};

        if (load_file(driver, folder, name, &error) >= 0)
                return 0;
        log_error(name, "snapshots in %s/qemu/" FOLDER "/%s are left out, and stay in %s.damaged-...: %s",
                  driver->config->config_dir, name, name, error.message);
        keep_damaged(folder, name);
        return 0;
}

int snapshots_load(Driver *driver, Error *error)
{
        _cleanup_(closep) int folder = open_folder(qemu_driver(driver), error);

        return folder < 0 ? folder : store_visit(folder, SUFFIX, visit, driver, error);
}
