/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one interface that is left to sd-bus's vtables: everybody may read it, and sd-bus itself lets only
 * root (in a session, its user) set the level, by asking the bus driver. */

#include "bus/log-control.h"
#include "core/log.h"

static int level_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *data, sd_bus_error *ret_error)
{
        (void)bus, (void)path, (void)interface, (void)property, (void)data, (void)ret_error;
        return sd_bus_message_append_basic(reply, 's', log_level_to_string(log_get_level()));
}

static int level_set(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *value, void *data, sd_bus_error *ret_error)
{
        const char *name;
        int level, r;

        (void)bus, (void)path, (void)interface, (void)property, (void)data;
        r = sd_bus_message_read_basic(value, 's', &name);
        if (r < 0)
                return r;
        level = log_level_from_string(name);
        if (level < 0)
                return sd_bus_error_setf(
                        ret_error, SD_BUS_ERROR_INVALID_ARGS,
                        "'%s' is not a log level: emerg, alert, crit, err, warning, notice, info "
                        "or debug",
                        name);
        log_set_level(level);
        return 0;
}

static int target_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *data, sd_bus_error *ret_error)
{
        (void)bus, (void)path, (void)interface, (void)property, (void)data, (void)ret_error;
        return sd_bus_message_append_basic(reply, 's', log_get_target());
}

static int target_set(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *value, void *data, sd_bus_error *ret_error)
{
        (void)bus, (void)path, (void)interface, (void)property, (void)value, (void)data;
        return sd_bus_error_setf(ret_error, SD_BUS_ERROR_NOT_SUPPORTED,
                                 "Lines go to the journal where there is one and to stderr elsewhere");
}

static int identifier_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *data, sd_bus_error *ret_error)
{
        (void)bus, (void)path, (void)interface, (void)property, (void)data, (void)ret_error;
        return sd_bus_message_append_basic(reply, 's', "virtbusd");
}

static const sd_bus_vtable log_control_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", level_get, level_set, 0, 0),
        SD_BUS_WRITABLE_PROPERTY("LogTarget", "s", target_get, target_set, 0, 0),
        SD_BUS_PROPERTY("SyslogIdentifier", "s", identifier_get, 0, 0),
        SD_BUS_VTABLE_END,
};

int log_control_install(sd_bus *bus, Error *error)
{
        int r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/LogControl1",
                                         "org.freedesktop.LogControl1", log_control_vtable, NULL);

        return r < 0 ? error_set_errno(error, r, "Cannot put LogControl1 on the bus") : 0;
}
