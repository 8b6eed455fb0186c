/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A machine as every driver has it. Drivers call these functions when something happened; what follows from
 * it for those who watch (which properties changed, the event and its number in order) is decided here,
 * once. */

#include "core/loop.h"
#include "driver.h"
#include <string.h>

static const char *const states[_DOMAIN_STATE_MAX] = {
        [DOMAIN_STATE_NONE] = "none",         [DOMAIN_STATE_RUNNING] = "running",
        [DOMAIN_STATE_BLOCKED] = "blocked",   [DOMAIN_STATE_PAUSED] = "paused",
        [DOMAIN_STATE_SHUTDOWN] = "shutdown", [DOMAIN_STATE_SHUTOFF] = "shutoff",
        [DOMAIN_STATE_CRASHED] = "crashed",   [DOMAIN_STATE_PMSUSPENDED] = "pmsuspended",
};

#define REASONS_MAX 14

/* By libvirt's numbers: virDomainRunningReason, virDomainPausedReason ... */
static const char *const reasons[_DOMAIN_STATE_MAX][REASONS_MAX] = {
        [DOMAIN_STATE_RUNNING] = { "unknown", "booted", "migrated", "restored", "from-snapshot", "unpaused",
                                   "migration-canceled", "save-canceled", "wakeup", "crashed", "post-copy",
                                   "post-copy-failed" },
        [DOMAIN_STATE_PAUSED] = { "unknown", "user", "migration", "save", "dump", "io-error", "watchdog",
                                  "from-snapshot", "shutting-down", "snapshot", "crashed", "starting-up",
                                  "post-copy", "post-copy-failed" },
        [DOMAIN_STATE_SHUTDOWN] = { "unknown", "user" },
        [DOMAIN_STATE_SHUTOFF] = { "unknown", "shutdown", "destroyed", "crashed", "migrated", "saved",
                                   "failed", "from-snapshot", "daemon" },
        [DOMAIN_STATE_CRASHED] = { "unknown", "panicked" },
};

const char *domain_state_to_string(DomainState state)
{
        return state >= 0 && state < _DOMAIN_STATE_MAX ? states[state] : NULL;
}

const char *domain_reason_to_string(DomainState state, int reason)
{
        const char *text = NULL;

        if (state >= 0 && state < _DOMAIN_STATE_MAX && reason >= 0 && reason < REASONS_MAX)
                text = reasons[state][reason];
        return text ? text : "unknown";
}

static void domain_free(Object *object)
{
        Domain *domain = (Domain *)object;

        if (domain->private_free)
                domain->private_free(domain->private_data);
        domain_definition_free(domain->definition);
        domain_definition_free(domain->live);
        g_clear_pointer(&domain->addresses, g_ptr_array_unref);
        g_ptr_array_unref(domain->snapshots);
        object_done(object);
        g_free(domain);
}

Domain *domain_new(Driver *driver, DomainDefinition *definition, uid_t owner)
{
        Domain *domain = g_new0(Domain, 1);

        object_init(&domain->object, OBJECT_DOMAIN, driver, definition->uuid, definition->name,
                    definition->uuid, owner, domain_free);
        domain->definition = definition;
        domain->snapshots = g_ptr_array_new();
        domain->id = -1;
        domain->state = DOMAIN_STATE_SHUTOFF;
        domain->created_at_usec = (uint64_t)g_get_real_time();
        domain->changed_by = owner;
        return domain;
}

const DomainDefinition *domain_current_definition(const Domain *domain)
{
        return domain->live ? domain->live : domain->definition;
}

void domain_set_state(Domain *domain, DomainState state, int reason)
{
        if (domain->state == state && domain->reason == reason)
                return;
        if (domain->state != state)
                object_changed(&domain->object, "State");
        object_changed(&domain->object, "StateReason");
        domain->state = state;
        domain->reason = reason;
}

/* Everything that is read from the definition that counts now. */
static void definition_changed(Domain *domain)
{
        static const char *const properties[] = { "Title",        "Description", "VCPUs",   "MemoryKiB",
                                                  "MaxMemoryKiB", "Consoles",    "Graphics" };

        for (size_t i = 0; i < G_N_ELEMENTS(properties); i++)
                object_changed(&domain->object, properties[i]);
}

/* A machine that was taken back keeps the id that it had. */
static void id_assign(Domain *domain)
{
        Driver *driver = domain->object.driver;
        DomainDefinition *live = domain->live;

        domain->id = live->has_id && live->id > 0 ? live->id : (int)driver->next_domain_id;
        if ((uint64_t)domain->id >= driver->next_domain_id)
                driver->next_domain_id = (uint64_t)domain->id + 1;
        live->has_id = true;
        live->id = domain->id;
}

void domain_set_live(Domain *domain, DomainDefinition *live)
{
        bool was_active = domain_is_active(domain);

        domain_definition_free(domain->live);
        domain->live = live;
        if (live && !was_active) {
                id_assign(domain);
                domain->started_at_usec = (uint64_t)g_get_real_time();
        } else if (live) {
                live->has_id = true;
                live->id = domain->id;
        } else {
                domain->id = -1;
                domain->started_at_usec = 0;
                domain->is_updated = false;
                domain_set_addresses(domain, NULL);
        }
        if (was_active != domain_is_active(domain)) {
                object_changed(&domain->object, "Id");
                object_changed(&domain->object, "Active");
                object_changed(&domain->object, "StartedAt");
        }
        definition_changed(domain);
}

void domain_address_release(void *data)
{
        DomainAddress *address = data;

        g_free(address->alias);
        g_free(address->mac);
        g_free(address->address);
        g_free(address);
}

static bool addresses_are_same(const GPtrArray *a, const GPtrArray *b)
{
        if ((a ? a->len : 0) != (b ? b->len : 0))
                return false;
        for (unsigned i = 0; a && i < a->len; i++) {
                const DomainAddress *one = a->pdata[i], *other = b->pdata[i];

                if (g_strcmp0(one->alias, other->alias) != 0 || g_strcmp0(one->mac, other->mac) != 0 ||
                    strcmp(one->address, other->address) != 0 || one->prefix != other->prefix ||
                    strcmp(one->source, other->source) != 0)
                        return false;
        }
        return true;
}

int domain_address_source_check(uint32_t source, Error *error)
{
        return source > ADDRESS_SOURCE_ARP
                       ? error_set(error, ERROR_INVALID_ARGUMENT,
                                   "InterfaceAddresses: source %u is unknown: 0 (lease), 1 (agent), 2 (ARP) "
                                   "are known",
                                   source)
                       : 0;
}

void domain_set_addresses(Domain *domain, GPtrArray *addresses)
{
        if (!addresses_are_same(domain->addresses, addresses))
                object_changed(&domain->object, "Addresses");
        g_clear_pointer(&domain->addresses, g_ptr_array_unref);
        domain->addresses = addresses;
}

uid_t domain_changer(const Domain *domain)
{
        const Job *job = job_queue_current(domain->object.jobs);

        return job && job_get_caller(job) != (uid_t)-1 ? job_get_caller(job) : domain->changed_by;
}

static void note_changer(Domain *domain)
{
        uid_t changer = domain_changer(domain);

        if (domain->changed_by != changer)
                object_changed(&domain->object, "LastChangedBy");
        domain->changed_by = changer;
}

void domain_set_definition(Domain *domain, DomainDefinition *definition)
{
        note_changer(domain);
        domain_definition_free(domain->definition);
        domain->definition = definition;
        if (domain_is_active(domain)) {
                domain->is_updated = true;
                object_changed(&domain->object, "Updated");
        } else {
                definition_changed(domain);
        }
}

void domain_set_persistent(Domain *domain, bool is_persistent)
{
        if (domain->is_persistent != is_persistent)
                object_changed(&domain->object, "Persistent");
        domain->is_persistent = is_persistent;
}

void domain_set_autostart(Domain *domain, bool is_autostart)
{
        if (domain->is_autostart != is_autostart)
                object_changed(&domain->object, "Autostart"), note_changer(domain);
        domain->is_autostart = is_autostart;
}

void domain_lifecycle(Domain *domain, DomainEventType type, int detail, const Job *cause)
{
        /* A machine that is new has no job before it is there; what made it is known all the same. */
        uid_t unnamed = type == DOMAIN_EVENT_DEFINED ? domain->changed_by : (uid_t)-1;
        const DomainLifecycleEvent event = {
                .domain = domain,
                .type = type,
                .detail = detail,
                .sequence = ++domain->sequence,
                .job_id = cause ? job_get_id(cause) : 0,
                .caller = cause ? job_get_caller(cause) : unnamed,
        };

        event_raise(domain->object.driver->events, EVENT_DOMAIN_LIFECYCLE, &event);
}

int domain_check_active(const Domain *domain, Error *error)
{
        if (domain_is_active(domain))
                return 0;
        return error_set(error, ERROR_OPERATION_INVALID, "The %s is not running",
                         object_describe(&domain->object));
}

int domain_check_persistent(const Domain *domain, Error *error)
{
        if (domain->is_persistent)
                return 0;
        return error_set(error, ERROR_OPERATION_INVALID,
                         "The %s is transient: it has no definition that is kept",
                         object_describe(&domain->object));
}

int domain_check_inactive(const Domain *domain, Error *error)
{
        if (!domain_is_active(domain))
                return 0;
        return error_set(error, ERROR_OPERATION_INVALID, "The %s is already running",
                         object_describe(&domain->object));
}
