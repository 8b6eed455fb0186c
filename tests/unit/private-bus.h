/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For tests of what talks over a bus: a message bus of the system type, of its own process and in a folder
 * of its own, and connections to it on the loop of the test, if it runs as root also as other users. */

#include "core/await.h"
#include "core/fiber.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define NOBODY ((uid_t)65534)

typedef struct PrivateBus {
        char *directory, *config, *address;
        GPid pid;
} PrivateBus;

static void private_bus_child(void *data _unused_)
{
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* else it would outlive a test that crashes */
}

/* Before loop_open(), whose signal mask it would inherit. */
static _unused_ PrivateBus *private_bus_start(void)
{
        PrivateBus *bus = g_new0(PrivateBus, 1);
        _cleanup_(freep) char *text = NULL;
        char *arguments[] = { (char *)"dbus-daemon",       NULL, (char *)"--nofork", (char *)"--nopidfile",
                              (char *)"--print-address=1", NULL };
        int output;

        bus->directory = g_dir_make_tmp("virtbus-test-XXXXXX", NULL);
        assert_non_null(bus->directory);
        assert_int_equal(g_chmod(bus->directory, 0755), 0);
        bus->config = g_build_filename(bus->directory, "config", NULL);
        text = g_strdup_printf(
                "<busconfig><type>system</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>"
                "<policy context='default'><allow user='*'/><allow own='*'/>"
                "<allow send_destination='*'/><allow send_type='signal'/>"
                "<allow send_requested_reply='true' send_type='method_return'/>"
                "<allow send_requested_reply='true' send_type='error'/>"
                "<allow receive_type='method_call'/><allow receive_type='method_return'/>"
                "<allow receive_type='error'/><allow receive_type='signal'/></policy>"
                "<limit name='max_replies_per_connection'>4096</limit></busconfig>",
                bus->directory);
        assert_true(g_file_set_contents(bus->config, text, -1, NULL));
        arguments[1] = g_strdup_printf("--config-file=%s", bus->config);
        assert_true(g_spawn_async_with_pipes(NULL, arguments, NULL,
                                             G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                                             private_bus_child, NULL, &bus->pid, NULL, &output, NULL, NULL));
        g_free(arguments[1]);

        char address[512];
        size_t length = 0;

        while (length == 0 || address[length - 1] != '\n') {
                ssize_t n = read(output, address + length, sizeof address - 1 - length);

                assert_true(n > 0);
                length += (size_t)n;
        }
        address[length - 1] = '\0';
        bus->address = g_strdup(address);
        assert_int_equal(close(output), 0);
        return bus;
}

static _unused_ void private_bus_stop(PrivateBus *bus)
{
        _cleanup_(freep) char *socket = g_build_filename(bus->directory, "bus", NULL);

        assert_int_equal(kill(bus->pid, SIGTERM), 0);
        assert_int_equal(waitpid(bus->pid, NULL, 0), bus->pid);
        (void)g_unlink(socket); /* the daemon may have done so */
        assert_int_equal(g_unlink(bus->config), 0);
        assert_int_equal(g_rmdir(bus->directory), 0);
        g_free(bus->directory);
        g_free(bus->config);
        g_free(bus->address);
        g_free(bus);
}

/* A connection on the test's loop. The kernel notes the effective user at the time of connecting. */
static _unused_ sd_bus *private_bus_connect_as(const PrivateBus *bus, uid_t uid)
{
        sd_bus *connection = NULL;
        int r;

        assert_true(sd_bus_new(&connection) >= 0);
        assert_true(sd_bus_set_address(connection, bus->address) >= 0);
        assert_true(sd_bus_set_bus_client(connection, true) >= 0);
        if (uid != geteuid())
                assert_int_equal(seteuid(uid), 0);
        r = sd_bus_start(connection);
        if (geteuid() != getuid())
                assert_int_equal(seteuid(getuid()), 0);
        assert_true(r >= 0);
        assert_true(sd_bus_attach_event(connection, loop_get(), LOOP_PRIORITY_BUS) >= 0);
        return connection;
}

static _unused_ sd_bus *private_bus_connect(const PrivateBus *bus)
{
        return private_bus_connect_as(bus, geteuid());
}

static _unused_ sd_bus *private_bus_close(sd_bus *connection)
{
        sd_bus_detach_event(connection);
        return sd_bus_flush_close_unref(connection);
}

/* The calls and signals that come to a connection, one after the other. */
typedef struct Inbox {
        GQueue messages;
        Condition arrived;
        sd_bus_slot *slot;
} Inbox;

static int inbox_filter(sd_bus_message *message, void *data, sd_bus_error *ret_error _unused_)
{
        Inbox *inbox = data;

        if (!sd_bus_message_is_method_call(message, "org.virtbus1.Test", NULL))
                return 0;
        g_queue_push_tail(&inbox->messages, sd_bus_message_ref(message));
        condition_wake_all(&inbox->arrived);
        return 1;
}

static _unused_ void inbox_open(Inbox *inbox, sd_bus *bus)
{
        *inbox = (Inbox){ .messages = G_QUEUE_INIT };
        assert_true(sd_bus_add_filter(bus, &inbox->slot, inbox_filter, inbox) >= 0);
}

static _unused_ void inbox_close(Inbox *inbox)
{
        assert_int_equal(inbox->messages.length, 0);
        sd_bus_slot_unref(inbox->slot);
        condition_clear(&inbox->arrived);
}

/* The next message, which the caller unrefs. */
static _unused_ sd_bus_message *inbox_take(Inbox *inbox)
{
        uint64_t deadline_usec = deadline_after_usec(20 * G_USEC_PER_SEC);

        while (g_queue_is_empty(&inbox->messages))
                assert_int_equal(condition_wait(&inbox->arrived, deadline_usec), 0);
        return g_queue_pop_head(&inbox->messages);
}

/* Calls org.virtbus1.Test.Call of `to`, and wants no reply. */
static _unused_ void call_without_reply(sd_bus *from, const char *to)
{
        sd_bus_message *message = NULL;

        assert_true(sd_bus_message_new_method_call(from, &message, to, "/", "org.virtbus1.Test", "Call") >=
                    0);
        assert_true(sd_bus_message_set_expect_reply(message, false) >= 0);
        assert_true(sd_bus_send(from, message, NULL) >= 0);
        sd_bus_message_unref(message);
}

static _unused_ const char *unique_name(sd_bus *bus)
{
        const char *name = NULL;

        assert_true(sd_bus_get_unique_name(bus, &name) >= 0);
        return name;
}
