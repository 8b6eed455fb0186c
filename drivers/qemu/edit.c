/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Small changes of a definition: name, autostart, metadata. Each is stored before it counts. */

#include "drivers/qemu/definitions.h"
#include "drivers/qemu/operations.h"
#include "drivers/qemu/status.h"
#include <string.h>

/* Details of virDomainEventType, and virDomainModificationImpact. */
enum {
        DEFINED_RENAMED = 2,
        UNDEFINED_RENAMED = 1,
        AFFECT_LIVE = 1 << 0,
        AFFECT_CONFIG = 1 << 1,
};

static int check_persistent(const Domain *domain, Error *error)
{
        if (domain->is_persistent)
                return 0;
        return error_set(error, ERROR_OPERATION_INVALID,
                         "The %s lives for one run: it has no persistent definition",
                         object_describe(&domain->object));
}

int qemu_domain_rename(Call *call, Domain *domain, const char *name, uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *renamed = NULL;
        Object *other;
        int r;

        r = error_check_flags(error, "Rename", flags, 0);
        if (r >= 0)
                r = check_persistent(domain, error);
        if (r >= 0)
                r = domain_name_check(name, error);
        if (r >= 0)
                r = domain_check_inactive(domain, error);
        if (r < 0)
                return r;
        other = object_table_by_name(call->driver->objects, OBJECT_DOMAIN, name, domain->object.owner);
        if (other && other->owner == domain->object.owner)
                return error_set(error, ERROR_EXISTS, "domain with name '%s' already exists", name);
        renamed = domain_definition_copy(domain->definition);
        g_free(renamed->name);
        renamed->name = g_strdup(name);
        r = definition_store(domain, renamed, domain->is_autostart, error);
        if (r < 0)
                return r;
        domain_lifecycle(domain, DOMAIN_EVENT_UNDEFINED, UNDEFINED_RENAMED, call->job);
        r = object_table_rename(call->driver->objects, &domain->object, name);
        if (r < 0) { /* taken while the disk worked */
                (void)definition_store(domain, NULL, domain->is_autostart, error);
                return error_set(error, ERROR_EXISTS, "domain with name '%s' already exists", name);
        }
        domain_set_definition(domain, TAKE_PTR(renamed));
        object_changed(&domain->object, "Name");
        domain_lifecycle(domain, DOMAIN_EVENT_DEFINED, DEFINED_RENAMED, call->job);
        return 0;
}

int qemu_domain_set_autostart(Call *call, Domain *domain, bool is_autostart, Error *error)
{
        int r;

        (void)call; /* the caller's rights are checked, and nothing is announced by a number */
        r = check_persistent(domain, error);
        if (r < 0 || domain->is_autostart == is_autostart)
                return r;
        r = definition_store(domain, NULL, is_autostart, error);
        if (r >= 0)
                domain_set_autostart(domain, is_autostart);
        return r;
}

/* 0 stands for whatever there is. */
static uint32_t flags_resolve(const Domain *domain, uint32_t flags)
{
        if (flags != 0)
                return flags;
        return domain_is_active(domain) ? AFFECT_LIVE : AFFECT_CONFIG;
}

static int metadata_set_config(Domain *domain, int32_t type, const char *metadata, const char *key,
                               const char *uri, Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed =
                domain_definition_copy(domain->definition);
        bool was_updated = domain->is_updated;
        int r;

        r = domain_definition_set_metadata(changed, type, metadata, key, uri, error);
        if (r >= 0)
                r = definition_store(domain, changed, domain->is_autostart, error);
        if (r < 0)
                return r;
        domain_set_definition(domain, TAKE_PTR(changed));
        domain->is_updated = was_updated;
        return 0;
}

static int metadata_set_live(Domain *domain, int32_t type, const char *metadata, const char *key,
                             const char *uri, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = domain_definition_copy(domain->live);
        int r = domain_definition_set_metadata(changed, type, metadata, key, uri, error);

        if (r < 0)
                return r;
        domain_set_live(domain, TAKE_PTR(changed));
        status_store_soon(domain);
        return 0;
}

int qemu_domain_set_metadata(Call *call, Domain *domain, int32_t type, const char *metadata, const char *key,
                             const char *uri, uint32_t flags, Error *error)
{
        DomainSignalEvent event = { .domain = domain, .member = "MetadataChange" };
        _cleanup_(g_variant_unrefp) GVariant *arguments = NULL;
        int r;

        r = error_check_flags(error, "SetMetadata", flags, AFFECT_LIVE | AFFECT_CONFIG);
        flags = flags_resolve(domain, flags);
        if (r >= 0 && flags & AFFECT_LIVE)
                r = domain_check_active(domain, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = check_persistent(domain, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = metadata_set_config(domain, type, metadata, key, uri, error);
        if (r >= 0 && flags & AFFECT_LIVE && domain->live)
                r = metadata_set_live(domain, type, metadata, key, uri, error);
        if (r < 0)
                return r;
        arguments = g_variant_ref_sink(g_variant_new("(is)", type, uri ? uri : ""));
        event.arguments = arguments;
        event_raise(call->driver->events, EVENT_DOMAIN_SIGNAL, &event);
        return 0;
}
