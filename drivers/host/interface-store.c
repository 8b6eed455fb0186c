/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/host/interface-store.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX      ".xml"
#define STORED      "stored"
#define TRANSACTION "transaction" /* what was defined when a change began */

int interface_store_open(InterfaceStore *store, const Driver *driver, Error *error)
{
        _cleanup_(freep) char *path = g_build_filename(driver->config->config_dir, "interface", NULL);

        store->fd = driver->type->is_in_memory ? -EBADF : store_open_folder(path, 0700, error);
        return driver->type->is_in_memory ? 0 : MIN(store->fd, 0);
}

void interface_store_close(InterfaceStore *store)
{
        closep(&store->fd);
        g_free(store->before);
}

int interface_store_visit(const InterfaceStore *store, StoreVisit visit, void *data, Error *error)
{
        return store->fd < 0 ? 0 : store_visit(store->fd, SUFFIX, visit, data, error);
}

int interface_store_parse(const XmlNode *stored, HostInterfaceDefinition **ret_definition,
                          const HostManager **ret_manager, Error *error)
{
        const char *name = xml_attribute(stored, "manager");
        const HostManager *manager = name ? host_manager_by_name(name) : NULL;
        const XmlNode *node = xml_child(stored, "interface");
        void *definition;
        int r;

        if (!node)
                return error_set(error, ERROR_INTERNAL, "What was stored of the interfaces is damaged");
        if (name && !manager)
                return error_set(error, ERROR_INTERNAL, "It was defined for '%s', which nobody knows", name);
        r = struct_parse(&host_interface_definition_type, node, 0, &definition, error);
        if (r < 0)
                return r;
        *ret_definition = definition;
        *ret_manager = manager;
        return 0;
}

/* Without a manager the file has nothing but the <interface>. */
int interface_store_read(int fd, const char *name, HostInterfaceDefinition **ret_definition,
                         const HostManager **ret_manager, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r = store_read(fd, name, XML_SIZE_MAX, &text, &size, error);

        if (r < 0)
                return r;
        *ret_manager = NULL;
        if (!g_str_has_prefix(text, "<" STORED))
                return host_interface_parse(text, size, ret_definition, error);
        r = xml_parse(text, size, STORED, &document, error);
        return r < 0 ? r
                     : interface_store_parse(xml_document_root(document), ret_definition, ret_manager,
                                             error);
}

int interface_store_save(const InterfaceStore *store, const HostInterfaceDefinition *definition,
                         const char *manager, Error *error)
{
        _cleanup_(freep) char *name = g_strconcat(definition->name, SUFFIX, NULL);
        _cleanup_(freep) char *text = host_interface_format(definition, DEFINITION_INACTIVE);
        _cleanup_(freep) char *whole =
                manager ? g_strdup_printf("<" STORED " manager='%s'>\n%s</" STORED ">\n", manager, text)
                        : NULL;
        const char *content = whole ? whole : text;

        return store->fd < 0 ? 0 : store_write(store->fd, name, content, strlen(content), 0600, error);
}

int interface_store_forget(const InterfaceStore *store, const char *name, Error *error)
{
        _cleanup_(freep) char *file = g_strconcat(name, SUFFIX, NULL);

        return store->fd < 0 ? 0 : store_remove(store->fd, file, error);
}

bool interface_store_has_begun(const InterfaceStore *store)
{
        return store->fd < 0 ? store->before != NULL : faccessat(store->fd, TRANSACTION, F_OK, 0) >= 0;
}

int interface_store_begin(InterfaceStore *store, const char *before, Error *error)
{
        if (store->fd >= 0)
                return store_write(store->fd, TRANSACTION, before, strlen(before), 0600, error);
        store->before = g_strdup(before);
        return 0;
}

int interface_store_read_begun(const InterfaceStore *store, char **ret_before, Error *error)
{
        size_t size;

        if (store->fd >= 0)
                return store_read(store->fd, TRANSACTION, XML_SIZE_MAX, ret_before, &size, error);
        *ret_before = g_strdup(store->before);
        return 0;
}

int interface_store_end(InterfaceStore *store, Error *error)
{
        g_clear_pointer(&store->before, g_free);
        return store->fd < 0 ? 0 : store_remove(store->fd, TRANSACTION, error);
}
