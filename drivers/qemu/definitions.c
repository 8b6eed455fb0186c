/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A file is one <machine> element around the <domain>: what the daemon keeps about a machine is no part of
 * the XML that clients see. The <domain> stands in it as it is formatted, without further indentation,
 * because metadata must survive byte for byte. */

#include "drivers/qemu/definitions.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/store.h"
#include "core/worker.h"
#include "model/table.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SUFFIX   ".xml"
#define FILE_MAX (XML_SIZE_MAX + 4096)

#define SHARES     4
#define SHARED_MIN 64 /* files: below, threads cost more than they save */

char *definitions_format(const DomainDefinition *definition, uid_t owner, bool is_autostart,
                         uint64_t created_usec, uid_t changed_by)
{
        _cleanup_(freep) char *xml =
                domain_definition_format(definition, DEFINITION_INACTIVE | DEFINITION_SECURE);

        return g_strdup_printf("<machine owner='%u' autostart='%s' created='%" PRIu64
                               "' changed-by='%u'>\n%s</machine>\n",
                               owner, is_autostart ? "yes" : "no", created_usec, changed_by, xml);
}

static int parse_number(const XmlNode *node, const char *name, uint64_t max, uint64_t *ret_value,
                        Error *error)
{
        const char *text = xml_attribute(node, name);
        guint64 value;

        if (!text || !g_ascii_string_to_unsigned(text, 10, 0, max, &value, NULL))
                return error_set(error, ERROR_INVALID_XML, "<%s> has no valid '%s'", node->name, name);
        *ret_value = value;
        return 0;
}

int definitions_parse(const char *text, size_t size, StoredDefinition *ret, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        StoredDefinition stored = {};
        const XmlNode *root, *node;
        uint64_t owner = 0, changed_by = 0;
        void *definition;
        int r;

        r = xml_parse_stored(text, size, "definition", &document, error);
        if (r < 0)
                return r;
        root = xml_document_root(document);
        node = xml_child(root, "domain");
        if (strcmp(root->name, "machine") != 0 || !node)
                return error_set(error, ERROR_INVALID_XML, "This is no definition that was stored here");
        r = parse_number(root, "owner", UINT32_MAX - 1, &owner, error);
        if (r >= 0)
                r = parse_number(root, "created", UINT64_MAX, &stored.created_usec, error);
        if (r >= 0 && xml_attribute(root, "changed-by"))
                r = parse_number(root, "changed-by", UINT32_MAX, &changed_by, error);
        else
                changed_by = owner; /* a file from before this was kept */
        if (changed_by == UINT32_MAX)
                changed_by = owner; /* an earlier daemon wrote so when a job of nobody's changed it */
        if (r < 0)
                return r;
        stored.owner = (uid_t)owner;
        stored.changed_by = (uid_t)changed_by;
        stored.is_autostart = g_strcmp0(xml_attribute(root, "autostart"), "yes") == 0;
        r = struct_parse(&domain_definition_type, node, DEFINITION_INACTIVE, &definition, error);
        if (r < 0)
                return r;
        stored.definition = definition;
        *ret = stored;
        return 0;
}

/* What is written is what the next daemon has to read: a definition that only this one understands is
 * refused while its owner is still there to be told. */
static int check_text(const char *text, size_t size, const char *uuid, Error *error)
{
        StoredDefinition again;
        bool is_same;
        int r;

        if (size > FILE_MAX)
                return error_set(error, ERROR_LIMITS_EXCEEDED,
                                 "It takes %zu bytes when it is stored, at most %u are possible", size,
                                 FILE_MAX);
        r = definitions_parse(text, size, &again, error);
        if (r < 0) {
                error_prefix(error, "It could not be read again");
                return r;
        }
        is_same = strcmp(again.definition->uuid, uuid) == 0;
        domain_definition_free(again.definition);
        return is_same ? 0 : error_set(error, ERROR_INTERNAL, "It would be read again with another UUID");
}

/* A file on its way from the disk into the table. */
typedef struct LoadedFile {
        const char *name; /* of `names` */
        StoredDefinition stored;
        Error error; /* set: it was not read */
} LoadedFile;

/* What one thread reads. */
typedef struct Share {
        int folder_fd;
        LoadedFile *files;
        unsigned count;
} Share;

static int read_file(int folder_fd, LoadedFile *file)
{
        _cleanup_(freep) char *text = NULL, *expected = NULL;
        size_t size;
        int r;

        r = store_read(folder_fd, file->name, FILE_MAX, &text, &size, &file->error);
        if (r >= 0)
                r = definitions_parse(text, size, &file->stored, &file->error);
        if (r < 0)
                return r;
        expected = g_strconcat(file->stored.definition->uuid, SUFFIX, NULL);
        if (strcmp(expected, file->name) == 0)
                return 0;
        file->stored.definition = domain_definition_free(file->stored.definition);
        return error_set(&file->error, ERROR_INVALID_XML, "It defines a machine of another UUID");
}

/* Runs on a thread of its own. */
static int read_share(void *data)
{
        const Share *share = data;

        for (unsigned i = 0; i < share->count; i++)
                (void)read_file(share->folder_fd, &share->files[i]); /* its error is in it */
        return 0;
}

/* Most of a start is this: all threads take part, if it is worth it. */
static void read_files(int folder_fd, LoadedFile *files, unsigned count) AWAITS
{
        Share shares[SHARES] = { { folder_fd, files, count } };
        void *blocks[SHARES];

        if (count >= SHARED_MIN && fiber_current()) {
                for (unsigned i = 0; i < SHARES; i++) {
                        unsigned first = count * i / SHARES;

                        shares[i] = (Share){ folder_fd, files + first, count * (i + 1) / SHARES - first };
                        blocks[i] = &shares[i];
                }
                if (worker_finish_all(read_share, blocks, SHARES) >= 0)
                        return;
                shares[0].count = count;
        }
        (void)read_share(&shares[0]);
}

static int take(Driver *driver, LoadedFile *file)
{
        Domain *domain;
        int r;

        if (error_is_set(&file->error))
                return -EBADMSG;
        domain = machine_new(driver, file->stored.definition, file->stored.owner);
        domain->is_persistent = true;
        domain->is_autostart = file->stored.is_autostart;
        domain->created_at_usec = file->stored.created_usec;
        domain->changed_by = file->stored.changed_by;
        r = object_table_add(driver->objects, &domain->object);
        domain_unref(domain);
        return r < 0 ? error_set_errno(&file->error, r, "Cannot take it") : 0;
}

int definitions_load(Driver *driver, Error *error)
{
        const int folder_fd = qemu_driver(driver)->definitions_fd;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = NULL;
        _cleanup_(freep) LoadedFile *files = NULL;
        int r = store_list(folder_fd, SUFFIX, &names, error);

        if (r < 0)
                return r;
        files = g_new0(LoadedFile, names->len);
        for (unsigned i = 0; i < names->len; i++)
                files[i].name = names->pdata[i];
        read_files(folder_fd, files, names->len);
        for (unsigned i = 0; i < names->len; i++) {
                if (take(driver, &files[i]) < 0)
                        log_error(files[i].name, "definition %s/qemu/%s is left out: %s",
                                  driver->config->config_dir, files[i].name, files[i].error.message);
                error_clear(&files[i].error);
        }
        return 0;
}

int definitions_save(const Domain *domain, const DomainDefinition *definition, bool is_autostart,
                     Error *error)
{
        _cleanup_(freep) char *text = definitions_format(definition, domain->object.owner, is_autostart,
                                                         domain->created_at_usec, domain_changer(domain));
        _cleanup_(freep) char *name = g_strconcat(domain->object.uuid, SUFFIX, NULL);
        const size_t size = strlen(text);
        int r = check_text(text, size, domain->object.uuid, error);

        if (r >= 0)
                r = store_write(qemu_driver_of(domain)->definitions_fd, name, text, size, 0600, error);
        if (r < 0)
                error_prefix(error, "Cannot save the definition of the %s",
                             object_describe(&domain->object));
        return r;
}

int definitions_remove(const Domain *domain, Error *error)
{
        _cleanup_(freep) char *name = g_strconcat(domain->object.uuid, SUFFIX, NULL);

        return store_remove(qemu_driver_of(domain)->definitions_fd, name, error);
}
