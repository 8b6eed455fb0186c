/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A filter may refer to one that is not there yet, but never, over whatever others, to itself; and one that
 * others refer to stays. */

#include "drivers/nwfilter/filters.h"
#include "core/log.h"
#include "drivers/nwfilter/ports.h"
#include "drivers/nwfilter/shipped.h"
#include "drivers/nwfilter/state.h"
#include <string.h>

static FilterDefinition **definition_of(void *object)
{
        return &((StoredFilter *)object)->definition;
}

static void filter_free(Object *object)
{
        filter_definition_free(*definition_of(object));
        nwfilter_done((NWFilter *)object);
        object_done(object);
        g_free(object);
}

/* Takes the definition over. */
static Object *filter_new(Driver *driver, FilterDefinition *definition, uid_t owner)
{
        StoredFilter *filter = g_new0(StoredFilter, 1);

        filter->definition = definition;
        object_init(&filter->filter.object, OBJECT_NWFILTER, driver, definition->uuid, definition->name,
                    definition->uuid, owner, filter_free);
        nwfilter_init(&filter->filter, definition->chain, definition->priority);
        return &filter->filter.object;
}

static int load(Driver *driver, Stored *stored, Error *error)
{
        Object *object = filter_new(driver, stored->definition, stored->owner);
        int r = object_table_add(driver->objects, object);

        g_free(stored->value);
        object_unref(object);
        return r < 0 ? error_set_errno(error, r, "Cannot take it") : 0;
}

static int parse(const XmlNode *node, void **ret_definition, Error *error)
{
        return filter_definition_read(node, (FilterDefinition **)ret_definition, error);
}

static void release(void *definition)
{
        filter_definition_free(definition);
}

static char *format(const void *definition)
{
        return filter_definition_format(definition);
}

/* An administrator's filter of the same UUID or name is what counts. */
void filters_ship(Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *definitions = shipped_read();

        while (definitions->len > 0) {
                FilterDefinition *definition = g_ptr_array_steal_index(definitions, 0);
                Object *object = object_table_by_uuid(driver->objects, OBJECT_NWFILTER, definition->uuid);
                const Object *other =
                        object_table_owned(driver->objects, OBJECT_NWFILTER, definition->name, 0);

                if (object || other) {
                        if (object)
                                nwfilter_set_origin((NWFilter *)object, true, true);
                        filter_definition_free(definition);
                        continue;
                }
                object = filter_new(driver, definition, 0);
                nwfilter_set_origin((NWFilter *)object, true, false);
                (void)object_table_add(driver->objects, object); /* nobody has the UUID */
                object_unref(object);
        }
}

int filters_open(Driver *driver, Error *error)
{
        static const StoredType type = {
                .element = "filter",
                .parse = parse,
                .release = release,
                .uuid_offset = offsetof(FilterDefinition, uuid),
                .format = format,
                .load = load,
        };
        _cleanup_(freep) char *path = g_build_filename(driver->config->config_dir, "nwfilter", NULL);
        struct FilterState *state = g_new0(struct FilterState, 1);
        int r = stored_folder_open(&state->folder, &type, path, driver, error);

        if (r < 0) {
                g_free(state);
                return r;
        }
        state->driver = driver;
        driver->filters = state;
        return 0;
}

void filters_close(Driver *driver)
{
        if (!driver->filters)
                return;
        stored_folder_close(&driver->filters->folder);
        filter_ports_release(driver);
        condition_clear(&driver->filters->unlocked);
        g_free(driver->filters);
        driver->filters = NULL;
}

static bool has_reference(const FilterDefinition *definition, const char *name)
{
        for (unsigned i = 0; i < definition->entries->len; i++) {
                const FilterEntry *entry = definition->entries->pdata[i];

                if (g_strcmp0(entry->reference, name) == 0)
                        return true;
        }
        return false;
}

/* By name; a filter refers to those of its owner. */
static GHashTable *definitions(Driver *driver, uid_t owner)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *filters =
                object_table_list(driver->objects, OBJECT_NWFILTER);
        GHashTable *by_name = g_hash_table_new(g_str_hash, g_str_equal);

        for (unsigned i = 0; i < filters->len; i++) {
                FilterDefinition *definition = *definition_of(filters->pdata[i]);

                if (((const Object *)filters->pdata[i])->owner == owner)
                        g_hash_table_insert(by_name, definition->name, definition);
        }
        return by_name;
}

/* Whether `definition` refers, over whatever others, to the filter of that name. Every filter is looked at
 * once, and none on the stack: chains may be long. */
static bool refers_to(GHashTable *by_name, const FilterDefinition *definition, const char *name)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *left = g_ptr_array_new();

        for (; definition;
             definition = left->len > 0 ? g_ptr_array_steal_index_fast(left, left->len - 1) : NULL) {
                if (has_reference(definition, name))
                        return true;
                for (unsigned i = 0; i < definition->entries->len; i++) {
                        const FilterEntry *entry = definition->entries->pdata[i];
                        void *next =
                                entry->reference ? g_hash_table_lookup(by_name, entry->reference) : NULL;

                        if (next && g_hash_table_add(seen, next))
                                g_ptr_array_add(left, next);
                }
        }
        return false;
}

static int check(Driver *driver, const Object *existing, const FilterDefinition *definition, uid_t owner,
                 Error *error)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *by_name = definitions(driver, owner);
        const Object *other = object_table_owned(driver->objects, OBJECT_NWFILTER, definition->name, owner);

        if (existing && strcmp(existing->name, definition->name) != 0)
                return error_set(error, ERROR_EXISTS,
                                 "The filter with UUID %s is named '%s' already, not '%s'", existing->uuid,
                                 existing->name, definition->name);
        if (!existing && other)
                return error_set(error, ERROR_EXISTS,
                                 "There is a filter named '%s' already, with the UUID %s", definition->name,
                                 other->uuid);
        if (!existing && object_table_by_uuid(driver->objects, OBJECT_NWFILTER, definition->uuid))
                return error_set(error, ERROR_EXISTS, "There is a filter with UUID %s already",
                                 definition->uuid); /* while the lock was waited for */
        if (refers_to(by_name, definition, definition->name))
                return error_set(error, ERROR_INVALID_XML, "filter '%s': it would contain itself",
                                 definition->name);
        return 0;
}

static int reserve(Reservation *reservation, const FilterDefinition *definition, uid_t owner, Error *error)
{
        int r = reservation_add(reservation, g_strdup_printf("name %u %s", owner, definition->name), "name",
                                error);

        return r < 0 ? r
                     : reservation_add(reservation, g_strdup_printf("uuid %s", definition->uuid), "UUID",
                                       error);
}

/* Machines that use it have it first: what the kernel refuses is not stored. */
static int store(Call *call, const Object *object, FilterDefinition *definition, Error *error) AWAITS
{
        Stored stored = { .definition = definition, .owner = object ? object->owner : call->owner };
        _cleanup_(error_clear) Error problem = {};
        int r = filter_ports_change(call->driver, definition, stored.owner, error);

        if (r < 0)
                return r;
        r = stored_save(&call->driver->filters->folder, &stored, error);
        if (r < 0 && object &&
            filter_ports_change(call->driver, ((const StoredFilter *)object)->definition, stored.owner,
                                &problem) < 0)
                log_error(object->path, "machines have the filter %s as it was not stored: %s", object->name,
                          problem.message);
        return r;
}

/* Takes the definition over. */
static void replace(StoredFilter *filter, FilterDefinition *definition)
{
        filter_definition_free(filter->definition);
        filter->definition = definition;
        nwfilter_set_shape(&filter->filter, definition->chain, definition->priority);
}

static int define(Call *call, Object *object, FilterDefinition *definition, NWFilter **ret_filter,
                  Error *error) AWAITS
{
        _cleanup_(filter_definition_freep) FilterDefinition *owned = definition;
        _cleanup_(reservation_clear) Reservation reservation = { &call->driver->filters->folder };
        uid_t owner = object ? object->owner : call->owner;
        int r;

        filter_definition_complete(owned);
        r = check(call->driver, object, owned, owner, error);
        if (r >= 0)
                r = reserve(&reservation, owned, owner, error);
        if (r >= 0)
                r = store(call, object, owned, error);
        if (r < 0)
                return r;
        if (object) {
                replace((StoredFilter *)object, TAKE_PTR(owned));
                nwfilter_set_origin((NWFilter *)object, ((NWFilter *)object)->is_shipped,
                                    ((NWFilter *)object)->is_shipped);
                object_ref(object);
        } else {
                object = filter_new(call->driver, TAKE_PTR(owned), owner);
                (void)object_table_add(call->driver->objects, object); /* the UUID was reserved */
        }
        *ret_filter = (NWFilter *)object;
        return 0;
}

/* One at a time, for two could make a circle together. */
int filters_define(Call *call, NWFilter *existing, FilterDefinition *definition, NWFilter **ret_filter,
                   Error *error)
{
        struct FilterState *state = call->driver->filters;
        int r = filter_lock(state, call->deadline_usec, error);

        if (r < 0) {
                filter_definition_free(definition);
                return r;
        }
        r = define(call, (Object *)existing, definition, ret_filter, error);
        filter_unlock(state);
        return r;
}

int filters_get_xml_desc(Call *call, NWFilter *filter, uint32_t flags, char **ret_xml, Error *error)
{
        int r = error_check_flags(error, "GetXMLDesc", flags, 0);

        (void)call;
        if (r >= 0)
                *ret_xml = filter_definition_format(*definition_of(filter));
        return r;
}

/* Neither a part of another filter nor of what a machine that runs has. */
static int check_unused(Driver *driver, const Object *object, Error *error)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *by_name = definitions(driver, object->owner);
        const GPtrArray *users = ((const NWFilter *)object)->users;
        GHashTableIter at;
        void *other;

        g_hash_table_iter_init(&at, by_name);
        while (g_hash_table_iter_next(&at, NULL, &other))
                if (has_reference(other, object->name))
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "The filter '%s' is a part of filter '%s'", object->name,
                                         ((const FilterDefinition *)other)->name);
        if (users->len > 0)
                return error_set(error, ERROR_OPERATION_INVALID, "The filter '%s' is in use by the %s",
                                 object->name, object_describe(users->pdata[0]));
        return 0;
}

static FilterDefinition *find_shipped(const char *uuid)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *definitions = shipped_read();

        for (unsigned i = 0; i < definitions->len; i++)
                if (strcmp(((const FilterDefinition *)definitions->pdata[i])->uuid, uuid) == 0)
                        return g_ptr_array_steal_index(definitions, i);
        return NULL;
}

/* One that came with virtbus and was changed is as it came again. */
static int restore(Driver *driver, StoredFilter *filter, Error *error) AWAITS
{
        _cleanup_(filter_definition_freep) FilterDefinition *original = NULL;
        Object *object = &filter->filter.object;
        int r;

        if (!filter->filter.is_modified)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The filter '%s' comes with virtbus: it can be defined anew, not undefined",
                                 object->name);
        original = find_shipped(object->uuid);
        if (!original)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The filter '%s' as it came with virtbus is not installed any more",
                                 object->name);
        r = check(driver, object, original, object->owner, error);
        if (r >= 0)
                r = filter_ports_change(driver, original, object->owner, error);
        if (r >= 0)
                r = stored_remove(&driver->filters->folder, object->uuid, error);
        if (r < 0)
                return r;
        replace(filter, TAKE_PTR(original));
        nwfilter_set_origin(&filter->filter, true, false);
        return 0;
}

static int undefine(Driver *driver, Object *object, Error *error) AWAITS
{
        int r;

        if (((NWFilter *)object)->is_shipped)
                return restore(driver, (StoredFilter *)object, error);
        r = check_unused(driver, object, error);
        if (r >= 0)
                r = stored_remove(&driver->filters->folder, object->uuid, error);
        if (r >= 0)
                object_table_remove(driver->objects, object);
        return r;
}

int filters_undefine(Call *call, NWFilter *filter, Error *error)
{
        int r = filter_lock(call->driver->filters, call->deadline_usec, error);

        if (r < 0)
                return r;
        r = undefine(call->driver, (Object *)filter, error);
        filter_unlock(call->driver->filters);
        return r;
}
