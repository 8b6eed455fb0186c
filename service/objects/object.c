/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What every object has in common: identity, life, and the news that it changed. Drivers make objects
 * through the embedding types (objects/domain.c ...) and put them into their driver's table
 * (objects/table.c). Changes are noted by name and told once a turn of the loop, or before a call is
 * answered, so that ten changes of one machine are one signal. */

#include "core/loop.h"
#include "driver.h"
#include <string.h>

static const char *const object_kinds[_OBJECT_KIND_MAX] = {
        [OBJECT_DOMAIN] = "domain",
        [OBJECT_SNAPSHOT] = "domainsnapshot",
        [OBJECT_NETWORK] = "network",
        [OBJECT_INTERFACE] = "interface",
        [OBJECT_NODE_DEVICE] = "nodedev",
        [OBJECT_NWFILTER] = "nwfilter",
        [OBJECT_SECRET] = "secret",
        [OBJECT_STORAGE_POOL] = "storagepool",
        [OBJECT_STORAGE_VOLUME] = "storagevol",
        [OBJECT_JOB] = "job",
};

const char *object_kind_to_string(ObjectKind kind)
{
        return kind >= 0 && kind < _OBJECT_KIND_MAX ? object_kinds[kind] : NULL;
}

ObjectKind object_kind_from_string(const char *name)
{
        for (int kind = 0; kind < _OBJECT_KIND_MAX; kind++)
                if (object_kinds[kind] && strcmp(object_kinds[kind], name) == 0)
                        return kind;
        return _OBJECT_KIND_INVALID;
}

char *object_id_encode(const char *id)
{
        static const char digits[] = "0123456789abcdef";
        GString *encoded = g_string_sized_new(strlen(id) + 8);

        for (const char *c = id; *c; c++) {
                unsigned char byte = (unsigned char)*c;

                if (g_ascii_isalnum(byte)) {
                        g_string_append_c(encoded, (char)byte);
                        continue;
                }
                g_string_append_c(encoded, '_');
                g_string_append_c(encoded, digits[byte >> 4]);
                g_string_append_c(encoded, digits[byte & 15]);
        }
        return g_string_free(encoded, FALSE);
}

char *object_id_decode(const char *encoded)
{
        _cleanup_(string_builder_freep) GString *id = g_string_sized_new(strlen(encoded));

        for (const char *c = encoded; *c; c++) {
                int high, low;

                if (*c != '_' || !c[1] || !c[2]) {
                        g_string_append_c(id, *c);
                        continue;
                }
                high = g_ascii_xdigit_value(c[1]);
                low = g_ascii_xdigit_value(c[2]);
                if (high < 0 || low < 0 || (high == 0 && low == 0))
                        return NULL;
                g_string_append_c(id, (char)(high << 4 | low));
                c += 2;
        }
        return id->len > 0 ? g_string_free(TAKE_PTR(id), FALSE) : NULL;
}

/* `_` and the UUID with `_` for `-`: the way in which paths write it. */
static void path_append_uuid(GString *path, const char *uuid)
{
        g_string_append_c(path, '_');
        for (const char *c = uuid; *c; c++)
                g_string_append_c(path, *c == '-' ? '_' : *c);
}

/* As long as it is and no longer: there are as many paths as objects. */
static char *path_end(GString *path)
{
        char *exact = g_memdup2(path->str, path->len + 1);

        g_string_free(path, TRUE);
        return exact;
}

static char *path_new(ObjectKind kind, const Driver *driver, const char *id, const char *name)
{
        GString *path = g_string_sized_new(80);
        _cleanup_(freep) char *encoded = NULL;

        if (kind == OBJECT_CONNECT || kind == OBJECT_MANAGER) {
                g_string_printf(path, kind == OBJECT_CONNECT ? "/org/libvirt/%s" : "/org/libvirt", id);
                return path_end(path);
        }
        g_string_printf(path, "%s/%s/", driver->object.path, object_kinds[kind]);
        switch (kind) {
        case OBJECT_DOMAIN:
        case OBJECT_NETWORK:
        case OBJECT_NWFILTER:
        case OBJECT_SECRET:
        case OBJECT_STORAGE_POOL:
                path_append_uuid(path, id);
                break;
        case OBJECT_SNAPSHOT:
                path_append_uuid(path, id);
                encoded = object_id_encode(name);
                g_string_append_printf(path, "_%s", encoded);
                break;
        default:
                encoded = object_id_encode(id);
                g_string_append(path, encoded);
                break;
        }
        return path_end(path);
}

static unsigned n_objects;

unsigned object_count(void)
{
        return n_objects;
}

static void job_changed(JobQueue *queue, Job *job, void *data)
{
        Object *object = data;

        (void)queue; /* the object has one */
        event_raise(object->driver->events, EVENT_JOB_CHANGED, &(JobEvent){ .object = object, .job = job });
}

void object_init(Object *object, ObjectKind kind, Driver *driver, const char *id, const char *name,
                 const char *uuid, uid_t owner, void (*free)(Object *object))
{
        object->kind = kind;
        object->refs = 1;
        object->driver = driver;
        object->path = path_new(kind, driver, id, name);
        object->name = g_strdup(name);
        g_strlcpy(object->uuid, uuid ? uuid : "", sizeof object->uuid);
        object->owner = owner;
        object->jobs = job_queue_new(job_changed, object);
        object->free = free;
        n_objects++;
}

void object_done(Object *object)
{
        n_objects--;
        object->jobs = job_queue_free(object->jobs);
        condition_clear(&object->condition);
        if (object->changed)
                g_ptr_array_unref(TAKE_PTR(object->changed));
        g_clear_pointer(&object->path, g_free);
        g_clear_pointer(&object->name, g_free);
        g_clear_pointer(&object->description, g_free);
}

Object *object_ref(Object *object)
{
        object->refs++;
        return object;
}

Object *object_unref(Object *object)
{
        if (object && --object->refs == 0)
                object->free(object);
        return NULL;
}

const char *object_describe(const Object *object)
{
        const char *kind = object_kinds[object->kind] ? object_kinds[object->kind] : "driver";
        Object *writable = (Object *)object; /* what it caches is no part of its value */

        if (!object->description && object->uuid[0])
                writable->description = g_strdup_printf("%s '%s' (%s)", kind, object->name, object->uuid);
        else if (!object->description)
                writable->description = g_strdup_printf("%s '%s'", kind, object->name);
        return object->description;
}

/* The new name is not for everybody who knew the old one. */
int object_check_name(const Object *object, const char *asked_name, Error *error)
{
        if (g_strcmp0(object->name, asked_name) == 0)
                return 0;
        return error_set(error, ERROR_BUSY,
                         "The %s '%s' was renamed while the call waited: what was allowed is about the name "
                         "that it had",
                         object_kind_to_string(object->kind), asked_name);
}

static GQueue changed_objects = G_QUEUE_INIT; /* with a reference */
static bool is_flush_due;

static void tell_changes(Object *object)
{
        if (!object->is_gone)
                event_raise(object->driver->events, EVENT_OBJECT_CHANGED,
                            &(ObjectEvent){ .object = object });
        if (object->changed)
                g_ptr_array_unref(TAKE_PTR(object->changed));
        condition_wake_all(&object->condition);
        object_unref(object);
}

void objects_tell_changes(void)
{
        for (Object *object; (object = g_queue_pop_head(&changed_objects));)
                tell_changes(object);
}

static void changes_flush(void *data _unused_)
{
        is_flush_due = false;
        objects_tell_changes();
}

void object_changed(Object *object, const char *property)
{
        if (!object->changed) {
                object->changed = g_ptr_array_new();
                g_queue_push_tail(&changed_objects, object_ref(object));
                if (!is_flush_due) /* once, however many calls are answered before the loop comes to it */
                        loop_defer(changes_flush, NULL);
                is_flush_due = true;
        }
        for (unsigned i = 0; i < object->changed->len; i++)
                if (strcmp(object->changed->pdata[i], property) == 0)
                        return;
        g_ptr_array_add(object->changed, (char *)property);
}
