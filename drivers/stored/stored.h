/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Definitions of networks, secrets ... as files, FOLDER/UUID.xml: one <stored> element with what is
 * kept besides, and the definition in it, as it is formatted, because metadata must survive byte for byte.
 */

#include "driver.h"
#include "model/table.h"

typedef struct Stored {
        void *definition;
        uid_t owner;
        bool is_autostart;
        char *value; /* a secret's, sealed; NULL: none */
} Stored;

typedef struct StoredType {
        const char *element;    /* the definition's root, and what errors call it */
        const StructType *type; /* NULL: parse and release do it */
        int (*parse)(const XmlNode *node, void **ret_definition, Error *error);
        void (*release)(void *definition);
        uint32_t uuid_offset; /* char[37] in the definition */
        char *(*format)(const void *definition);
        /* Makes an object of what was read; takes definition and value over, also after a failure. */
        int (*load)(Driver *driver, Stored *stored, Error *error);
} StoredType;

typedef struct StoredFolder {
        const StoredType *type;
        int fd;               /* -EBADF: of a driver whose objects are in memory only */
        GHashTable *reserved; /* set of texts: what is about to be stored */
} StoredFolder;

/* Opens the folder `path` and loads what is in it. A file that cannot be read is logged and left alone. For
 * a driver in memory there is no folder: then nothing is loaded, saved or removed. */
int stored_folder_open(StoredFolder *folder, const StoredType *type, const char *path, Driver *driver,
                       Error *error);
void stored_folder_close(StoredFolder *folder);

/* Replaces the file of that UUID; refuses what could not be read again. */
int stored_save(const StoredFolder *folder, const Stored *stored, Error *error) AWAITS;
int stored_remove(const StoredFolder *folder, const char *uuid, Error *error) AWAITS;

/* Names, UUIDs ... of objects that are not in the driver's table until they are saved.
 * _cleanup_(reservation_clear) gives them back. */
typedef struct Reservation {
        StoredFolder *folder;
        char *keys[3]; /* borrowed from the folder's set */
} Reservation;
void reservation_clear(Reservation *reservation);
/* Takes the key over. ERROR_EXISTS if it is reserved; `what` names it there: "name", "UUID". */
int reservation_add(Reservation *reservation, char *key, const char *what, Error *error);
