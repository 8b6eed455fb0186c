/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Definitions of the host's interfaces as files, NAME.xml, and what they were when a change of them began.
 * For a driver in memory there are no files, and only the latter is kept. */

#include "core/store.h"
#include "core/xml.h"
#include "drivers/host/host-manager.h"

typedef struct InterfaceStore {
        int fd;       /* of the folder; -EBADF: in memory */
        char *before; /* in memory: what was defined when the change began; NULL: none was begun */
} InterfaceStore;

int interface_store_open(InterfaceStore *store, const Driver *driver, Error *error);
void interface_store_close(InterfaceStore *store);
/* Gives each stored file; nothing in memory. */
int interface_store_visit(const InterfaceStore *store, StoreVisit visit, void *data, Error *error);
/* One of these files. NULL in *ret_manager: nobody but us. */
int interface_store_read(int fd, const char *name, HostInterfaceDefinition **ret_definition,
                         const HostManager **ret_manager, Error *error);
/* The same of an element <stored manager='...'><interface>. */
int interface_store_parse(const XmlNode *stored, HostInterfaceDefinition **ret_definition,
                          const HostManager **ret_manager, Error *error);
/* `manager`: its name; NULL: nobody but us. */
int interface_store_save(const InterfaceStore *store, const HostInterfaceDefinition *definition,
                         const char *manager, Error *error) AWAITS;
int interface_store_forget(const InterfaceStore *store, const char *name, Error *error) AWAITS;

/* A change: `before` is a document of all definitions. */
bool interface_store_has_begun(const InterfaceStore *store);
int interface_store_begin(InterfaceStore *store, const char *before, Error *error) AWAITS;
/* The caller frees. */
int interface_store_read_begun(const InterfaceStore *store, char **ret_before, Error *error);
int interface_store_end(InterfaceStore *store, Error *error) AWAITS;
