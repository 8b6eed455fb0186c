/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Object paths: /org/libvirt/DRIVER/KIND/ID, as libvirt-dbus has them. Any ID of a known kind is taken for
 * an object until the driver's table says otherwise, so that a missing machine answers as a machine that is
 * missing and not as a path that makes no sense. */

#include "bus/front.h"
#include "bus/kinds.h"
#include <string.h>

FrontEnd *front_end(void)
{
        static FrontEnd front;

        return &front;
}

static Driver *driver_by_name(const char *name, size_t size)
{
        const GPtrArray *drivers = front_end()->drivers;

        for (unsigned i = 0; drivers && i < drivers->len; i++) {
                Driver *driver = drivers->pdata[i];

                if (strlen(driver->name) == size && memcmp(driver->name, name, size) == 0)
                        return driver;
        }
        return NULL;
}

static ObjectKind kind_by_name(const char *name, size_t size)
{
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++) {
                const char *text = object_kind_to_string(kind);

                if (text && strlen(text) == size && memcmp(text, name, size) == 0)
                        return kind;
        }
        return _OBJECT_KIND_INVALID;
}

int object_path_parse(const char *path, ObjectPath *ret_path)
{
        const char *driver_name, *kind_name, *id;
        ObjectPath parsed = { .driver = front_end()->manager, .kind = OBJECT_MANAGER, .id = "" };

        if (strcmp(path, FRONT_PATH) == 0) {
                *ret_path = parsed;
                return 0;
        }
        if (!g_str_has_prefix(path, FRONT_PATH "/"))
                return -ENOENT;
        driver_name = path + strlen(FRONT_PATH "/");
        kind_name = strchrnul(driver_name, '/');
        parsed.driver = driver_by_name(driver_name, (size_t)(kind_name - driver_name));
        if (!parsed.driver)
                return -ENOENT;
        parsed.kind = OBJECT_CONNECT;
        if (*kind_name == '/') {
                kind_name++;
                id = strchrnul(kind_name, '/');
                parsed.kind = kind_by_name(kind_name, (size_t)(id - kind_name));
                if (parsed.kind < 0)
                        return -ENOENT;
                parsed.is_kind = *id == '\0';
                parsed.id = *id == '/' ? id + 1 : id;
                if (strchr(parsed.id, '/'))
                        return -ENOENT;
        }
        *ret_path = parsed;
        return 0;
}

static bool uuid_character_is_valid(const char *id, size_t i)
{
        if (i == 8 || i == 13 || i == 18 || i == 23)
                return id[i] == '_';
        return g_ascii_isxdigit(id[i]);
}

bool object_path_uuid(const ObjectPath *path, char ret_uuid[static UUID_STRING_MAX])
{
        const char *id = path->id;

        if (*id != '_')
                return false;
        id++;
        for (size_t i = 0; i < UUID_STRING_MAX - 1; i++)
                if (!uuid_character_is_valid(id, i))
                        return false;
        if (id[UUID_STRING_MAX - 1] != '\0' && path->kind != OBJECT_SNAPSHOT)
                return false;
        for (size_t i = 0; i < UUID_STRING_MAX - 1; i++)
                ret_uuid[i] = id[i] == '_' ? '-' : g_ascii_tolower(id[i]);
        ret_uuid[UUID_STRING_MAX - 1] = '\0';
        return true;
}

int object_path_set_missing(const ObjectPath *path, Error *error)
{
        _cleanup_(freep) char *name = NULL;
        char uuid[UUID_STRING_MAX];
        int r = driver_check_runs(path->driver, error);

        if (r < 0)
                return r;
        if (path->kind == OBJECT_SNAPSHOT && object_path_uuid(path, uuid))
                name = path->id[UUID_STRING_MAX] == '_' ? object_id_decode(path->id + UUID_STRING_MAX + 1)
                                                        : NULL;
        else if (object_path_uuid(path, uuid))
                return kind_set_missing(error, path->kind, "uuid", uuid);
        else
                name = object_id_decode(path->id);
        return kind_set_missing(error, path->kind, "name", name ? name : path->id);
}

Object *object_path_lookup(const ObjectPath *parsed, const char *path)
{
        if (parsed->kind == OBJECT_CONNECT || parsed->kind == OBJECT_MANAGER)
                return &parsed->driver->object;
        return object_table_by_path(parsed->driver->objects, path);
}
