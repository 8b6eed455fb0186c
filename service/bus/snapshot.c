/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Snapshots natively: their properties, and methods that say in words what the drivers' operations take as
 * bits and XML. */

#include "objects/snapshot.h"
#include "bus/call.h"
#include "bus/marshal.h"
#include "bus/options.h"
#include "handlers.h"
#include <string.h>

#define OPERATIONS(frame) (&(frame)->path.driver->operations->snapshot)

static const SnapshotDefinition *definition_of(Object *object)
{
        return ((DomainSnapshot *)object)->definition;
}

int snapshot_native_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->name);
}

int snapshot_native_property_domain(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "o", ((DomainSnapshot *)object)->domain->object.path);
}

int snapshot_native_property_parent(Object *object, sd_bus_message *reply, Error *error)
{
        const DomainSnapshot *parent = snapshot_parent((DomainSnapshot *)object);

        (void)error;
        return sd_bus_message_append(reply, "o", parent ? parent->object.path : "/");
}

int snapshot_native_property_description(Object *object, sd_bus_message *reply, Error *error)
{
        const char *description = definition_of(object)->description;

        (void)error;
        return marshal_append_string(reply, description ? description : "");
}

int snapshot_native_property_state(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, snapshot_state_to_string(definition_of(object)->state));
}

int snapshot_native_property_created_at(Object *object, sd_bus_message *reply, Error *error)
{
        int64_t seconds = definition_of(object)->creation_time;

        (void)error;
        seconds = CLAMP(seconds, 0, INT64_MAX / G_USEC_PER_SEC);
        return sd_bus_message_append(reply, "t", (uint64_t)seconds * G_USEC_PER_SEC);
}

int snapshot_native_property_current(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((DomainSnapshot *)object)->is_current);
}

int snapshot_native_property_kind(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(
                reply, snapshot_definition_is_external(definition_of(object)) ? "external" : "internal");
}

int domain_native_property_snapshots(Object *object, sd_bus_message *reply, Error *error)
{
        const GPtrArray *snapshots = ((Domain *)object)->snapshots;
        int r = sd_bus_message_open_container(reply, 'a', "o");

        (void)error;
        for (unsigned i = 0; r >= 0 && i < snapshots->len; i++)
                r = sd_bus_message_append(reply, "o", ((DomainSnapshot *)snapshots->pdata[i])->object.path);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int snapshot_native_delete(CallFrame *frame, DomainSnapshot *snapshot, GVariant *options, Error *error)
{
        /* virDomainSnapshotDeleteFlags. */
        static const Option known[] = {
                { "children", 1 << 0, 0 },
                { "metadata-only", 1 << 1, 0 },
                { "children-only", 1 << 2, 0 },
                {},
        };
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r < 0)
                return r;
        return OPERATIONS(frame)->delete (&frame->call, snapshot, flags, error);
}

int snapshot_native_revert(CallFrame *frame, DomainSnapshot *snapshot, GVariant *options, Error *error)
{
        /* virDomainSnapshotRevertFlags. */
        static const Option known[] = {
                { "running", 1 << 0, 0 },
                { "paused", 1 << 1, 0 },
                { "force", 1 << 2, 0 },
                {},
        };
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r < 0)
                return r;
        return OPERATIONS(frame)->revert(&frame->call, snapshot, flags, error);
}

int snapshot_native_get_xml(CallFrame *frame, DomainSnapshot *snapshot, GVariant *options, char **ret_xml,
                            Error *error)
{
        static const Option known[] = { { "secure", DEFINITION_SECURE, 0 }, {} };
        static const InterfaceAction secure_actions[] = {
                { "org.libvirt.api.domain.read-secure", -1, 0, false },
                {},
        };
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r >= 0 && flags & DEFINITION_SECURE)
                r = call_authorise(frame, secure_actions, error);
        if (r >= 0)
                r = call_require_object(frame, error);
        if (r < 0)
                return r;
        return OPERATIONS(frame)->get_xml_desc(&frame->call, snapshot, flags, ret_xml, error);
}

/* virDomainSnapshotCreateFlags. */
enum {
        CREATE_HALT = 1 << 3,
        CREATE_DISK_ONLY = 1 << 4,
        CREATE_REUSE_EXT = 1 << 5,
        CREATE_QUIESCE = 1 << 6,
        CREATE_LIVE = 1 << 8,
};

typedef struct Request {
        SnapshotDefinition *definition;
        DiskSnapshot kind;
        YesNo memory;
        uint32_t flags;
} Request;

static void request_clear(Request *request)
{
        snapshot_definition_free(request->definition);
}

static int wrong_type(const char *name, GVariant *value, const char *expected, Error *error)
{
        return error_set(error, ERROR_INVALID_ARGUMENT, "Option '%s' is %s, not '%s'", name, expected,
                         g_variant_get_type_string(value));
}

static int read_images(Request *request, GVariant *value, Error *error)
{
        GVariantIter iter;
        const char *target, *path;

        if (!g_variant_is_of_type(value, G_VARIANT_TYPE("a{ss}")))
                return wrong_type("images", value, "a{ss}, targets and files", error);
        g_variant_iter_init(&iter, value);
        while (g_variant_iter_next(&iter, "{&s&s}", &target, &path)) {
                SnapshotDisk *disk = struct_new(&snapshot_disk_type);

                disk->name = g_strdup(target);
                disk->snapshot = DISK_SNAPSHOT_EXTERNAL;
                disk->source.file = g_strdup(path);
                list_append(&request->definition->disks, disk);
        }
        return 0;
}

static int read_text(Request *request, const char *name, GVariant *value, Error *error)
{
        static const struct {
                const char *name;
                size_t offset;
        } texts[] = {
                { "name", offsetof(SnapshotDefinition, name) },
                { "description", offsetof(SnapshotDefinition, description) },
                { "memory-file", offsetof(SnapshotDefinition, memory_file) },
        };
        const char *text = g_variant_get_string(value, NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                if (strcmp(texts[i].name, name) == 0) {
                        char **at = (char **)((char *)request->definition + texts[i].offset);

                        g_free(*at);
                        *at = g_strdup(text);
                        return 0;
                }
        if (strcmp(name, "kind") != 0)
                return wrong_type(name, value, "something else", error);
        for (DiskSnapshot kind = DISK_SNAPSHOT_INTERNAL; kind <= DISK_SNAPSHOT_EXTERNAL; kind++)
                if (strcmp(disk_snapshot_to_string(kind), text) == 0) {
                        request->kind = kind;
                        return 0;
                }
        return error_set(error, ERROR_INVALID_ARGUMENT, "'%s' is no kind of snapshot: internal or external",
                         text);
}

static int read_option(Request *request, const char *name, GVariant *value, Error *error)
{
        static const Option switches[] = {
                { "halt", CREATE_HALT, 0 },
                { "reuse-images", CREATE_REUSE_EXT, 0 },
                { "quiesce", CREATE_QUIESCE, 0 },
                { "live", CREATE_LIVE, 0 },
                {},
        };
        static const char *const others[] = { "name", "description", "memory-file", "kind", NULL };
        const bool is_boolean = g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN);

        if (strcmp(name, "images") == 0)
                return read_images(request, value, error);
        if (g_strv_contains(others, name))
                return g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)
                               ? read_text(request, name, value, error)
                               : wrong_type(name, value, "a text", error);
        if (strcmp(name, "memory") == 0) {
                request->memory = is_boolean && g_variant_get_boolean(value) ? YES : NO;
                return is_boolean ? 0 : wrong_type(name, value, "a boolean", error);
        }
        for (const Option *option = switches; option->name; option++) {
                if (strcmp(option->name, name) != 0)
                        continue;
                if (!is_boolean)
                        return wrong_type(name, value, "a boolean", error);
                request->flags |= g_variant_get_boolean(value) ? option->flags : 0;
                return 0;
        }
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "There is no option '%s' here: known are name, description, kind, memory, "
                         "memory-file, images, reuse-images, quiesce, live, halt",
                         name);
}

/* What the words mean together. */
static int request_finish(Request *request, const Domain *domain, Error *error)
{
        SnapshotDefinition *definition = request->definition;

        if (request->kind == DISK_SNAPSHOT_DEFAULT)
                request->kind = definition->disks.count > 0 || definition->memory_file
                                        ? DISK_SNAPSHOT_EXTERNAL
                                        : DISK_SNAPSHOT_INTERNAL;
        if (request->kind == DISK_SNAPSHOT_INTERNAL &&
            (definition->disks.count > 0 || definition->memory_file))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "images and memory-file are for snapshots of kind external");
        if (request->memory == NO && definition->memory_file)
                return error_set(error, ERROR_INVALID_ARGUMENT, "A memory-file needs memory to be saved");
        if (request->kind == DISK_SNAPSHOT_INTERNAL) {
                if (request->memory == NO && domain_is_active(domain))
                        request->flags |= CREATE_DISK_ONLY;
                return 0;
        }
        if (definition->memory_file)
                definition->memory = DISK_SNAPSHOT_EXTERNAL;
        else if (request->memory == YES)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "An external snapshot with memory needs a memory-file");
        else
                request->flags |= CREATE_DISK_ONLY;
        return 0;
}

int domain_native_create_snapshot(CallFrame *frame, Domain *domain, GVariant *options,
                                  DomainSnapshot **ret_snapshot, Error *error)
{
        static const InterfaceAction freeze_actions[] = {
                { "org.libvirt.api.domain.fs-freeze", -1, 0, false },
                {},
        };
        const DriverOperations *operations = frame->path.driver->operations;
        _cleanup_(request_clear) Request request = { .definition = struct_new(&snapshot_definition_type) };
        _cleanup_(freep) char *xml = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g_variant_n_children(options); i++) {
                _cleanup_(g_variant_unrefp) GVariant *value = NULL;
                _cleanup_(freep) char *name = NULL;

                g_variant_get_child(options, i, "{sv}", &name, &value);
                r = read_option(&request, name, value, error);
        }
        if (r >= 0)
                r = request_finish(&request, domain, error);
        if (r >= 0 && request.flags & CREATE_QUIESCE)
                r = call_authorise(frame, freeze_actions, error);
        if (r >= 0)
                r = call_require_object(frame, error);
        if (r < 0)
                return r;
        xml = snapshot_definition_format(request.definition, DEFINITION_SECURE);
        return operations->domain.snapshot_create_xml(&frame->call, domain, xml, request.flags, ret_snapshot,
                                                      error);
}
