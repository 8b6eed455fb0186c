/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A driver as an object: its properties and everything that finds objects or makes machines. Whatever is the
 * same for all drivers is here; the rest of org.libvirt.Connect are operations of the driver. */

#include "bus/find.h"
#include "bus/marshal.h"
#include "bus/options.h"
#include "bus/visible.h"
#include "core/log.h"
#include "handlers.h"
#include <limits.h>
#include <string.h>

/* LibVersion: that of the libvirt whose interfaces these are, as clients decide by it what they may ask for.
 */
#define LIBVIRT_VERSION 9000000u

int connect_property_encrypted(Object *object, sd_bus_message *reply, Error *error)
{
        (void)object, (void)error;
        return sd_bus_message_append(reply, "b",
                                     false); /* drivers run in this process: there is no connection */
}

int connect_property_secure(Object *object, sd_bus_message *reply, Error *error)
{
        /* libvirt-dbus answers the question for Encrypted here, and so do we. */
        return connect_property_encrypted(object, reply, error);
}

int connect_property_hostname(Object *object, sd_bus_message *reply, Error *error)
{
        char name[HOST_NAME_MAX + 1] = "";

        (void)object;
        if (gethostname(name, sizeof name - 1) < 0)
                return error_set_errno(error, errno, "Cannot read the host's name");
        return marshal_append_string(reply, name);
}

int connect_property_lib_version(Object *object, sd_bus_message *reply, Error *error)
{
        (void)object, (void)error;
        return sd_bus_message_append(reply, "t", (uint64_t)LIBVIRT_VERSION);
}

int connect_property_version(Object *object, sd_bus_message *reply, Error *error)
{
        const Driver *driver = object->driver;

        int r = driver_check_runs(driver, error);

        return r < 0 ? r : sd_bus_message_append(reply, "t", driver->version);
}

int connect_native_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->driver->name);
}

int connect_native_property_uri(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->driver->uri);
}

int connect_native_property_available(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", object->driver->operations != NULL);
}

int connect_native_property_missing(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->driver->operations ? NULL : object->driver->missing);
}

int connect_native_property_version(Object *object, sd_bus_message *reply, Error *error)
{
        uint64_t version = object->driver->version;
        char text[64] = "";

        (void)error;
        if (version != 0)
                g_snprintf(text, sizeof text, "%" PRIu64 ".%" PRIu64 ".%" PRIu64, version / 1000000,
                           version / 1000 % 1000, version % 1000);
        return marshal_append_string(reply, text);
}

int connect_domain_lookup_by_uuid(CallFrame *frame, const char *uuid, Domain **ret_domain, Error *error)
{
        return find_by_uuid(frame, OBJECT_DOMAIN, uuid, (Object **)ret_domain, error);
}

int connect_domain_lookup_by_name(CallFrame *frame, const char *name, Domain **ret_domain, Error *error)
{
        return find_by_name(frame, OBJECT_DOMAIN, name, (Object **)ret_domain, error);
}

int connect_domain_lookup_by_id(CallFrame *frame, int32_t id, Domain **ret_domain, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = NULL;
        Object *found = NULL;
        char text[16];
        int r = find_check_kind(frame, OBJECT_DOMAIN, error);

        if (r < 0)
                return r;
        domains = object_table_list(frame->path.driver->objects, OBJECT_DOMAIN);
        for (unsigned i = 0; id > 0 && i < domains->len; i++)
                if (((Domain *)domains->pdata[i])->id == id)
                        found = domains->pdata[i];
        g_snprintf(text, sizeof text, "%d", id);
        return find_object(frame, OBJECT_DOMAIN, "id", text, found, (Object **)ret_domain, error);
}

/* virConnectListAllDomainsFlags: pairs of opposites, of which a machine must have one where any is asked
 * for. */
enum {
        LIST_ACTIVE = 1 << 0,
        LIST_INACTIVE = 1 << 1,
        LIST_PERSISTENT = 1 << 2,
        LIST_TRANSIENT = 1 << 3,
        LIST_RUNNING = 1 << 4,
        LIST_PAUSED = 1 << 5,
        LIST_SHUTOFF = 1 << 6,
        LIST_OTHER = 1 << 7,
        LIST_MANAGED_SAVE = 1 << 8,
        LIST_NO_MANAGED_SAVE = 1 << 9,
        LIST_AUTOSTART = 1 << 10,
        LIST_NO_AUTOSTART = 1 << 11,
        LIST_HAS_SNAPSHOT = 1 << 12,
        LIST_NO_SNAPSHOT = 1 << 13,
        LIST_HAS_CHECKPOINT = 1 << 14,
        LIST_NO_CHECKPOINT = 1 << 15,
};

static const uint32_t list_groups[] = {
        LIST_ACTIVE | LIST_INACTIVE,
        LIST_PERSISTENT | LIST_TRANSIENT,
        LIST_RUNNING | LIST_PAUSED | LIST_SHUTOFF | LIST_OTHER,
        LIST_MANAGED_SAVE | LIST_NO_MANAGED_SAVE,
        LIST_AUTOSTART | LIST_NO_AUTOSTART,
        LIST_HAS_SNAPSHOT | LIST_NO_SNAPSHOT,
        LIST_HAS_CHECKPOINT | LIST_NO_CHECKPOINT,
        0,
};

static uint32_t list_flags_of(const Object *object)
{
        const Domain *domain = (const Domain *)object;
        uint32_t flags = 0;

        flags |= domain_is_active(domain) ? LIST_ACTIVE : LIST_INACTIVE;
        flags |= domain->is_persistent ? LIST_PERSISTENT : LIST_TRANSIENT;
        flags |= domain->state == DOMAIN_STATE_RUNNING   ? LIST_RUNNING
                 : domain->state == DOMAIN_STATE_PAUSED  ? LIST_PAUSED
                 : domain->state == DOMAIN_STATE_SHUTOFF ? LIST_SHUTOFF
                                                         : LIST_OTHER;
        flags |= domain->has_managed_save ? LIST_MANAGED_SAVE : LIST_NO_MANAGED_SAVE;
        flags |= domain->is_autostart ? LIST_AUTOSTART : LIST_NO_AUTOSTART;
        flags |= domain->n_snapshots > 0 ? LIST_HAS_SNAPSHOT : LIST_NO_SNAPSHOT;
        flags |= domain->n_checkpoints > 0 ? LIST_HAS_CHECKPOINT : LIST_NO_CHECKPOINT;
        return flags;
}

int connect_list_domains(CallFrame *frame, uint32_t flags, GPtrArray **ret_domains, Error *error)
{
        return find_list(frame, OBJECT_DOMAIN, flags, list_groups, list_flags_of, ret_domains, error);
}

int connect_get_all_domain_stats(CallFrame *frame, uint32_t stats, uint32_t flags, Records **ret_records,
                                 Error *error)
{
        static const InterfaceAction read_actions[] = { { "org.libvirt.api.domain.read", -1, 0, false },
                                                        {} };
        const uint32_t choosing = LIST_ACTIVE | LIST_INACTIVE | LIST_PERSISTENT | LIST_TRANSIENT |
                                  LIST_RUNNING | LIST_PAUSED | LIST_SHUTOFF | LIST_OTHER;
        const uint32_t others = 1u << 29 | 1u << 30 | 1u << 31; /* NOWAIT, BACKING, ENFORCE_STATS */
        const DriverType *type = frame->path.driver->type;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *listed = NULL, *domains = NULL;
        int r;

        if (!type->get_domain_stats)
                return call_not_supported(frame, error);
        r = error_check_flags(error, frame->member, flags, choosing | others);
        if (r >= 0)
                r = connect_list_domains(frame, flags & choosing, &listed, error);
        if (r >= 0)
                r = visible_ask_for_all(frame->caller, frame->path.driver, read_actions,
                                        frame->call.deadline_usec, error);
        if (r < 0)
                return r;
        domains = g_ptr_array_new_with_free_func(object_release);
        for (unsigned i = 0; i < listed->len; i++)
                if (visible_may_known(frame->caller, listed->pdata[i], read_actions))
                        g_ptr_array_add(domains, object_ref(listed->pdata[i]));
        return type->get_domain_stats(&frame->call, domains, stats, flags & others, ret_records, error);
}

int connect_native_list_domains(CallFrame *frame, GVariant *filter, GPtrArray **ret_domains, Error *error)
{
        static const Option states[] = {
                { "active", LIST_ACTIVE, LIST_INACTIVE },
                { "persistent", LIST_PERSISTENT, LIST_TRANSIENT },
                { "autostart", LIST_AUTOSTART, LIST_NO_AUTOSTART },
                { "running", LIST_RUNNING, LIST_PAUSED | LIST_SHUTOFF | LIST_OTHER },
                { "paused", LIST_PAUSED, LIST_RUNNING | LIST_SHUTOFF | LIST_OTHER },
                {},
        };
        uint32_t flags;
        int r = options_read(filter, states, &flags, error);

        return r < 0 ? r : connect_list_domains(frame, flags, ret_domains, error);
}
