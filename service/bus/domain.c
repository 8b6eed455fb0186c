/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A machine as an object: the properties of both families and what can be answered from memory for every
 * driver. */

#include "bus/call.h"
#include "bus/jobs.h"
#include "bus/marshal.h"
#include "bus/options.h"
#include "handlers.h"

static const DomainDefinition *definition_of(Object *object)
{
        return domain_current_definition((Domain *)object);
}

int domain_property_active(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", domain_is_active((Domain *)object));
}

int domain_property_autostart(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((Domain *)object)->is_autostart);
}

int domain_property_id(Object *object, sd_bus_message *reply, Error *error)
{
        const Domain *domain = (Domain *)object;

        (void)error;
        return sd_bus_message_append(reply, "u", domain_is_active(domain) ? (uint32_t)domain->id : 0);
}

int domain_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->name);
}

int domain_property_os_type(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, os_type_to_string(definition_of(object)->os.type));
}

int domain_property_persistent(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((Domain *)object)->is_persistent);
}

int domain_property_updated(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((Domain *)object)->is_updated);
}

int domain_property_uuid(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->uuid);
}

int domain_property_scheduler_type(Object *object, sd_bus_message *reply, Error *error)
{
        const char *scheduler = object->driver->type->scheduler;

        if (scheduler)
                return sd_bus_message_append(reply, "(si)", scheduler, 0);
        /* Schedulers are cgroups' and nothing puts machines under limits of theirs yet. */
        return error_set(error, ERROR_NOT_SUPPORTED, "No CPU scheduler of machines can be set on this host");
}

int domain_native_property_driver(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "s", object->driver->name);
}

int domain_native_property_id(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "i", ((Domain *)object)->id);
}

int domain_native_property_state(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "s", domain_state_to_string(((Domain *)object)->state));
}

int domain_native_property_state_reason(Object *object, sd_bus_message *reply, Error *error)
{
        const Domain *domain = (Domain *)object;

        (void)error;
        return sd_bus_message_append(reply, "s", domain_reason_to_string(domain->state, domain->reason));
}

int domain_native_property_owner(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "u", (uint32_t)object->owner);
}

int domain_native_property_vcpus(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "u", definition_of(object)->current_vcpus);
}

int domain_native_property_memory_kib(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "t", definition_of(object)->current_memory_kib);
}

int domain_native_property_max_memory_kib(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "t", definition_of(object)->memory_kib);
}

int domain_native_property_started_at(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "t", ((Domain *)object)->started_at_usec);
}

int domain_native_property_created_at(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "t", ((Domain *)object)->created_at_usec);
}

int domain_native_property_last_changed_by(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "u", (uint32_t)((Domain *)object)->changed_by);
}

int domain_native_property_title(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, definition_of(object)->title);
}

int domain_native_property_description(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, definition_of(object)->description);
}

int domain_native_property_job(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "o", job_path_of(object));
}

static void console_add(GVariantBuilder *consoles, const char *kind, const ChardevSource *source,
                        const DeviceInfo *info)
{
        GVariantBuilder entry;

        g_variant_builder_init(&entry, G_VARIANT_TYPE_VARDICT);
        marshal_entry_string(&entry, "alias", info->alias);
        marshal_entry_string(&entry, "kind", kind);
        marshal_entry_string(&entry, "type", chardev_type_to_string(source->type));
        marshal_entry_string(&entry, "path", source->path);
        g_variant_builder_add_value(consoles, g_variant_builder_end(&entry));
}

/* Serial ports and consoles; the console that only repeats the first serial port is left out. */
int domain_native_property_consoles(Object *object, sd_bus_message *reply, Error *error)
{
        const DomainDevices *devices = &definition_of(object)->devices;
        GVariantBuilder consoles;

        (void)error;
        g_variant_builder_init(&consoles, G_VARIANT_TYPE("aa{sv}"));
        LIST_FOREACH (serial, devices->serials)
                console_add(&consoles, "serial", &serial->source, &serial->info);
        LIST_FOREACH (console, devices->consoles)
                if (console->target != CONSOLE_TARGET_SERIAL)
                        console_add(&consoles, "console", &console->source, &console->info);
        return marshal_append(reply, g_variant_builder_end(&consoles), false);
}

int domain_native_property_graphics(Object *object, sd_bus_message *reply, Error *error)
{
        const DomainDevices *devices = &definition_of(object)->devices;
        GVariantBuilder all;

        (void)error;
        g_variant_builder_init(&all, G_VARIANT_TYPE("aa{sv}"));
        LIST_FOREACH (graphics, devices->graphics) {
                GVariantBuilder entry;

                g_variant_builder_init(&entry, G_VARIANT_TYPE_VARDICT);
                marshal_entry_string(&entry, "type", graphics_type_to_string(graphics->type));
                marshal_entry_string(&entry, "listen", graphics->listen);
                marshal_entry_string(&entry, "socket", graphics->socket);
                if (graphics->has_port && graphics->port > 0)
                        g_variant_builder_add(&entry, "{sv}", "port", g_variant_new_int32(graphics->port));
                if (graphics->has_tls_port && graphics->tls_port > 0)
                        g_variant_builder_add(&entry, "{sv}", "tls-port",
                                              g_variant_new_int32(graphics->tls_port));
                g_variant_builder_add_value(&all, g_variant_builder_end(&entry));
        }
        return marshal_append(reply, g_variant_builder_end(&all), false);
}

int domain_native_property_addresses(Object *object, sd_bus_message *reply, Error *error)
{
        const GPtrArray *addresses = ((Domain *)object)->addresses;
        GVariantBuilder all;

        (void)error;
        g_variant_builder_init(&all, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; addresses && i < addresses->len; i++) {
                const DomainAddress *address = addresses->pdata[i];
                GVariantBuilder entry;

                g_variant_builder_init(&entry, G_VARIANT_TYPE_VARDICT);
                marshal_entry_string(&entry, "alias", address->alias);
                marshal_entry_string(&entry, "mac", address->mac);
                marshal_entry_string(&entry, "address", address->address);
                marshal_entry_string(&entry, "family", address->is_ipv6 ? "ipv6" : "ipv4");
                if (address->prefix > 0)
                        g_variant_builder_add(&entry, "{sv}", "prefix",
                                              g_variant_new_uint32(address->prefix));
                marshal_entry_string(&entry, "source", address->source);
                g_variant_builder_add_value(&all, g_variant_builder_end(&entry));
        }
        return marshal_append(reply, g_variant_builder_end(&all), false);
}

int domain_get_state(CallFrame *frame, Domain *domain, uint32_t flags, GVariant **ret_state, Error *error)
{
        int r = error_check_flags(error, "GetState", flags, 0);

        (void)frame;
        if (r < 0)
                return r;
        *ret_state = g_variant_ref_sink(g_variant_new("(ii)", (int)domain->state, domain->reason));
        return 0;
}

int domain_get_xml_desc(CallFrame *frame, Domain *domain, uint32_t flags, char **ret_xml, Error *error)
{
        const uint32_t known =
                DEFINITION_SECURE | DEFINITION_INACTIVE | DEFINITION_UPDATE_CPU | DEFINITION_MIGRATABLE;
        const DriverType *type = frame->path.driver->type;
        const DomainDefinition *definition = domain_current_definition(domain);
        _cleanup_(domain_definition_freep) DomainDefinition *updated = NULL;
        int r = error_check_flags(error, "GetXMLDesc", flags, known);
        bool is_live;

        if (r < 0)
                return r;
        if (flags & DEFINITION_INACTIVE && domain->definition)
                definition = domain->definition;
        is_live = definition == domain->live;
        /* Another host must know the passwords, and the processor: its own may be different. */
        if (flags & DEFINITION_MIGRATABLE)
                flags |= DEFINITION_SECURE | DEFINITION_UPDATE_CPU;
        if (flags & DEFINITION_UPDATE_CPU && type->update_cpu) {
                updated = domain_definition_copy(definition);
                type->update_cpu(frame->path.driver, updated, domain->object.owner);
                definition = updated;
        }
        if (is_live && type->show_live && !(flags & (DEFINITION_INACTIVE | DEFINITION_MIGRATABLE))) {
                if (!updated)
                        updated = domain_definition_copy(definition);
                type->show_live(domain, updated);
                definition = updated;
        }
        *ret_xml = domain_definition_format(definition, is_live ? flags : flags | DEFINITION_INACTIVE);
        return 0;
}

/* virDomainModificationImpact. */
enum {
        AFFECT_LIVE = 1 << 0,
        AFFECT_CONFIG = 1 << 1,
};

int domain_get_metadata(CallFrame *frame, Domain *domain, int32_t type, const char *uri, uint32_t flags,
                        char **ret_metadata, Error *error)
{
        const DomainDefinition *definition = domain_current_definition(domain);
        int r = error_check_flags(error, "GetMetadata", flags, AFFECT_LIVE | AFFECT_CONFIG);

        (void)frame;
        if (r < 0)
                return r;
        if ((flags & AFFECT_LIVE && flags & AFFECT_CONFIG))
                return error_set(
                        error, ERROR_INVALID_ARGUMENT,
                        "GetMetadata reads the live (1) or the persistent (2) definition, not both");
        if (flags & AFFECT_LIVE && !domain->live)
                return domain_check_active(domain, error);
        if (flags & AFFECT_CONFIG) {
                if (!domain->is_persistent)
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "The %s has no persistent definition",
                                         object_describe(&domain->object));
                definition = domain->definition;
        }
        return domain_definition_get_metadata(definition, type, uri, ret_metadata, error);
}
