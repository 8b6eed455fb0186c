/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/stored/stored.h"
#include "core/log.h"
#include "core/store.h"
#include "core/xml.h"
#include <string.h>

#define SUFFIX ".xml"

static const char *uuid_of(const StoredType *type, const void *definition)
{
        return (const char *)definition + type->uuid_offset;
}

static char *to_text(const StoredType *type, const Stored *stored)
{
        _cleanup_(freep) char *xml = type->format(stored->definition);

        return g_strdup_printf("<stored owner='%u' autostart='%s'%s%s%s>\n%s</stored>\n", stored->owner,
                               stored->is_autostart ? "yes" : "no", stored->value ? " value='" : "",
                               stored->value ? stored->value : "", stored->value ? "'" : "", xml);
}

static int from_text(const StoredType *type, const char *text, size_t size, Stored *ret, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        const XmlNode *root, *node;
        const char *owner;
        void *definition;
        guint64 uid;
        int r;

        r = xml_parse_stored(text, size, type->element, &document, error);
        if (r < 0)
                return r;
        root = xml_document_root(document);
        node = xml_child(root, type->element);
        owner = xml_attribute(root, "owner");
        if (strcmp(root->name, "stored") != 0 || !node || !owner ||
            !g_ascii_string_to_unsigned(owner, 10, 0, UINT32_MAX - 1, &uid, NULL))
                return error_set(error, ERROR_INVALID_XML, "This is no %s that was stored here",
                                 type->element);
        r = type->type ? struct_parse(type->type, node, DEFINITION_INACTIVE, &definition, error)
                       : type->parse(node, &definition, error);
        if (r < 0)
                return r;
        *ret = (Stored){
                .definition = definition,
                .owner = (uid_t)uid,
                .is_autostart = g_strcmp0(xml_attribute(root, "autostart"), "yes") == 0,
                .value = g_strdup(xml_attribute(root, "value")),
        };
        return 0;
}

static void stored_clear(const StoredType *type, Stored *stored)
{
        if (type->type)
                struct_free(type->type, stored->definition);
        else
                type->release(stored->definition);
        g_free(stored->value);
}

typedef struct Loading {
        const StoredType *type;
        const char *path;
        Driver *driver;
} Loading;

static int load_file(const Loading *loading, int fd, const char *name, Error *error)
{
        const StoredType *type = loading->type;
        _cleanup_(freep) char *text = NULL, *expected = NULL;
        Stored stored = {};
        size_t size;
        int r;

        r = store_read(fd, name, XML_SIZE_MAX, &text, &size, error);
        if (r >= 0)
                r = from_text(type, text, size, &stored, error);
        if (r < 0)
                return r;
        expected = g_strconcat(uuid_of(type, stored.definition), SUFFIX, NULL);
        if (strcmp(expected, name) == 0)
                return type->load(loading->driver, &stored, error);
        stored_clear(type, &stored);
        return error_set(error, ERROR_INVALID_XML, "It defines a %s of another UUID", type->element);
}

static int visit(int fd, const char *name, void *data)
{
        const Loading *loading = data;
        _cleanup_(error_clear) Error error = {};

        if (load_file(loading, fd, name, &error) < 0)
                log_error(name, "%s %s/%s is left out: %s", loading->type->element, loading->path, name,
                          error.message);
        return 0;
}

int stored_folder_open(StoredFolder *folder, const StoredType *type, const char *path, Driver *driver,
                       Error *error)
{
        int fd = driver->type->is_in_memory ? -EBADF : store_open_folder(path, 0700, error), r;

        if (fd < 0 && !driver->type->is_in_memory)
                return fd;
        *folder = (StoredFolder){
                .type = type,
                .fd = fd,
                .reserved = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        };
        if (fd < 0)
                return 0;
        r = store_visit(fd, SUFFIX, visit, &(Loading){ type, path, driver }, error);
        if (r < 0)
                stored_folder_close(folder);
        return r;
}

void stored_folder_close(StoredFolder *folder)
{
        closep(&folder->fd);
        g_hash_table_unref(folder->reserved);
}

int stored_save(const StoredFolder *folder, const Stored *stored, Error *error)
{
        _cleanup_(freep) char *text = to_text(folder->type, stored);
        _cleanup_(freep) char *name = g_strconcat(uuid_of(folder->type, stored->definition), SUFFIX, NULL);
        size_t size = strlen(text);
        Stored again;
        int r;

        if (size > XML_SIZE_MAX)
                return error_set(error, ERROR_LIMITS_EXCEEDED,
                                 "The %s takes %zu bytes when it is stored, at most %u are possible",
                                 folder->type->element, size, (unsigned)XML_SIZE_MAX);
        r = from_text(folder->type, text, size, &again, error);
        if (r < 0) {
                error_prefix(error, "The %s could not be read again", folder->type->element);
                return r;
        }
        stored_clear(folder->type, &again);
        return folder->fd < 0 ? 0 : store_write(folder->fd, name, text, size, 0600, error);
}

int stored_remove(const StoredFolder *folder, const char *uuid, Error *error)
{
        _cleanup_(freep) char *name = g_strconcat(uuid, SUFFIX, NULL);

        return folder->fd < 0 ? 0 : store_remove(folder->fd, name, error);
}

void reservation_clear(Reservation *reservation)
{
        for (unsigned i = 0; i < G_N_ELEMENTS(reservation->keys); i++)
                if (reservation->keys[i])
                        g_hash_table_remove(reservation->folder->reserved, reservation->keys[i]);
}

int reservation_add(Reservation *reservation, char *key, const char *what, Error *error)
{
        const char *element = reservation->folder->type->element;
        unsigned n = 0;

        if (g_hash_table_contains(reservation->folder->reserved, key)) {
                g_free(key);
                return error_set(error, ERROR_EXISTS, "A %s with the same %s is being defined", element,
                                 what);
        }
        while (reservation->keys[n])
                n++;
        reservation->keys[n] = key;
        g_hash_table_add(reservation->folder->reserved, key);
        return 0;
}
