/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/pools.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/store.h"
#include "drivers/storage/contents.h"
#include "drivers/storage/restart.h"
#include "drivers/stored/stored.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BOOTED_FILE "booted" /* in the folder of those that are started: autostart is done */

/* virStoragePoolEventLifecycleType. */
enum {
        EVENT_DEFINED = 0,
        EVENT_UNDEFINED = 1,
        EVENT_STARTED = 2,
        EVENT_STOPPED = 3,
        EVENT_CREATED = 4,
        EVENT_DELETED = 5,
};

/* virStorageXMLFlags, virStoragePoolBuildFlags, virStoragePoolCreateFlags, virStoragePoolState. */
enum {
        XML_INACTIVE = 1 << 0,
        BUILD_REPAIR = 1 << 0,
        BUILD_RESIZE = 1 << 1,
        BUILD_NO_OVERWRITE = 1 << 2,
        BUILD_OVERWRITE = 1 << 3,
        CREATE_WITH_BUILD = 1 << 0,
        CREATE_WITH_BUILD_OVERWRITE = 1 << 1,
        CREATE_WITH_BUILD_NO_OVERWRITE = 1 << 2,
        DELETE_ZEROED = 1 << 0,
        STATE_INACTIVE = 0,
        STATE_RUNNING = 2,
};

struct StorageState {
        StoredFolder defined, running;
        GHashTable *memory;
};

static void pool_free(Object *object)
{
        Pool *pool = (Pool *)object;

        storage_pool_definition_free(pool->definition);
        storage_pool_definition_free(pool->live);
        storage_pool_definition_free(pool->resumed);
        g_tree_unref(pool->volumes);
        g_free(pool->pool.target);
        contents_unwatch(pool);
        condition_clear(&pool->caught_up);
        closep(&pool->fd);
        object_done(object);
        g_free(pool);
}

/* Takes the definition over. */
static Pool *pool_new(Driver *driver, StoragePoolDefinition *definition, uid_t owner)
{
        Pool *pool = g_new0(Pool, 1);

        pool->definition = definition;
        pool->context = (BackendContext){ driver, owner, driver->storage->memory };
        pool->fd = -EBADF;
        pool->volumes = g_tree_new((GCompareFunc)strcmp);
        pool->pool.type = pool_type_to_string(definition->type);
        pool->pool.target = g_strdup(definition->path);
        object_init(&pool->pool.object, OBJECT_STORAGE_POOL, driver, definition->uuid, definition->name,
                    definition->uuid, owner, pool_free);
        return pool;
}

static const Backend *backend_for(const Pool *pool, const StoragePoolDefinition *definition)
{
        return backend_of(definition->type, pool->pool.object.driver->type->is_in_memory);
}

static void announce(Pool *pool, int event)
{
        GVariant *arguments = g_variant_ref_sink(g_variant_new("(ii)", event, 0));

        event_raise(pool->pool.object.driver->events, EVENT_RESOURCE_EVENT,
                    &(ResourceEvent){ .object = &pool->pool.object,
                                      .member = "StoragePoolEvent",
                                      .arguments = arguments });
        g_variant_unref(arguments);
}

static void remove_pool(Pool *pool)
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *definition =
                pool_copy_definition(pool, pool->definition);
        const Backend *backend = pool_backend(pool);

        if (backend->forget)
                backend->forget(definition);
        object_table_remove(pool->pool.object.driver->objects, &pool->pool.object);
}

static int refuse_active(const Pool *pool, const char *what, Error *error)
{
        if (!pool->pool.is_active)
                return 0;
        return error_set(error, ERROR_OPERATION_INVALID,
                         "The %s is started: it can be %s when it is stopped",
                         object_describe(&pool->pool.object), what);
}

static Stored stored_of(Pool *pool, StoragePoolDefinition *definition)
{
        return (Stored){ .definition = definition,
                         .owner = pool->pool.object.owner,
                         .is_autostart = pool->pool.is_autostart };
}

/* What the bus shows of the pool. */
static void show(Pool *pool)
{
        const StoragePoolDefinition *definition = pool->live ? pool->live : pool->definition;
        StoragePool *shown = &pool->pool;

        shown->type = pool_type_to_string(definition->type);
        g_free(shown->target);
        shown->target = g_strdup(definition->path);
        if (!pool->live)
                shown->capacity = shown->allocation = shown->available = 0;
        for (const char *const *name =
                     (const char *const[]){ "Type", "Path", "State", "Active", "Persistent", "Capacity",
                                            "Allocation", "Available", NULL };
             *name; name++)
                object_changed(&shown->object, *name);
}

static void let_go(Pool *pool)
{
        contents_unwatch(pool);
        contents_clear(pool);
        pool->live = storage_pool_definition_free(pool->live);
        closep(&pool->fd);
        pool->fd = -EBADF;
        pool->changed = (struct timespec){};
        pool->pool.is_active = false;
        show(pool);
}

/* What the pool stands on is up: its volumes. */
static int open_contents(Pool *pool, const StoragePoolDefinition *definition, Error *error) AWAITS
{
        const Backend *backend = backend_for(pool, definition);
        bool is_folder = backend->is_folder;
        int r = is_folder            ? files_open(definition->path, &pool->fd, error)
                : backend->is_memory ? 0
                                     : files_open_none(&pool->fd, error);

        if (r < 0)
                return r;
        pool->live = storage_pool_definition_copy(definition);
        if (is_folder)
                contents_watch(pool);
        if (is_folder)
                r = files_tidy(pool->fd, error);
        return r < 0 ? r : contents_read(pool, false, error);
}

static int refuse_auth(const StoragePoolDefinition *pool, Error *error)
{
        return pool->source.auth
                       ? error_set(error, ERROR_NOT_SUPPORTED,
                                   "pool '%s': pools of type '%s' have no <auth>: it is for iscsi, "
                                   "iscsi-direct and rbd",
                                   pool->name, pool_type_to_string(pool->type))
                       : 0;
}

/* What is brought up on the host is written down first: the next daemon finds it by that. What it does not
 * find up it brings up, so that a pool is never half started. */
static int start(Pool *pool, const StoragePoolDefinition *definition, Error *error) AWAITS
{
        StoredFolder *running = &pool->pool.object.driver->storage->running;
        const Backend *backend = backend_for(pool, definition);
        Stored stored = stored_of(pool, (StoragePoolDefinition *)definition);
        int r = 0;

        if (!backend->is_folder && !backend->list)
                return backend_refuse(definition, "start", error);
        if (!backend->has_auth)
                r = refuse_auth(definition, error);
        if (r >= 0 && !pool->resumed)
                r = stored_save(running, &stored, error);
        if (r < 0)
                return r;
        if (backend->start)
                r = backend->start(definition, pool->resumed, error);
        if (r >= 0) {
                r = open_contents(pool, definition, error);
                if (r < 0) {
                        let_go(pool);
                        fiber_clear_cancel(); /* what is up is taken down all the same */
                        if (backend->stop && !pool->resumed)
                                (void)backend->stop(definition, NULL); /* `error` says what went wrong */
                }
        }
        if (r < 0) {
                if (!pool->resumed)
                        (void)stored_remove(running, pool->pool.object.uuid, NULL);
                return r;
        }
        pool->pool.is_active = true;
        show(pool);
        pool->resumed = storage_pool_definition_free(pool->resumed);
        return 0;
}

static int build(Pool *pool, BackendBuild how, Error *error) AWAITS
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *definition =
                pool_copy_definition(pool, pool->definition);
        const Backend *backend = backend_for(pool, definition);
        int r = backend->build ? backend->build(definition, how, error)
                               : backend_refuse(definition, "Build", error);

        if (r >= 0)
                announce(pool, EVENT_CREATED);
        return r;
}

static int load(Driver *driver, Stored *stored, Error *error)
{
        Pool *pool = pool_new(driver, stored->definition, stored->owner);
        int r;

        g_free(stored->value);
        pool->pool.is_persistent = true;
        pool->pool.is_autostart = stored->is_autostart;
        r = object_table_add(driver->objects, &pool->pool.object);
        object_unref(&pool->pool.object);
        return r < 0 ? error_set_errno(error, r, "Cannot take it") : 0;
}

/* What was started: those that are not defined as well are transient. */
static int load_running(Driver *driver, Stored *stored, Error *error)
{
        StoragePoolDefinition *definition = stored->definition;
        Pool *pool = (Pool *)object_table_by_uuid(driver->objects, OBJECT_STORAGE_POOL, definition->uuid);
        int r = 0;

        g_free(stored->value);
        if (!pool) {
                pool = pool_new(driver, storage_pool_definition_copy(definition), stored->owner);
                r = object_table_add(driver->objects, &pool->pool.object);
                object_unref(&pool->pool.object);
        }
        if (r < 0) {
                storage_pool_definition_free(definition);
                return error_set_errno(error, r, "Cannot take it");
        }
        pool->resumed = definition;
        return 0;
}

static void announce_start(Pool *pool)
{
        announce(pool, EVENT_STARTED);
        contents_announce(pool);
}

/* One that was not stopped is started with what it was started with. */
static void start_again(Pool *pool, bool is_boot) AWAITS
{
        _cleanup_(error_clear) Error error = {};
        _cleanup_(job_releasep) Job *job = NULL;
        int r = job_take(pool->pool.object.jobs, JOB_START, "autostart", (uid_t)-1, DEADLINE_NEVER, &job,
                         &error);

        if (r < 0 || pool->pool.object.is_gone || pool->pool.is_active)
                return;
        if (pool->resumed || (is_boot && pool->pool.is_autostart)) {
                _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *definition =
                        pool_copy_definition(pool, pool->resumed ? pool->resumed : pool->definition);

                r = start(pool, definition, &error);
                if (r >= 0)
                        announce_start(pool);
        }
        if (r < 0)
                log_warning(pool->pool.object.path, "storage pool %s was not started: %s",
                            pool->pool.object.name, error.message);
        job_set_error(job, &error);
}

void pools_run(Driver *driver)
{
        int running_fd = driver->storage->running.fd;
        bool is_boot = faccessat(running_fd, BOOTED_FILE, F_OK, 0) < 0;
        _cleanup_(error_clear) Error error = {};

        restart_pools(driver, is_boot, start_again);
        if (is_boot && store_write(running_fd, BOOTED_FILE, "", 0, 0600, &error) < 0)
                log_warning(driver->object.path, "storage pools start by themselves once more: %s",
                            error.message);
}

static char *format(const void *definition)
{
        return storage_pool_definition_format(definition);
}

#define STORED_POOL(load_function)                                                                          \
        {                                                                                                   \
                .element = "pool", .type = &storage_pool_definition_type,                                   \
                .uuid_offset = offsetof(StoragePoolDefinition, uuid), .format = format,                     \
                .load = (load_function)                                                                     \
        }

static int open_folders(Driver *driver, struct StorageState *state, Error *error)
{
        static const StoredType defined = STORED_POOL(load), running = STORED_POOL(load_running);
        _cleanup_(freep) char *config_path = g_build_filename(driver->config->config_dir, "storage", NULL);
        _cleanup_(freep) char *run_path = g_build_filename(driver->config->run_dir, "storage", NULL);
        int r = stored_folder_open(&state->defined, &defined, config_path, driver, error);

        if (r < 0)
                return r;
        r = stored_folder_open(&state->running, &running, run_path, driver, error);
        if (r < 0)
                stored_folder_close(&state->defined);
        return r;
}

int pools_open(Driver *driver, Error *error)
{
        struct StorageState *state = g_new0(struct StorageState, 1);
        int r;

        state->memory = backend_memory_new();
        driver->storage = state; /* of what is loaded */
        r = open_folders(driver, state, error);
        if (r < 0) {
                driver->storage = NULL;
                g_hash_table_unref(state->memory);
                g_free(state);
        }
        return r;
}

void pools_close(Driver *driver)
{
        if (!driver->storage)
                return;
        stored_folder_close(&driver->storage->defined);
        stored_folder_close(&driver->storage->running);
        g_hash_table_unref(driver->storage->memory);
        g_free(driver->storage);
        driver->storage = NULL;
}

/* The daemon works on the folder with its own rights: users could name any folder of the host. */
static int check_owner(const Call *call, const StoragePoolDefinition *definition, Error *error)
{
        if (!call->driver->config->is_system || call->owner == 0 || call->driver->type->is_in_memory)
                return 0;
        return error_set(
                error, ERROR_CONFIG_UNSUPPORTED,
                "pool '%s': on the system bus pools are root's and those of members of group libvirt; "
                "a daemon on your session's bus has pools of your own",
                definition->name);
}

static int check_others(const Driver *driver, const StoragePoolDefinition *definition, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *pools =
                object_table_list(driver->objects, OBJECT_STORAGE_POOL);

        for (unsigned i = 0; i < pools->len; i++) {
                const Pool *other = pools->pdata[i];
                bool is_same = strcmp(other->pool.object.uuid, definition->uuid) == 0;

                if (is_same != (strcmp(other->pool.object.name, definition->name) == 0))
                        return error_set(error, ERROR_EXISTS,
                                         "The storage pool '%s' has the UUID %s already",
                                         other->pool.object.name, other->pool.object.uuid);
                if (!is_same && backend_for(other, definition)->is_folder &&
                    backend_for(other, other->definition)->is_folder &&
                    strcmp(other->definition->path, definition->path) == 0)
                        return error_set(error, ERROR_EXISTS,
                                         "pool '%s': the path '%s' is that of pool '%s'", definition->name,
                                         definition->path, other->pool.object.name);
                if (!is_same && pools_have_same_source(other->definition, definition))
                        return error_set(error, ERROR_EXISTS,
                                         "pool '%s': what it stands on is that of pool '%s' already",
                                         definition->name, other->pool.object.name);
        }
        return 0;
}

static int reserve(const Driver *driver, Reservation *reservation, const StoragePoolDefinition *definition,
                   Error *error)
{
        int r = reservation_add(reservation, g_strdup_printf("name %s", definition->name), "name", error);

        if (r >= 0)
                r = reservation_add(reservation, g_strdup_printf("uuid %s", definition->uuid), "UUID",
                                    error);
        if (r >= 0 && backend_of(definition->type, driver->type->is_in_memory)->is_folder)
                r = reservation_add(reservation, g_strdup_printf("path %s", definition->path), "path",
                                    error);
        return r;
}

static int check(const Call *call, Reservation *reservation, StoragePoolDefinition *definition, Error *error)
{
        int r = check_owner(call, definition, error);

        storage_pool_definition_complete(definition);
        if (r >= 0)
                r = check_others(call->driver, definition, error);
        return r < 0 ? r : reserve(call->driver, reservation, definition, error);
}

int pools_define(Call *call, StoragePool *existing, StoragePoolDefinition *definition,
                 StoragePool **ret_pool, Error *error)
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *owned = definition;
        struct StorageState *state = call->driver->storage;
        _cleanup_(reservation_clear) Reservation reservation = { &state->defined };
        Pool *pool = pool_of(existing);
        Stored stored = { .definition = owned,
                          .owner = existing ? existing->object.owner : call->owner,
                          .is_autostart = existing && existing->is_autostart };
        int r = check(call, &reservation, owned, error);

        if (r >= 0)
                r = stored_save(&state->defined, &stored, error);
        if (r < 0)
                return r;
        if (pool) {
                storage_pool_definition_free(pool->definition);
                pool->definition = TAKE_PTR(owned);
                object_ref(&pool->pool.object);
        } else {
                pool = pool_new(call->driver, TAKE_PTR(owned), stored.owner);
                (void)object_table_add(call->driver->objects,
                                       &pool->pool.object); /* the UUID was reserved */
        }
        pool->pool.is_persistent = true;
        show(pool);
        announce(pool, EVENT_DEFINED);
        *ret_pool = &pool->pool;
        return 0;
}

static int check_create_flags(const char *operation, uint32_t flags, Error *error)
{
        uint32_t both = CREATE_WITH_BUILD_OVERWRITE | CREATE_WITH_BUILD_NO_OVERWRITE;
        int r = error_check_flags(error, operation, flags, CREATE_WITH_BUILD | both);

        if (r >= 0 && (flags & both) == both)
                r = error_set(
                        error, ERROR_INVALID_ARGUMENT,
                        "%s: the flags WITH_BUILD_OVERWRITE and WITH_BUILD_NO_OVERWRITE exclude each other",
                        operation);
        return r;
}

static int build_and_start(Pool *pool, uint32_t flags, Error *error) AWAITS
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *definition =
                pool_copy_definition(pool, pool->definition);
        int r = 0;

        if (flags != 0)
                r = build(pool,
                          flags & CREATE_WITH_BUILD_OVERWRITE      ? BACKEND_BUILD_OVERWRITE
                          : flags & CREATE_WITH_BUILD_NO_OVERWRITE ? BACKEND_BUILD_NO_OVERWRITE
                                                                   : BACKEND_BUILD_PLAIN,
                          error);
        return r < 0 ? r : start(pool, definition, error);
}

int pools_create_transient(Call *call, StoragePool *existing, StoragePoolDefinition *definition,
                           uint32_t flags, StoragePool **ret_pool, Error *error)
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *owned = definition;
        _cleanup_(reservation_clear) Reservation reservation = { &call->driver->storage->defined };
        Pool *pool;
        int r = check_create_flags("StoragePoolCreateXML", flags, error);

        if (r >= 0 && existing)
                r = error_set(error, ERROR_EXISTS, "The %s is there already: Create starts it",
                              object_describe(&existing->object));
        if (r >= 0)
                r = check(call, &reservation, owned, error);
        if (r < 0)
                return r;
        pool = pool_new(call->driver, TAKE_PTR(owned), call->owner);
        r = build_and_start(pool, flags, error);
        if (r < 0) {
                object_unref(&pool->pool.object);
                return r;
        }
        (void)object_table_add(call->driver->objects, &pool->pool.object); /* the UUID was reserved */
        announce_start(pool);
        *ret_pool = &pool->pool;
        return 0;
}

int pools_build(Call *call, StoragePool *storage_pool, uint32_t flags, Error *error)
{
        Pool *pool = pool_of(storage_pool);
        int r = error_refuse_flag(error, "Build", flags, BUILD_REPAIR, "REPAIR (1)") ?:
                error_refuse_flag(error, "Build", flags, BUILD_RESIZE, "RESIZE (2)") ?:
                error_check_flags(error, "Build", flags, BUILD_NO_OVERWRITE | BUILD_OVERWRITE);

        (void)call;
        if (r >= 0 && flags == (BUILD_NO_OVERWRITE | BUILD_OVERWRITE))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "Build: the flags OVERWRITE and NO_OVERWRITE exclude each other");
        if (r >= 0)
                r = refuse_active(pool, "built", error);
        if (r < 0)
                return r;
        return build(pool,
                     flags & BUILD_OVERWRITE      ? BACKEND_BUILD_OVERWRITE
                     : flags & BUILD_NO_OVERWRITE ? BACKEND_BUILD_NO_OVERWRITE
                                                  : BACKEND_BUILD_PLAIN,
                     error);
}

int pools_create(Call *call, StoragePool *storage_pool, uint32_t flags, Error *error)
{
        Pool *pool = pool_of(storage_pool);
        int r = check_create_flags("Create", flags, error);

        (void)call;
        if (r >= 0 && pool->pool.is_active)
                r = error_set(error, ERROR_OPERATION_INVALID, "The %s is started already",
                              object_describe(&pool->pool.object));
        if (r >= 0)
                r = build_and_start(pool, flags, error);
        if (r < 0)
                return r;
        announce_start(pool);
        return 0;
}

int pools_delete(Call *call, StoragePool *storage_pool, uint32_t flags, Error *error)
{
        Pool *pool = pool_of(storage_pool);
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *definition =
                pool_copy_definition(pool, pool->definition);
        const Backend *backend = backend_for(pool, definition);
        int r = error_refuse_flag(error, "Delete", flags, DELETE_ZEROED, "ZEROED (1)")
                        ?: error_check_flags(error, "Delete", flags, 0);

        (void)call;
        if (r >= 0)
                r = refuse_active(pool, "deleted", error);
        if (r >= 0)
                r = backend->remove ? backend->remove(definition, error)
                                    : backend_refuse(definition, "Delete", error);
        if (r >= 0)
                announce(pool, EVENT_DELETED);
        return r;
}

/* Takes down what the pool stands on; the folder must not be held open for that. */
static int stop(Pool *pool, Error *error) AWAITS
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *definition =
                pool_copy_definition(pool, pool->live);
        const Backend *backend = backend_for(pool, definition);
        int fd = pool->fd, r;

        if (!backend->stop)
                return 0;
        if (backend->is_folder) {
                contents_unwatch(pool);
                pool->fd = -EBADF;
                closep(&fd);
        }
        r = backend->stop(definition, error);
        if (r < 0 && backend->is_folder && files_open(definition->path, &pool->fd, NULL) >= 0)
                contents_watch(pool); /* all is as before */
        return r;
}

int pools_destroy(Call *call, StoragePool *storage_pool, Error *error)
{
        Pool *pool = pool_of(storage_pool);
        int r;

        if (!pool->pool.is_active)
                return error_set(error, ERROR_OPERATION_INVALID, "The %s is not started",
                                 object_describe(&pool->pool.object));
        r = stop(pool, error);
        if (r >= 0)
                r = stored_remove(&call->driver->storage->running, pool->pool.object.uuid, error);
        if (r < 0)
                return r;
        let_go(pool);
        announce(pool, EVENT_STOPPED);
        if (!pool->pool.is_persistent)
                remove_pool(pool);
        return 0;
}

static const StoragePoolDefinition *definition_shown(const Pool *pool)
{
        return pool->pool.is_active ? pool->live : pool->definition;
}

int pools_get_info(Call *call, StoragePool *storage_pool, GVariant **ret_info, Error *error)
{
        Pool *pool = pool_of(storage_pool);
        const StoragePoolDefinition *shown;
        int r = pool->pool.is_active ? contents_measure(pool, error) : 0;

        (void)call;
        if (r < 0)
                return r;
        shown = definition_shown(pool);
        *ret_info = g_variant_ref_sink(g_variant_new("(ittt)",
                                                     pool->pool.is_active ? STATE_RUNNING : STATE_INACTIVE,
                                                     shown->capacity, shown->allocation, shown->available));
        return 0;
}

int pools_get_xml_desc(Call *call, StoragePool *storage_pool, uint32_t flags, char **ret_xml, Error *error)
{
        Pool *pool = pool_of(storage_pool);
        int r = error_check_flags(error, "GetXMLDesc", flags, XML_INACTIVE);

        (void)call;
        if (r >= 0 && pool->pool.is_active && !(flags & XML_INACTIVE))
                r = contents_measure(pool, error);
        if (r >= 0)
                *ret_xml = storage_pool_definition_format(flags & XML_INACTIVE ? pool->definition
                                                                               : definition_shown(pool));
        return r;
}

int pools_refresh(Call *call, StoragePool *storage_pool, uint32_t flags, Error *error)
{
        Pool *pool = pool_of(storage_pool);
        _cleanup_(closep) int fd = -EBADF;
        int r = error_check_flags(error, "Refresh", flags, 0);

        (void)call;
        if (r >= 0 && pool_backend(pool)->is_folder)
                r = contents_open(pool, &fd, error);
        if (r >= 0 && pool_backend(pool)->is_folder)
                r = files_tidy(fd, error);
        if (r >= 0)
                r = contents_read(pool, false, error);
        if (r >= 0)
                contents_announce(pool);
        return r;
}

int pools_set_autostart(Call *call, StoragePool *storage_pool, bool value, Error *error)
{
        Pool *pool = pool_of(storage_pool);
        Stored stored = stored_of(pool, pool->definition);
        int r;

        if (!pool->pool.is_persistent)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The %s is not stored: it cannot start by itself",
                                 object_describe(&pool->pool.object));
        stored.is_autostart = value;
        r = stored_save(&call->driver->storage->defined, &stored, error);
        if (r >= 0) {
                pool->pool.is_autostart = value;
                object_changed(&pool->pool.object, "Autostart");
        }
        return r;
}

int pools_undefine(Call *call, StoragePool *storage_pool, Error *error)
{
        Pool *pool = pool_of(storage_pool);
        int r = refuse_active(pool, "undefined", error);

        /* One that could not be started again after a restart is still kept as started. */
        if (r >= 0 && pool->resumed)
                r = stored_remove(&call->driver->storage->running, pool->pool.object.uuid, error);
        if (r >= 0 && pool->pool.is_persistent)
                r = stored_remove(&call->driver->storage->defined, pool->pool.object.uuid, error);
        if (r < 0)
                return r;
        announce(pool, EVENT_UNDEFINED);
        remove_pool(pool);
        return 0;
}
