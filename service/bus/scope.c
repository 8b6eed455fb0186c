/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Scopes: units for processes that systemd did not start. A machine in one is not the daemon's any longer:
 * it is counted, limited and ended by itself, and no restart or stop of the daemon can mean it. */

#include "bus/scope.h"
#include "core/await.h"
#include <errno.h>
#include <systemd/sd-daemon.h>

#define MANAGER_NAME "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define SLICE        "machine.slice"

/* A unit of the last run goes when the manager has heard that its processes have; a machine that is started
 * again at once may come first. */
#define ATTEMPTS     10
#define ATTEMPT_USEC (100 * G_TIME_SPAN_MILLISECOND)

static const sd_bus_error_map errors[] = {
        SD_BUS_ERROR_MAP("org.freedesktop.systemd1.UnitExists", EEXIST),
        SD_BUS_ERROR_MAP_END,
};

/* The description becomes a line of a unit file: it must stay one. */
static char *one_line(const char *text)
{
        char *line = g_strdup(text);

        for (char *c = line; *c; c++)
                if (g_ascii_iscntrl(*c))
                        *c = ' ';
        return line;
}

static int append_string(sd_bus_message *message, const char *name, const char *value)
{
        return sd_bus_message_append(message, "(sv)", name, "s", value);
}

static int message_new(sd_bus *bus, const char *unit, const char *description, pid_t pid,
                       sd_bus_message **ret_message)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        _cleanup_(freep) char *line = one_line(description);
        int r;

        r = sd_bus_message_new_method_call(bus, &message, MANAGER_NAME, MANAGER_PATH,
                                           MANAGER_NAME ".Manager", "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", unit, "fail");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r >= 0)
                r = append_string(message, "Description", line);
        if (r >= 0)
                r = append_string(message, "Slice", SLICE);
        if (r >= 0)
                r = append_string(message, "CollectMode", "inactive-or-failed");
        if (r >= 0)
                r = sd_bus_message_append(message, "(sv)", "PIDs", "au", 1, (uint32_t)pid);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r >= 0)
                r = sd_bus_message_append(message, "a(sa(sv))", 0);
        if (r >= 0)
                *ret_message = TAKE_PTR(message);
        return r;
}

static int scope_start(const char *name, const char *description, pid_t pid, uint64_t deadline_usec,
                       Error *error) AWAITS
{
        _cleanup_(freep) char *unit = g_strconcat("virtbus-", name, ".scope", NULL);
        sd_bus *bus = front_end()->bus;

        for (unsigned attempt = 1;; attempt++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
                _cleanup_(error_clear) Error refusal = {};
                int r = message_new(bus, unit, description, pid, &message);

                if (r < 0)
                        return error_set_errno(error, r, "Cannot ask for the unit %s", unit);
                r = await_bus_call(bus, message, deadline_usec, &reply, &refusal);
                if (r != -EEXIST || attempt == ATTEMPTS) {
                        if (r < 0)
                                error_move(error, &refusal);
                        return r;
                }
                r = await_until(MIN(deadline_usec, deadline_after_usec(ATTEMPT_USEC)));
                if (r < 0)
                        return error_set_errno(error, r, "The unit %s is still there", unit);
        }
}

/* A bus that was named need not be the manager's; and the system's lets nobody but root. */
void scope_open(const FrontEnd *front)
{
        const Config *config = front->config;

        if (config->address || (config->is_system && config->uid != 0) || sd_booted() <= 0)
                return;
        (void)sd_bus_error_add_map(errors); /* else a unit that exists is only not waited for */
        for (unsigned i = 0; i < front->drivers->len; i++)
                ((Driver *)front->drivers->pdata[i])->scope_start = scope_start;
}
