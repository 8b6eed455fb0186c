/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A definition is changed in three steps: a changed copy, the copy on disk, the copy in place of the old
 * one. What fails leaves everything as it was. Names and UUIDs of machines that are not in the table yet are
 * reserved meanwhile, so that of two that come at once one is refused before anything is written. */

#include "drivers/qemu/define.h"
#include "core/log.h"
#include "drivers/qemu/definitions.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/keep.h"
#include "drivers/qemu/notices.h"
#include "drivers/qemu/prepare.h"
#include "drivers/qemu/start.h"
#include "drivers/qemu/status.h"
#include <string.h>

/* virDomainModificationImpact. */
enum {
        AFFECT_LIVE = 1 << 0,
        AFFECT_CONFIG = 1 << 1,
};

static int set_name_taken(const char *name, Error *error)
{
        return error_set(error, ERROR_EXISTS, "There is a domain named '%s' already", name);
}

/* A name or UUID of a machine on its way; released by its cleanup. */
typedef struct Reservation {
        QemuDriver *qemu;
        char *name, *uuid;
} Reservation;

static void reservation_clear(Reservation *reservation)
{
        if (reservation->name)
                g_hash_table_remove(reservation->qemu->reserved, reservation->name);
        if (reservation->uuid)
                g_hash_table_remove(reservation->qemu->reserved, reservation->uuid);
}

static char *uuid_key(const char *uuid)
{
        return g_strdup_printf("uuid %s", uuid);
}

/* The hash table owns the text, which is not in it yet: it would free the one that it has. */
static char *add_key(QemuDriver *qemu, char *key)
{
        bool is_new = g_hash_table_add(qemu->reserved, key);

        g_assert(is_new);
        return key;
}

static void reserve_uuid(Reservation *reservation, QemuDriver *qemu, const char *uuid)
{
        reservation->qemu = qemu;
        reservation->uuid = add_key(qemu, uuid_key(uuid));
}

static int reserve(Reservation *reservation, Driver *driver, const char *name, uid_t owner, const char *uuid,
                   Error *error)
{
        QemuDriver *qemu = qemu_driver(driver);
        const Object *other = object_table_owned(driver->objects, OBJECT_DOMAIN, name, owner);
        _cleanup_(freep) char *by_name = g_strdup_printf("name %u %s", owner, name);
        _cleanup_(freep) char *by_uuid = uuid ? uuid_key(uuid) : NULL;

        if (other || g_hash_table_contains(qemu->reserved, by_name))
                return set_name_taken(name, error);
        if (uuid && (object_table_by_uuid(driver->objects, OBJECT_DOMAIN, uuid) ||
                     g_hash_table_contains(qemu->reserved, by_uuid)))
                return error_set(error, ERROR_EXISTS, "There is a domain with UUID %s already", uuid);
        reservation->qemu = qemu;
        reservation->name = add_key(qemu, TAKE_PTR(by_name));
        if (uuid)
                reserve_uuid(reservation, qemu, uuid);
        return 0;
}

/* A definition that is to be one of an existing machine has its name: Rename is the way to another. */
static int check_identity(const Domain *existing, const DomainDefinition *definition, Error *error)
{
        if (strcmp(existing->object.name, definition->name) == 0)
                return 0;
        return error_set(error, ERROR_EXISTS, "The domain with UUID %s is named '%s' already, not '%s'",
                         existing->object.uuid, existing->object.name, definition->name);
}

static int redefine(Call *call, Domain *domain, DomainDefinition *definition, Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *owned = definition;
        _cleanup_(reservation_clear) Reservation reservation = {};
        bool was_persistent = domain->is_persistent;
        int r;

        r = check_identity(domain, definition, error);
        if (r >= 0)
                r = prepare_definition(call->driver, definition, domain->object.owner, error);
        if (r >= 0 && domain->object.is_gone) /* a transient machine that ended meanwhile */
                r = error_set(error, ERROR_OPERATION_INVALID, "The %s has ended",
                              object_describe(&domain->object));
        /* It may end, and another have its UUID, while its definition is on its way to the disk. Until now
         * it is in the table, and this call has its job: nobody has reserved it. */
        if (r >= 0 && !was_persistent)
                reserve_uuid(&reservation, qemu_driver_of(domain), domain->object.uuid);
        if (r >= 0)
                r = definitions_save(domain, definition, domain->is_autostart, error);
        if (r < 0)
                return r;
        if (domain->object.is_gone) {                   /* a transient machine that ended meanwhile */
                (void)definitions_remove(domain, NULL); /* nobody was told that it is there */
                return error_set(error, ERROR_OPERATION_INVALID, "The %s has ended",
                                 object_describe(&domain->object));
        }
        domain_set_persistent(domain, true);
        domain_set_definition(domain, TAKE_PTR(owned));
        domain_lifecycle(domain, DOMAIN_EVENT_DEFINED, was_persistent ? DEFINED_UPDATED : DEFINED_ADDED,
                         call->job);
        return domain_is_active(domain) ? status_save(domain, error) : 0;
}

static int add(Call *call, Domain *domain, Error *error)
{
        int r = object_table_add(call->driver->objects, &domain->object);

        return r < 0 ? error_set(error, ERROR_EXISTS, "There is a domain with UUID %s already",
                                 domain->object.uuid)
                     : 0;
}

/* Takes the definition over; the machine is in no table yet. */
static int make(Call *call, DomainDefinition *definition, Reservation *reservation, Domain **ret_domain,
                Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *owned = definition;
        int r = prepare_definition(call->driver, definition, call->owner, error);

        if (r >= 0)
                r = reserve(reservation, call->driver, definition->name, call->owner, definition->uuid,
                            error);
        if (r >= 0)
                r = keep_check_free(call->driver, definition->uuid, call->owner, error);
        if (r < 0)
                return r;
        *ret_domain = machine_new(call->driver, TAKE_PTR(owned), call->owner);
        (*ret_domain)->changed_by = call->uid;
        return 0;
}

int qemu_define_domain(Call *call, Domain *existing, DomainDefinition *definition, Domain **ret_domain,
                       Error *error)
{
        _cleanup_(reservation_clear) Reservation reservation = {};
        _cleanup_(domain_unrefp) Domain *domain = NULL;
        int r;

        if (existing) {
                r = redefine(call, existing, definition, error);
                if (r >= 0)
                        *ret_domain = domain_ref(existing);
                return r;
        }
        r = make(call, definition, &reservation, &domain, error);
        if (r >= 0)
                r = definitions_save(domain, domain->definition, false, error);
        if (r < 0)
                return r;
        domain->is_persistent = true;
        r = add(call, domain, error);
        if (r < 0)
                return r;
        domain_lifecycle(domain, DOMAIN_EVENT_DEFINED, DEFINED_ADDED, call->job);
        *ret_domain = TAKE_PTR(domain);
        return 0;
}

/* A machine that is there runs, this time, by another definition than its own. */
static int create_existing(Call *call, Domain *domain, DomainDefinition *definition, uint32_t flags,
                           Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *owned _unused_ = definition;
        int r;

        r = domain_check_inactive(domain, error);
        if (r >= 0)
                r = check_identity(domain, definition, error);
        if (r >= 0)
                r = prepare_definition(call->driver, definition, domain->object.owner, error);
        return r < 0 ? r : start_machine(domain, definition, flags, call->job, call->deadline_usec, error);
}

int define_transient(Call *call, DomainDefinition *definition, Domain **ret_domain, Error *error)
{
        _cleanup_(domain_unrefp) Domain *domain = NULL;
        _cleanup_(reservation_clear) Reservation reservation = {};
        int r = make(call, definition, &reservation, &domain, error);

        if (r >= 0)
                r = add(call, domain, error);
        if (r >= 0)
                *ret_domain = TAKE_PTR(domain);
        return r;
}

static int create_new(Call *call, DomainDefinition *definition, uint32_t flags, Domain **ret_domain,
                      Error *error) AWAITS
{
        _cleanup_(domain_unrefp) Domain *domain = NULL;
        _cleanup_(job_releasep) Job *job = NULL;
        uint64_t deadline_usec = MIN(call->deadline_usec, deadline_after_usec(120 * G_USEC_PER_SEC));
        bool had_tpm;
        int r = define_transient(call, definition, &domain, error);

        if (r < 0)
                return r;
        had_tpm = keep_is_used(domain, KEEP_TPM);
        r = job_take(domain->object.jobs, JOB_START, "CreateXML", call->uid, deadline_usec, &job, error);
        if (r >= 0)
                r = start_machine(domain, domain->definition, flags, job, deadline_usec, error);
        if (r < 0) {
                if (job)
                        job_set_error(job, error);
                /* One that this start has made goes; whatever else has this UUID is none of ours. */
                if (!had_tpm && keep_is_used(domain, KEEP_TPM))
                        end_forget(domain);
                else
                        object_table_remove(call->driver->objects, &domain->object);
                return r;
        }
        *ret_domain = TAKE_PTR(domain);
        return 0;
}

int qemu_create_domain(Call *call, Domain *existing, DomainDefinition *definition, uint32_t flags,
                       const int *fds, size_t n_fds, Domain **ret_domain, Error *error)
{
        int r = start_take_flags(call, "CreateXML", &flags, error);

        (void)fds;
        if (r >= 0 && n_fds > 0)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The QEMU driver cannot give open files to a guest");
        if (r < 0) {
                domain_definition_free(definition);
                return r;
        }
        if (!existing)
                return create_new(call, definition, flags, ret_domain, error);
        r = create_existing(call, existing, definition, flags, error);
        if (r >= 0)
                *ret_domain = domain_ref(existing);
        return r;
}

int qemu_domain_rename(Call *call, Domain *domain, const char *name, uint32_t flags, Error *error)
{
        _cleanup_(reservation_clear) Reservation reservation = {};
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL;
        int r;

        r = error_check_flags(error, "Rename", flags, 0);
        if (r >= 0)
                r = domain_name_check(name, error);
        if (r >= 0)
                r = domain_check_persistent(domain, error);
        if (r >= 0)
                r = domain_check_inactive(domain, error);
        if (r >= 0)
                r = reserve(&reservation, call->driver, name, domain->object.owner, NULL, error);
        if (r < 0)
                return r;
        changed = domain_definition_copy(domain->definition);
        g_free(changed->name);
        changed->name = g_strdup(name);
        r = definitions_save(domain, changed, domain->is_autostart, error);
        if (r < 0)
                return r;
        domain_lifecycle(domain, DOMAIN_EVENT_UNDEFINED, UNDEFINED_RENAMED, call->job);
        r = object_table_rename(call->driver->objects, &domain->object, name);
        if (r < 0)
                return set_name_taken(name, error);
        domain_set_definition(domain, TAKE_PTR(changed));
        domain_lifecycle(domain, DOMAIN_EVENT_DEFINED, DEFINED_RENAMED, call->job);
        return 0;
}

int qemu_domain_set_autostart(Call *call, Domain *domain, bool value, Error *error)
{
        int r = domain_check_persistent(domain, error);

        (void)call;
        if (r < 0 || domain->is_autostart == value)
                return r;
        r = definitions_save(domain, domain->definition, value, error);
        if (r >= 0)
                domain_set_autostart(domain, value);
        return r;
}

static void announce_metadata(Domain *domain, int32_t type, const char *uri)
{
        if (type == DOMAIN_METADATA_TITLE)
                object_changed(&domain->object, "Title");
        else if (type == DOMAIN_METADATA_DESCRIPTION)
                object_changed(&domain->object, "Description");
        notice_raise(domain, "MetadataChange", g_variant_new("(is)", type, uri ? uri : ""));
}

/* Which of the two are meant: 0 is the one that counts now. */
static int choose_impact(const Domain *domain, uint32_t *flags, Error *error)
{
        int r = error_check_flags(error, "SetMetadata", *flags, AFFECT_LIVE | AFFECT_CONFIG);

        if (*flags == 0)
                *flags = domain_is_active(domain) ? AFFECT_LIVE : AFFECT_CONFIG;
        if (r >= 0 && *flags & AFFECT_LIVE)
                r = domain_check_active(domain, error);
        if (r >= 0 && *flags & AFFECT_CONFIG)
                r = domain_check_persistent(domain, error);
        return r;
}

int qemu_domain_set_metadata(Call *call, Domain *domain, int32_t type, const char *metadata, const char *key,
                             const char *uri, uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *kept = NULL, *live = NULL;
        int r = choose_impact(domain, &flags, error);

        (void)call;
        if (r >= 0 && flags & AFFECT_CONFIG) {
                kept = domain_definition_copy(domain->definition);
                r = domain_definition_set_metadata(kept, type, metadata, key, uri, error);
        }
        if (r >= 0 && flags & AFFECT_LIVE) {
                live = domain_definition_copy(domain->live);
                r = domain_definition_set_metadata(live, type, metadata, key, uri, error);
        }
        if (r >= 0 && kept)
                r = definitions_save(domain, kept, domain->is_autostart, error);
        if (r < 0)
                return r;
        if (kept) {
                bool was_updated = domain->is_updated;

                domain_set_definition(domain, TAKE_PTR(kept));
                domain->is_updated = was_updated; /* nothing of it waits for the next start */
        }
        /* It may have ended while the disk was written to; QEMU may have changed it by then, so it is
         * changed again. */
        if (live && domain->live) {
                r = domain_definition_set_metadata(domain->live, type, metadata, key, uri, error);
                if (r >= 0)
                        r = status_save(domain, error);
        }
        if (r >= 0)
                announce_metadata(domain, type, uri);
        return r;
}
