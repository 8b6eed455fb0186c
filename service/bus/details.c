/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The details of a question to polkit: connect_driver, then name and UUID under the keys that libvirt's
 * rules use, and the owner's user name, which is ours. Names of users are looked up by a worker, as that may
 * ask a server, and remembered. */

#include "bus/details.h"
#include "bus/jobs.h"
#include "bus/kinds.h"
#include "core/loop.h"
#include "core/worker.h"
#include "model/secret.h"
#include "objects/secret.h"
#include "objects/storage.h"
#include <assert.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX         4096
#define NAME_TIMEOUT_USEC (2 * G_USEC_PER_SEC)

static void add(Details *details, const char *key, const char *value)
{
        size_t n = 0;

        if (!key || !value || !*value)
                return;
        while (details->list[n].key)
                n++;
        assert(n + 1 < DETAILS_MAX);
        details->list[n] = (AuthorityDetail){ key, value };
}

/* Objects may be renamed while polkit thinks. */
static void add_copy(Details *details, const char *key, const char *value)
{
        size_t n = 0;

        while (details->copies[n])
                n++;
        assert(n < DETAILS_MAX);
        details->copies[n] = g_strdup(value);
        add(details, key, details->copies[n]);
}

void details_clear(Details *details)
{
        for (size_t i = 0; i < DETAILS_MAX; i++)
                g_free(details->copies[i]);
        *details = (Details){};
}

typedef struct NameLookup {
        uid_t uid;
        char name[64];
} NameLookup;

/* On a pool thread. */
static int name_lookup(void *data)
{
        NameLookup *lookup = data;
        struct passwd entry, *found = NULL;
        char buffer[4096];

        if (getpwuid_r(lookup->uid, &entry, buffer, sizeof buffer, &found) != 0 || !found)
                return -ENOENT;
        if (g_strlcpy(lookup->name, found->pw_name, sizeof lookup->name) >= sizeof lookup->name)
                return -ENAMETOOLONG;
        return 0;
}

static GHashTable *names; /* uid -> user name, or the number of a user that has none */

static const char *owner_known(uid_t uid)
{
        return names ? g_hash_table_lookup(names, GUINT_TO_POINTER(uid)) : NULL;
}

static void owner_remember(uid_t uid, const char *text)
{
        if (!names)
                names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        if (g_hash_table_size(names) >= NAMES_MAX)
                g_hash_table_remove_all(names);
        g_hash_table_insert(names, GUINT_TO_POINTER(uid), g_strdup(text));
}

static int owner_text(uid_t uid, char *ret_text, size_t size) AWAITS
{
        NameLookup *lookup;
        int r;

        if (owner_known(uid)) {
                g_strlcpy(ret_text, owner_known(uid), size);
                return 0;
        }
        lookup = g_new0(NameLookup, 1);
        lookup->uid = uid;
        r = worker_run(name_lookup, lookup, g_free, deadline_after_usec(NAME_TIMEOUT_USEC));
        if (r == -ECANCELED)
                return r; /* the worker frees its data, as after a timeout */
        if (r == 0)
                g_strlcpy(ret_text, lookup->name, size);
        else
                g_snprintf(ret_text, size, "%u", uid);
        if (r == -ETIMEDOUT)
                return 0;
        g_free(lookup);
        owner_remember(uid, ret_text);
        return 0;
}

void details_of_driver(Details *details, const Driver *driver)
{
        *details = (Details){};
        add(details, "connect_driver", driver->name);
}

int details_of_new(Details *details, const Driver *driver, uid_t owner)
{
        int r;

        details_of_driver(details, driver);
        r = owner_text(owner, details->owner, sizeof details->owner);
        if (r < 0)
                return r;
        add(details, "owner", details->owner);
        return 0;
}

void details_set_identity(Details *details, ObjectKind kind, const char *name, const char *uuid)
{
        const KindFacts *facts = kind_facts(kind);

        if (facts->name_detail && name)
                add_copy(details, facts->name_detail, name);
        if (facts->uuid_detail && uuid) {
                g_strlcpy(details->uuid, uuid, sizeof details->uuid);
                add(details, facts->uuid_detail, details->uuid);
        }
}

/* The usage of a secret stands under a key of its type; it is the secret's name. */
static void set_usage(Details *details, const Secret *secret)
{
        static const char *const keys[] = {
                [SECRET_USAGE_VOLUME] = "secret_usage_volume", [SECRET_USAGE_CEPH] = "secret_usage_ceph",
                [SECRET_USAGE_ISCSI] = "secret_usage_target",  [SECRET_USAGE_TLS] = "secret_usage_name",
                [SECRET_USAGE_VTPM] = "secret_usage_name",
        };

        if (secret->usage_type <= 0 || secret->usage_type >= (int)G_N_ELEMENTS(keys))
                return;
        add_copy(details, keys[secret->usage_type], secret->usage_id);
}

static void set_pool(Details *details, const StorageVolume *volume)
{
        add_copy(details, "vol_key", volume->key);
        details_set_identity(details, OBJECT_STORAGE_POOL, volume->pool->object.name,
                             volume->pool->object.uuid);
}

static void set_identity_of(Details *details, const Object *object)
{
        details_set_identity(details, object->kind, object->name, object->uuid);
        if (object->kind == OBJECT_SECRET)
                set_usage(details, (const Secret *)object);
        if (object->kind == OBJECT_STORAGE_VOLUME)
                set_pool(details, (const StorageVolume *)object);
}

int details_of_object(Details *details, const Object *object)
{
        int r;

        object = object_subject(object);
        if (kind_is_fixed(object->kind)) {
                details_of_driver(details, object->driver);
                return 0;
        }
        r = details_of_new(details, object->driver, object->owner);
        if (r < 0)
                return r;
        set_identity_of(details, object);
        return 0;
}

bool details_of_object_known(Details *details, const Object *object)
{
        const char *owner;

        object = object_subject(object);
        details_of_driver(details, object->driver);
        if (kind_is_fixed(object->kind))
                return true;
        owner = owner_known(object->owner);
        if (!owner)
                return false;
        g_strlcpy(details->owner, owner, sizeof details->owner);
        add(details, "owner", details->owner);
        set_identity_of(details, object);
        return true;
}

void details_of_path(Details *details, const ObjectPath *path)
{
        const ObjectKind kind = path->kind == OBJECT_SNAPSHOT ? OBJECT_DOMAIN : path->kind;
        const KindFacts *facts = kind_facts(kind);
        _cleanup_(freep) char *name = NULL;
        char uuid[UUID_STRING_MAX];

        details_of_driver(details, path->driver);
        if (facts->uuid_detail && object_path_uuid(path, uuid)) {
                details_set_identity(details, kind, NULL, uuid);
        } else if (facts->name_detail && path->kind != OBJECT_SNAPSHOT) {
                name = object_id_decode(path->id);
                if (name && g_utf8_validate(name, -1, NULL) && path->kind == OBJECT_STORAGE_VOLUME)
                        add_copy(details, "vol_key", name); /* it is found by its key */
                else if (name && g_utf8_validate(name, -1, NULL))
                        details_set_identity(details, path->kind, name, NULL);
        }
}
