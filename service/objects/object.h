/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every object on the bus has in common: its driver, identity, owner, job queue, and the way in which
 * it tells that it changed. A Domain, Network ... embeds an Object as its first member. Objects live on the
 * loop thread, are counted, and may leave their driver while somebody still holds a reference: is_gone says
 * so. */

#include "core/await.h"
#include "core/error.h"
#include "core/job.h"
#include "core/uuid.h"
#include <sys/types.h>

typedef struct Driver Driver;
typedef struct Object Object;

typedef enum ObjectKind {
        OBJECT_CONNECT, /* the driver itself, /org/libvirt/QEMU */
        OBJECT_DOMAIN,
        OBJECT_SNAPSHOT,
        OBJECT_NETWORK,
        OBJECT_INTERFACE,
        OBJECT_NODE_DEVICE,
        OBJECT_NWFILTER,
        OBJECT_SECRET,
        OBJECT_STORAGE_POOL,
        OBJECT_STORAGE_VOLUME,
        OBJECT_JOB,
        OBJECT_MANAGER, /* the daemon itself, /org/libvirt */
        _OBJECT_KIND_MAX,
        _OBJECT_KIND_INVALID = -EINVAL,
} ObjectKind;

/* As in object paths: "domain", "domainsnapshot", "network", "interface", "nodedev", "nwfilter", "secret",
 * "storagepool", "storagevol", "job"; OBJECT_CONNECT and OBJECT_MANAGER have none. */
const char *object_kind_to_string(ObjectKind kind);
ObjectKind object_kind_from_string(const char *name);

struct Object {
        ObjectKind kind;
        unsigned refs;
        Driver *driver;             /* borrowed: drivers outlive their objects */
        char *path;                 /* the whole object path, valid D-Bus; set once */
        char *name;                 /* may change (rename) */
        char uuid[UUID_STRING_MAX]; /* lower case with dashes; empty for kinds without */
        uid_t owner;
        bool is_gone; /* no longer in its driver */
        JobQueue *jobs;
        GPtrArray *changed;           /* static names of properties changed and not told, NULL if none */
        char *description;            /* made by the first object_describe() */
        Condition condition;          /* woken when its changes have been told, and when it goes */
        void (*free)(Object *object); /* of the embedding type, including itself */
};

/* Fills the common part; the caller allocated the embedding structure with g_new0(). `id` is what stands
 * behind the kind in the path, not yet encoded (a UUID for kinds that have one, where `-` becomes `_`). */
void object_init(Object *object, ObjectKind kind, Driver *driver, const char *id, const char *name,
                 const char *uuid, uid_t owner, void (*free)(Object *object));
/* Frees the common part: called from the embedding type's free. */
void object_done(Object *object);

/* How many there are in the process, those among them that are gone and still held. */
unsigned object_count(void);

Object *object_ref(Object *object);
Object *object_unref(Object *object);
DEFINE_CLEANUP(Object, object_unref)
/* object_unref() for containers of GLib. */
static inline void object_release(void *object)
{
        object_unref(object);
}

/* "test 'web' (6695eb01-...)": how errors and log lines name it. Lives as long as the object is not renamed.
 */
const char *object_describe(const Object *object);
/* Rules go by names: what was allowed of an object with the name `asked_name` holds for no other. */
int object_check_name(const Object *object, const char *asked_name, Error *error);

/* Encodes an id for a path, [A-Za-z0-9] as they are, other bytes as _xx; decoding gives NULL for a text that
 * contains NUL or is empty. The caller frees. */
char *object_id_encode(const char *id);
char *object_id_decode(const char *encoded);

/* Notes that the native property `property` (static text, as in introspection) has a new value. The front
 * end sends one PropertiesChanged for all that changed since it was told the last time. */
void object_changed(Object *object, const char *property);
/* Of all objects, now: before a call is answered that may have changed them. */
void objects_tell_changes(void);

/* The objects of one driver, found by path and by uuid (and by name among those whom a caller sees). */
typedef struct ObjectTable ObjectTable;
ObjectTable *object_table_new(void);
ObjectTable *object_table_free(ObjectTable *table);
/* Takes a reference and raises EVENT_OBJECT_ADDED; the path must be free (-EEXIST). */
int object_table_add(ObjectTable *table, Object *object);
/* Raises EVENT_OBJECT_REMOVED, then sets is_gone and drops the table's reference. */
void object_table_remove(ObjectTable *table, Object *object);
/* Borrowed; NULL if there is none. */
Object *object_table_by_path(const ObjectTable *table, const char *path);
Object *object_table_by_uuid(const ObjectTable *table, ObjectKind kind, const char *uuid);
/* Borrowed; that owner's alone, which is all that a definition of theirs may name. */
Object *object_table_owned(const ObjectTable *table, ObjectKind kind, const char *name, uid_t owner);
/* Borrowed; the one of that owner if several users have one of that name, else any of them: for lookups of
 * callers, who are then asked whether they see it. */
Object *object_table_by_name(const ObjectTable *table, ObjectKind kind, const char *name, uid_t owner);
/* A new array with a counted reference to each object of the kind, in the order of their making. */
GPtrArray *object_table_list(const ObjectTable *table, ObjectKind kind);
unsigned object_table_count(const ObjectTable *table, ObjectKind kind);
/* Tells the table of a new name; -EEXIST if the owner has one of that name already. */
int object_table_rename(ObjectTable *table, Object *object, const char *name);
