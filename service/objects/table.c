/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The objects of one driver, found in constant time by path, by UUID and by name, and listed in the order of
 * their making. The keys are the objects themselves, so that ten thousand machines cost three pointers each.
 */

#include "driver.h"
#include <string.h>

#define OWNER_ANY ((uid_t)-1)

struct ObjectTable {
        GHashTable *by_path; /* Object's path -> Object, holds the reference */
        GHashTable *by_uuid; /* set of Objects; compared by kind and UUID */
        GHashTable
                *by_name; /* set of Objects; compared by kind, name and owner, where OWNER_ANY equals all */
        GPtrArray *ordered[_OBJECT_KIND_MAX];
};

static guint uuid_hash(gconstpointer key)
{
        const Object *object = key;

        return g_str_hash(object->uuid) + (guint)object->kind;
}

static gboolean uuid_equal(gconstpointer a, gconstpointer b)
{
        const Object *first = a, *second = b;

        return first->kind == second->kind && strcmp(first->uuid, second->uuid) == 0;
}

static guint name_hash(gconstpointer key)
{
        const Object *object = key;

        return g_str_hash(object->name) + (guint)object->kind;
}

static gboolean name_equal(gconstpointer a, gconstpointer b)
{
        const Object *first = a, *second = b;

        return first->kind == second->kind && strcmp(first->name, second->name) == 0 &&
               (first->owner == second->owner || first->owner == OWNER_ANY || second->owner == OWNER_ANY);
}

ObjectTable *object_table_new(void)
{
        ObjectTable *table = g_new0(ObjectTable, 1);

        table->by_path = g_hash_table_new(g_str_hash, g_str_equal);
        table->by_uuid = g_hash_table_new(uuid_hash, uuid_equal);
        table->by_name = g_hash_table_new(name_hash, name_equal);
        for (int kind = 0; kind < _OBJECT_KIND_MAX; kind++)
                table->ordered[kind] = g_ptr_array_new();
        return table;
}

ObjectTable *object_table_free(ObjectTable *table)
{
        if (!table)
                return NULL;
        g_hash_table_unref(table->by_name);
        g_hash_table_unref(table->by_uuid);
        g_hash_table_unref(table->by_path);
        for (int kind = 0; kind < _OBJECT_KIND_MAX; kind++) {
                for (unsigned i = 0; i < table->ordered[kind]->len; i++) {
                        Object *object = table->ordered[kind]->pdata[i];

                        object->is_gone = true;
                        object_unref(object);
                }
                g_ptr_array_unref(table->ordered[kind]);
        }
        g_free(table);
        return NULL;
}

int object_table_add(ObjectTable *table, Object *object)
{
        if (g_hash_table_contains(table->by_path, object->path))
                return -EEXIST;
        g_hash_table_insert(table->by_path, object->path, object_ref(object));
        if (object->uuid[0])
                g_hash_table_add(table->by_uuid, object);
        if (object->name)
                g_hash_table_add(table->by_name, object);
        g_ptr_array_add(table->ordered[object->kind], object);
        event_raise(object->driver->events, EVENT_OBJECT_ADDED, &(ObjectEvent){ .object = object });
        return 0;
}

/* Takes the object out of a set only if it is the one that stands there: two may compare equal. */
static void set_remove(GHashTable *set, Object *object)
{
        if (g_hash_table_lookup(set, object) == object)
                g_hash_table_remove(set, object);
}

void object_table_remove(ObjectTable *table, Object *object)
{
        if (object->is_gone || g_hash_table_lookup(table->by_path, object->path) != object)
                return;
        event_raise(object->driver->events, EVENT_OBJECT_REMOVED, &(ObjectEvent){ .object = object });
        g_hash_table_remove(table->by_path, object->path);
        if (object->uuid[0])
                set_remove(table->by_uuid, object);
        if (object->name)
                set_remove(table->by_name, object);
        g_ptr_array_remove(table->ordered[object->kind], object);
        object->is_gone = true;
        condition_wake_all(&object->condition);
        object_unref(object);
}

Object *object_table_by_path(const ObjectTable *table, const char *path)
{
        return g_hash_table_lookup(table->by_path, path);
}

Object *object_table_by_uuid(const ObjectTable *table, ObjectKind kind, const char *uuid)
{
        Object probe = { .kind = kind };

        if (g_strlcpy(probe.uuid, uuid, sizeof probe.uuid) >= sizeof probe.uuid)
                return NULL;
        return g_hash_table_lookup(table->by_uuid, &probe);
}

Object *object_table_owned(const ObjectTable *table, ObjectKind kind, const char *name, uid_t owner)
{
        Object probe = { .kind = kind, .name = (char *)name, .owner = owner };

        return g_hash_table_lookup(table->by_name, &probe);
}

Object *object_table_by_name(const ObjectTable *table, ObjectKind kind, const char *name, uid_t owner)
{
        Object *object = object_table_owned(table, kind, name, owner);

        return object ? object : object_table_owned(table, kind, name, OWNER_ANY);
}

GPtrArray *object_table_list(const ObjectTable *table, ObjectKind kind)
{
        const GPtrArray *ordered = table->ordered[kind];
        GPtrArray *list = g_ptr_array_new_full(ordered->len, object_release);

        for (unsigned i = 0; i < ordered->len; i++)
                g_ptr_array_add(list, object_ref(ordered->pdata[i]));
        return list;
}

unsigned object_table_count(const ObjectTable *table, ObjectKind kind)
{
        return table->ordered[kind]->len;
}

int object_table_rename(ObjectTable *table, Object *object, const char *name)
{
        Object probe = { .kind = object->kind, .name = (char *)name, .owner = object->owner };
        Object *other = g_hash_table_lookup(table->by_name, &probe);

        if (other && other != object)
                return -EEXIST;
        set_remove(table->by_name, object);
        g_free(object->name);
        object->name = g_strdup(name);
        g_clear_pointer(&object->description, g_free);
        g_hash_table_add(table->by_name, object);
        object_changed(object, "Name");
        return 0;
}
