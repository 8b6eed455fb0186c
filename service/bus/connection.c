/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The message bus. Everything is in place before a name is owned, so that whoever sees the name can call. */

#include "bus/connection.h"
#include "bus/dispatch.h"
#include "bus/front.h"
#include "bus/log-control.h"
#include "core/log.h"
#include "core/loop.h"
#include <errno.h>
#include <string.h>

#define NATIVE_NAME     "org.virtbus1"
#define COMPATIBLE_NAME "org.libvirt"

static int bus_connect(sd_bus **ret_bus, Error *error)
{
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        const Config *config = front_end()->config;
        int r;

        if (config->address) {
                r = sd_bus_new(&bus);
                if (r >= 0)
                        r = sd_bus_set_address(bus, config->address);
                if (r >= 0)
                        r = sd_bus_set_bus_client(bus, true);
                if (r >= 0)
                        r = sd_bus_negotiate_fds(bus, true);
                if (r >= 0)
                        r = sd_bus_start(bus);
        } else {
                r = config->is_system ? sd_bus_open_system(&bus) : sd_bus_open_user(&bus);
        }
        if (r >= 0)
                r = sd_bus_get_unique_name(bus,
                                           &(const char *){ NULL }); /* waits until the bus has answered */
        if (r < 0)
                return error_set_errno(error, r, "Cannot connect to the %s bus%s%s",
                                       config->is_system ? "system" : "session",
                                       config->address ? " at " : "",
                                       config->address ? config->address : "");
        *ret_bus = TAKE_PTR(bus);
        return 0;
}

static int name_lost(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        const char *name;

        (void)data;
        (void)ret_error;
        /* Anybody may send us such a signal, which sd-bus's own test of the sender lets through. */
        if (g_strcmp0(sd_bus_message_get_sender(message), "org.freedesktop.DBus") != 0)
                return 0;
        if (sd_bus_message_read_basic(message, 's', &name) < 0)
                return 0;
        for (char **own = front_end()->names; own && *own; own++) {
                if (strcmp(name, *own) != 0)
                        continue;
                log_error(NULL, "the name %s was taken from us", name);
                loop_exit(1);
        }
        return 0;
}

static int bus_left(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        (void)message;
        (void)data;
        (void)ret_error;
        log_error(NULL, "the message bus ended the connection");
        loop_exit(1);
        return 0;
}

int connection_open(Error *error)
{
        FrontEnd *front = front_end();
        int r;

        r = bus_connect(&front->bus, error);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(front->bus, loop_get(), LOOP_PRIORITY_BUS);
        if (r >= 0)
                r = sd_bus_match_signal(front->bus, NULL, NULL, "/org/freedesktop/DBus/Local",
                                        "org.freedesktop.DBus.Local", "Disconnected", bus_left, NULL);
        if (r >= 0)
                r = sd_bus_match_signal(front->bus, NULL, "org.freedesktop.DBus", NULL,
                                        "org.freedesktop.DBus", "NameLost", name_lost, NULL);
        if (r < 0)
                return error_set_errno(error, r, "Cannot watch the message bus");
        r = log_control_install(front->bus, error);
        if (r >= 0)
                r = dispatch_install(front->bus, error);
        if (r >= 0)
                r = caller_table_add_bus(front->callers, front->bus, false, error);
        if (r < 0)
                return r;
        front->authority = authority_new(front->config->is_system ? front->bus : NULL);
        return 0;
}

int connection_own_names(Error *error)
{
        FrontEnd *front = front_end();
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = g_ptr_array_new();
        int r;

        r = sd_bus_request_name(front->bus, NATIVE_NAME, 0);
        if (r < 0)
                return error_set_errno(error, r, "Cannot own the name %s", NATIVE_NAME);
        g_ptr_array_add(names, g_strdup(NATIVE_NAME));
        r = sd_bus_request_name(front->bus, COMPATIBLE_NAME, SD_BUS_NAME_QUEUE);
        if (r < 0)
                return error_set_errno(error, r, "Cannot own the name %s", COMPATIBLE_NAME);
        if (r == 0)
                log_warning(NULL, "the name %s is taken: clients of libvirt-dbus talk to somebody else until it is free",
                            COMPATIBLE_NAME);
        g_ptr_array_add(names, g_strdup(COMPATIBLE_NAME));
        g_ptr_array_add(names, NULL);
        front->names = (char **)g_ptr_array_free(TAKE_PTR(names), FALSE);
        return 0;
}

void connection_close(void)
{
        FrontEnd *front = front_end();

        front->authority = authority_free(front->authority);
        if (front->bus) {
                caller_table_remove_bus(front->callers, front->bus);
                sd_bus_detach_event(front->bus);
                front->bus = sd_bus_flush_close_unref(front->bus);
        }
        g_strfreev(TAKE_PTR(front->names));
}
