/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every signal goes through announce(): it finds out who may hear it and builds one message for each. A
 * message is filled again for each receiver instead of copied, because sd-bus seals a message once it is
 * sent. */

#include "bus/signals.h"
#include "bus/client.h"
#include "bus/front.h"
#include "bus/lookup.h"
#include "bus/marshal.h"
#include "bus/object-manager.h"
#include "bus/properties.h"
#include "bus/visible.h"
#include "core/log.h"
#include <sys/socket.h>

typedef struct Announcement {
        const Object *subject; /* who sees it may hear the signal */
        const char *path, *interface, *member;
        int (*fill)(sd_bus_message *message, Caller *caller, const void *data);
        const void *data;
} Announcement;

/* Unread by one connection to the private socket for longer than this. sd-bus would keep hundreds of
 * thousands; many come at once when a pool is stopped, and are written when the loop turns. */
#define SIGNALS_MAX      8192
#define SIGNALS_MAX_USEC (5 * G_USEC_PER_SEC)

/* Whoever listens to no more would fill our memory with what happens to machines: thrown off, as a message
 * bus does it. Who comes again sees all as it is. */
static bool is_deaf(Caller *caller, sd_bus *bus)
{
        Client *client = caller && caller->is_peer && !caller->is_root ? client_of(caller) : NULL;
        const uint64_t now_usec = loop_now_usec();
        uint64_t n_unread = 0;

        if (!client || sd_bus_get_n_queued_write(bus, &n_unread) < 0)
                return false;
        if (n_unread <= SIGNALS_MAX)
                client->unread_since_usec = 0;
        else if (client->unread_since_usec == 0)
                client->unread_since_usec = now_usec;
        if (client->unread_since_usec == 0 || now_usec - client->unread_since_usec <= SIGNALS_MAX_USEC)
                return false;
        client->unread_since_usec = 0; /* it is said once */
        log_warning(NULL,
                    "a connection of user %u to the private socket does not read its signals: it is ended",
                    caller->uid);
        return true;
}

/* `caller`: whom it is for, or NULL for everybody on a session's bus. */
static void tell(const Announcement *announcement, sd_bus *bus, Caller *caller)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        if (!bus || sd_bus_is_open(bus) <= 0)
                return;
        if (is_deaf(caller, bus)) {
                (void)shutdown(sd_bus_get_fd(bus), SHUT_RDWR); /* which sd-bus hears as its end */
                return;
        }
        r = sd_bus_message_new_signal(bus, &message, announcement->path, announcement->interface,
                                      announcement->member);
        if (r >= 0 && caller && !caller->is_peer)
                r = sd_bus_message_set_destination(message, caller->name);
        if (r >= 0)
                r = announcement->fill(message, caller, announcement->data);
        if (r >= 0)
                r = sd_bus_send(bus, message, NULL);
        if (r < 0)
                log_warning(announcement->path, "cannot send signal %s: %s", announcement->member,
                            g_strerror(-r));
        else
                front_end()->n_signals++;
}

static void send_to_client(Caller *caller, void *data)
{
        const Announcement *announcement = data;

        if (visible_known(caller, announcement->subject))
                tell(announcement, caller->bus, caller);
}

static void announce(const Announcement *announcement)
{
        const FrontEnd *front = front_end();

        if (front->config->is_system) {
                clients_visit(send_to_client, (void *)announcement);
                return;
        }
        tell(announcement, front->bus, NULL);
        for (unsigned i = 0; front->peers && i < front->peers->len; i++)
                tell(announcement, front->peers->pdata[i], NULL);
}

static int fill_path(sd_bus_message *message, Caller *caller _unused_, const void *data)
{
        return sd_bus_message_append_basic(message, 'o', data);
}

static int fill_added(sd_bus_message *message, Caller *caller, const void *data)
{
        Object *object = (Object *)data; /* getters take it so, and change nothing */
        int r;

        r = sd_bus_message_append_basic(message, 'o', object->path);
        return r < 0 ? r : object_manager_append_interfaces(message, caller, object);
}

static int fill_removed(sd_bus_message *message, Caller *caller _unused_, const void *data)
{
        const Object *object = data;

        return sd_bus_message_append(message, "oas", object->path, 1, interface_native(object->kind)->name);
}

/* DomainAdded and DomainRemoved of the driver, beside ObjectManager's signals. */
static void announce_on_driver(const Object *object, const char *member)
{
        const Interface *native = interface_native(OBJECT_CONNECT);

        if (!native || object->kind != OBJECT_DOMAIN)
                return;
        announce(&(Announcement){ .subject = object,
                                  .path = object->driver->object.path,
                                  .interface = native->name,
                                  .member = member,
                                  .fill = fill_path,
                                  .data = object->path });
}

static void object_added(Object *object)
{
        if (!interface_native(object->kind))
                return;
        announce(&(Announcement){ .subject = object,
                                  .path = FRONT_PATH,
                                  .interface = OBJECT_MANAGER_INTERFACE,
                                  .member = "InterfacesAdded",
                                  .fill = fill_added,
                                  .data = object });
        announce_on_driver(object, "DomainAdded");
}

static void object_removed(Object *object)
{
        if (!interface_native(object->kind))
                return;
        announce(&(Announcement){ .subject = object,
                                  .path = FRONT_PATH,
                                  .interface = OBJECT_MANAGER_INTERFACE,
                                  .member = "InterfacesRemoved",
                                  .fill = fill_removed,
                                  .data = object });
        announce_on_driver(object, "DomainRemoved");
}

/* The properties of the interface that did not change, a bit for each. */
static uint64_t unchanged_properties(const Object *object, const Interface *interface)
{
        uint64_t skipped = UINT64_MAX;

        for (unsigned i = 0; object->changed && i < object->changed->len; i++) {
                int number = interface_find_property(interface, object->changed->pdata[i]);

                if (number >= 0)
                        skipped &= ~(UINT64_C(1) << number);
        }
        return skipped;
}

/* What the caller may not read, or has not been asked about, is named only. */
static int fill_changed(sd_bus_message *message, Caller *caller, const void *data)
{
        Object *object = (Object *)data;
        const Interface *native = interface_native(object->kind);
        uint64_t unchanged = unchanged_properties(object, native), failed = 0;
        uint64_t hidden = properties_hidden(caller, native, object);
        int r;

        r = sd_bus_message_append_basic(message, 's', native->name);
        if (r >= 0)
                r = properties_append(message, native, object, unchanged | hidden, &failed);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "s");
        for (size_t i = 0; r >= 0 && i < native->n_properties; i++)
                if (hidden & ~unchanged & UINT64_C(1) << i)
                        r = sd_bus_message_append_basic(message, 's', native->properties[i].name);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static void object_has_changed(Object *object)
{
        const Interface *native = interface_native(object->kind);

        if (!native || unchanged_properties(object, native) == UINT64_MAX)
                return;
        announce(&(Announcement){ .subject = object,
                                  .path = object->path,
                                  .interface = PROPERTIES_INTERFACE,
                                  .member = "PropertiesChanged",
                                  .fill = fill_changed,
                                  .data = object });
}

static int fill_domain_event(sd_bus_message *message, Caller *caller _unused_, const void *data)
{
        const DomainLifecycleEvent *event = data;

        return sd_bus_message_append(message, "oii", event->domain->object.path, (int)event->type,
                                     event->detail);
}

static const char *const event_names[] = {
        [DOMAIN_EVENT_DEFINED] = "defined",   [DOMAIN_EVENT_UNDEFINED] = "undefined",
        [DOMAIN_EVENT_STARTED] = "started",   [DOMAIN_EVENT_SUSPENDED] = "suspended",
        [DOMAIN_EVENT_RESUMED] = "resumed",   [DOMAIN_EVENT_STOPPED] = "stopped",
        [DOMAIN_EVENT_SHUTDOWN] = "shutdown", [DOMAIN_EVENT_PMSUSPENDED] = "pmsuspended",
        [DOMAIN_EVENT_CRASHED] = "crashed",
};

#define DETAILS_OF_EVENT_MAX 10

/* By libvirt's numbers: virDomainEventDefinedDetailType, virDomainEventUndefinedDetailType ... */
static const char *const event_details[][DETAILS_OF_EVENT_MAX] = {
        [DOMAIN_EVENT_DEFINED] = { "added", "updated", "renamed", "from-snapshot" },
        [DOMAIN_EVENT_UNDEFINED] = { "removed", "renamed" },
        [DOMAIN_EVENT_STARTED] = { "booted", "migrated", "restored", "from-snapshot", "wakeup" },
        [DOMAIN_EVENT_SUSPENDED] = { "paused", "migrated", "io-error", "watchdog", "restored",
                                     "from-snapshot", "api-error", "post-copy", "post-copy-failed" },
        [DOMAIN_EVENT_RESUMED] = { "unpaused", "migrated", "from-snapshot", "post-copy",
                                   "post-copy-failed" },
        [DOMAIN_EVENT_STOPPED] = { "shutdown", "destroyed", "crashed", "migrated", "saved", "failed",
                                   "from-snapshot" },
        [DOMAIN_EVENT_SHUTDOWN] = { "finished", "guest", "host" },
        [DOMAIN_EVENT_PMSUSPENDED] = { "memory", "disk" },
        [DOMAIN_EVENT_CRASHED] = { "panicked", "crash-loaded" },
};

static const char *detail_name(const DomainLifecycleEvent *event)
{
        const char *text = NULL;

        if (event->detail >= 0 && event->detail < DETAILS_OF_EVENT_MAX)
                text = event_details[event->type][event->detail];
        return text ? text : "unknown";
}

static int fill_lifecycle(sd_bus_message *message, Caller *caller _unused_, const void *data)
{
        const DomainLifecycleEvent *event = data;
        _cleanup_(freep) char *job = NULL;

        if (event->job_id != 0)
                job = g_strdup_printf("%s/job/%" PRIu64, event->domain->object.driver->object.path,
                                      event->job_id);
        return sd_bus_message_append(message, "ssout", event_names[event->type], detail_name(event),
                                     job ? job : "/", (uint32_t)event->caller, event->sequence);
}

static void lifecycle_announce(const DomainLifecycleEvent *event)
{
        const Object *object = &event->domain->object;

        announce(&(Announcement){ .subject = object,
                                  .path = object->driver->object.path,
                                  .interface = "org.libvirt.Connect",
                                  .member = "DomainEvent",
                                  .fill = fill_domain_event,
                                  .data = event });
        announce(&(Announcement){ .subject = object,
                                  .path = object->path,
                                  .interface = interface_native(OBJECT_DOMAIN)->name,
                                  .member = "Lifecycle",
                                  .fill = fill_lifecycle,
                                  .data = event });
        log_info(object->path, "%s: %s (%s)", object_describe(object), event_names[event->type],
                 detail_name(event));
}

static int fill_arguments(sd_bus_message *message, Caller *caller _unused_, const void *data)
{
        GVariant *arguments = (GVariant *)data; /* only read */
        size_t n = arguments ? g_variant_n_children(arguments) : 0;

        for (size_t i = 0; i < n; i++) {
                _cleanup_(g_variant_unrefp) GVariant *argument = g_variant_get_child_value(arguments, i);
                int r = marshal_append(message, argument, true);

                if (r < 0)
                        return r;
        }
        return 0;
}

static void domain_signal_announce(const DomainSignalEvent *event)
{
        announce(&(Announcement){ .subject = &event->domain->object,
                                  .path = event->domain->object.path,
                                  .interface = "org.libvirt.Domain",
                                  .member = event->member,
                                  .fill = fill_arguments,
                                  .data = event->arguments });
}

static int fill_resource_event(sd_bus_message *message, Caller *caller, const void *data)
{
        const ResourceEvent *event = data;
        int r = sd_bus_message_append_basic(message, 'o', event->object->path);

        return r < 0 ? r : fill_arguments(message, caller, event->arguments);
}

static void resource_event_announce(const ResourceEvent *event)
{
        announce(&(Announcement){ .subject = event->object,
                                  .path = event->object->driver->object.path,
                                  .interface = "org.libvirt.Connect",
                                  .member = event->member,
                                  .fill = fill_resource_event,
                                  .data = event });
}

static void resource_signal_announce(const ResourceEvent *event)
{
        announce(&(Announcement){ .subject = event->object,
                                  .path = event->object->path,
                                  .interface = interface_compatible(event->object->kind)->name,
                                  .member = event->member,
                                  .fill = fill_arguments,
                                  .data = event->arguments });
}

void signals_send_native(const Object *object, const char *member, GVariant *arguments)
{
        _cleanup_(g_variant_unrefp) GVariant *values = g_variant_ref_sink(arguments);

        announce(&(Announcement){ .subject = object,
                                  .path = object->path,
                                  .interface = interface_native(object->kind)->name,
                                  .member = member,
                                  .fill = fill_arguments,
                                  .data = values });
}

static void driver_tells(int type, const void *data, void *user_data)
{
        (void)user_data;
        switch ((EventType)type) {
        case EVENT_OBJECT_ADDED:
                object_added(((const ObjectEvent *)data)->object);
                break;
        case EVENT_OBJECT_REMOVED:
                object_removed(((const ObjectEvent *)data)->object);
                break;
        case EVENT_OBJECT_CHANGED:
                object_has_changed(((const ObjectEvent *)data)->object);
                break;
        case EVENT_DOMAIN_LIFECYCLE:
                lifecycle_announce(data);
                break;
        case EVENT_DOMAIN_SIGNAL:
                domain_signal_announce(data);
                break;
        case EVENT_RESOURCE_EVENT:
                resource_event_announce(data);
                break;
        case EVENT_RESOURCE_SIGNAL:
                resource_signal_announce(data);
                break;
        case EVENT_JOB_CHANGED:
        case EVENT_LEASES_CHANGED:
                break; /* bus/jobs.c makes an object of the first; the other is between drivers */
        }
}

void signals_watch(Driver *driver)
{
        (void)event_listen(driver->events, driver_tells, NULL); /* until the driver is freed */
}
