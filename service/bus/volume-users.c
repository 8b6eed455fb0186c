/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A volume is named by its path or by pool and name; both are texts that lead to the machines. Machines of
 * others than the volume's owner are left out: who may see a volume need not know of them. */

#include "bus/volume-users.h"
#include <string.h>

/* Most machines use a volume or two, and most volumes have one user: short lists. */
static GHashTable *names_of; /* Domain * -> char **, the names that it uses, each once */
static GHashTable *users_of; /* name -> GPtrArray of Domain *, each once */

static char *volume_name(const char *pool, const char *volume)
{
        return g_strdup_printf("%s\n%s", pool, volume); /* no path begins so */
}

/* Takes the name over. */
static void add_name(GPtrArray *names, char *name)
{
        if (g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
                g_free(name);
        else
                g_ptr_array_add(names, name);
}

static void add_source(GPtrArray *names, const DiskSource *source)
{
        if (source->type == DISK_TYPE_VOLUME && source->pool && source->volume)
                add_name(names, volume_name(source->pool, source->volume));
        else if (source->file || source->dev)
                add_name(names, g_strdup(source->file ? source->file : source->dev));
}

static void add_definition(GPtrArray *names, const DomainDefinition *definition)
{
        if (!definition)
                return;
        LIST_FOREACH (disk, definition->devices.disks) {
                add_source(names, &disk->source);
                for (const DiskBacking *backing = disk->backing; backing; backing = backing->backing)
                        add_source(names, &backing->source);
        }
}

static void announce_path(const Driver *driver, const char *path)
{
        _cleanup_(freep) char *id = object_id_encode(path);
        _cleanup_(freep) char *object_path = g_strdup_printf(
                "%s/%s/%s", driver->object.path, object_kind_to_string(OBJECT_STORAGE_VOLUME), id);
        Object *volume = object_table_by_path(driver->objects, object_path);

        if (volume)
                object_changed(volume, "InUseBy");
}

static void announce_name(const Driver *driver, const char *name)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *volumes =
                object_table_list(driver->objects, OBJECT_STORAGE_VOLUME);
        const char *volume_name = strchr(name, '\n') + 1;
        size_t pool_length = (size_t)(volume_name - name) - 1;

        for (unsigned i = 0; i < volumes->len; i++) {
                const StorageVolume *volume = volumes->pdata[i];
                const char *pool = volume->pool->object.name;

                if (strcmp(volume->object.name, volume_name) == 0 && strlen(pool) == pool_length &&
                    memcmp(pool, name, pool_length) == 0)
                        object_changed(volumes->pdata[i], "InUseBy");
        }
}

static void announce(const Domain *domain, const char *name)
{
        if (name[0] == '/')
                announce_path(domain->object.driver, name);
        else if (strchr(name, '\n'))
                announce_name(domain->object.driver, name);
}

static void users_add(Domain *domain, const char *name)
{
        GPtrArray *users = g_hash_table_lookup(users_of, name);

        if (!users) {
                users = g_ptr_array_new();
                g_hash_table_insert(users_of, g_strdup(name), users);
        }
        g_ptr_array_add(users, domain);
        announce(domain, name);
}

static void users_remove(Domain *domain, const char *name)
{
        GPtrArray *users = g_hash_table_lookup(users_of, name);

        (void)g_ptr_array_remove_fast(users, domain); /* it is in there */
        if (users->len == 0)
                g_hash_table_remove(users_of, name);
        announce(domain, name);
}

static bool has_name(char **names, const char *name)
{
        return names && g_strv_contains((const char *const *)names, name);
}

static void domain_looked_at(Domain *domain, bool is_there)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *found = g_ptr_array_new();
        char **before = g_hash_table_lookup(names_of, domain), **names;

        if (is_there) {
                add_definition(found, domain->definition);
                add_definition(found, domain->live);
        }
        names = g_new0(char *, found->len + 1);
        for (unsigned i = 0; i < found->len; i++)
                names[i] = found->pdata[i];
        for (char **name = names; *name; name++)
                if (!has_name(before, *name))
                        users_add(domain, *name);
        for (char **name = before; name && *name; name++)
                if (!has_name(names, *name))
                        users_remove(domain, *name);
        if (names[0]) {
                g_hash_table_insert(names_of, domain, names);
        } else {
                g_hash_table_remove(names_of, domain);
                g_free(names);
        }
}

static void driver_tells(int type, const void *data, void *user_data)
{
        const ObjectEvent *event = data;

        (void)user_data;
        if ((type == EVENT_OBJECT_ADDED || type == EVENT_OBJECT_REMOVED || type == EVENT_OBJECT_CHANGED) &&
            event->object->kind == OBJECT_DOMAIN && names_of)
                domain_looked_at((Domain *)event->object,
                                 type != EVENT_OBJECT_REMOVED && !event->object->is_gone);
}

static void names_free(void *names)
{
        g_strfreev(names);
}

static void users_free(void *users)
{
        g_ptr_array_unref(users);
}

void volume_users_watch(Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = object_table_list(driver->objects, OBJECT_DOMAIN);

        if (!names_of) {
                names_of = g_hash_table_new_full(NULL, NULL, NULL, names_free);
                users_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, users_free);
        }
        for (unsigned i = 0; i < domains->len; i++)
                domain_looked_at(domains->pdata[i], true);
        (void)event_listen(driver->events, driver_tells, NULL); /* until the driver is freed */
}

void volume_users_clear(void)
{
        g_clear_pointer(&names_of, g_hash_table_unref);
        g_clear_pointer(&users_of, g_hash_table_unref);
}

static void collect(const StorageVolume *volume, const char *name, GPtrArray *found)
{
        const GPtrArray *users = users_of ? g_hash_table_lookup(users_of, name) : NULL;

        for (unsigned i = 0; users && i < users->len; i++) {
                Object *object = users->pdata[i];

                if (object->owner == volume->object.owner && object->driver == volume->object.driver &&
                    !g_ptr_array_find(found, object, NULL))
                        g_ptr_array_add(found, object_ref(object));
        }
}

static int compare_paths(const void *a, const void *b)
{
        const Object *const *left = a, *const *right = b;

        return strcmp((*left)->path, (*right)->path);
}

GPtrArray *volume_users_list(const StorageVolume *volume)
{
        GPtrArray *found = g_ptr_array_new_with_free_func(object_release);
        _cleanup_(freep) char *name = volume_name(volume->pool->object.name, volume->object.name);

        collect(volume, volume->path, found);
        collect(volume, name, found);
        g_ptr_array_sort(found, compare_paths);
        return found;
}
