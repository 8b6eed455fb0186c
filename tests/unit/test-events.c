/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What QEMU says becomes states, reasons and libvirt's numbers, in this order and once. */

#include "drivers/qemu/end.h"
#include "drivers/qemu/events.h"
#include "qemu-stage.h"

static unsigned n_restarts;

static void count_restart(Domain *domain)
{
        (void)domain;
        n_restarts++;
}

static void say(Domain *domain, const char *event, const char *arguments)
{
        _cleanup_(json_decrefp) json_t *data = arguments ? json_loads(arguments, 0, NULL) : NULL;

        assert_true(!arguments || data);
        events_handle(domain, event, data);
}

/* A machine that is about to run; a reference of the table's, and one for the caller. */
static Domain *begin(Stage *stage, const char *inner, bool is_persistent)
{
        Domain *domain = machine_new(stage->driver, stage_definition(inner), 0);
        Machine *machine = machine_of(domain);

        qemu_driver(stage->driver)->restart = count_restart;
        n_restarts = 0;
        domain->is_persistent = is_persistent;
        assert_int_equal(object_table_add(stage->driver->objects, &domain->object), 0);
        machine->run++;
        machine->phase = MACHINE_STARTING;
        machine->is_ready = true;
        machine->pending = domain_definition_copy(domain->definition);
        return domain;
}

static Domain *run(Stage *stage, const char *inner)
{
        Domain *domain = begin(stage, inner, true);

        say(domain, "RESUME", NULL);
        stage_heard(stage, "2/0 ");
        return domain;
}

static void assert_state(const Domain *domain, DomainState state, int reason)
{
        assert_int_equal(domain->state, state);
        assert_int_equal(domain->reason, reason);
}

/* The run is over, and the machine off the stage. */
static void finish(Stage *stage, Domain *domain)
{
        end_run(domain);
        g_string_truncate(stage->heard, 0);
        object_table_remove(stage->driver->objects, &domain->object);
        domain_unref(domain);
}

static void starts(Stage *stage)
{
        Domain *domain = begin(stage, "", false);

        say(domain, "STOP", NULL);
        say(domain, "SHUTDOWN", "{\"guest\": true}");
        stage_heard(stage, ""); /* before the start is announced there is nothing to say */
        assert_false(domain_is_active(domain));
        say(domain, "RESUME", NULL);
        events_started(domain);
        stage_heard(stage, "2/0 ");
        assert_true(domain_is_active(domain));
        assert_null(domain->definition); /* a transient machine has only what runs */
        assert_state(domain, DOMAIN_STATE_RUNNING, RUNNING_REASON_BOOTED);
        end_run(domain);
        stage_heard(stage, "5/5 ");
        assert_true(domain->object.is_gone);
        assert_non_null(domain_current_definition(domain)); /* whoever holds it can still look */
        end_run(domain);
        stage_heard(stage, "");
        domain_unref(domain);
}

static void starts_paused(Stage *stage)
{
        Domain *domain = begin(stage, "", true);

        machine_of(domain)->starts_paused = true;
        events_started(domain);
        stage_heard(stage, "2/0 3/0 ");
        assert_state(domain, DOMAIN_STATE_PAUSED, PAUSED_REASON_USER);
        say(domain, "RESUME", NULL);
        stage_heard(stage, "4/0 ");
        assert_state(domain, DOMAIN_STATE_RUNNING, RUNNING_REASON_UNPAUSED);
        finish(stage, domain);
}

static void pauses(Stage *stage)
{
        Domain *domain = run(stage, "");

        machine_of(domain)->pause_reason = PAUSED_REASON_USER;
        say(domain, "STOP", NULL);
        say(domain, "STOP", NULL);
        stage_heard(stage, "3/0 ");
        assert_state(domain, DOMAIN_STATE_PAUSED, PAUSED_REASON_USER);
        say(domain, "RESUME", NULL);
        say(domain, "BLOCK_IO_ERROR",
            "{\"device\": \"\", \"qom-path\": \"/machine/peripheral/virtio-disk0/virtio-backend\","
            " \"action\": \"stop\", \"nospace\": true}");
        say(domain, "STOP", NULL);
        stage_heard(stage, "4/0 IOError('', 'virtio-disk0', 1, 'enospc') 3/2 ");
        assert_state(domain, DOMAIN_STATE_PAUSED, PAUSED_REASON_IOERROR);
        say(domain, "RESUME", NULL);
        say(domain, "WATCHDOG", "{\"action\": \"pause\"}");
        say(domain, "STOP", NULL);
        stage_heard(stage, "4/0 Watchdog(1,) 3/3 ");
        events_synchronise(domain, "running");
        stage_heard(stage, "4/0 ");
        finish(stage, domain);
}

static void shuts_down(Stage *stage)
{
        Domain *domain = run(stage, "");

        say(domain, "SHUTDOWN", "{\"guest\": true, \"reason\": \"guest-shutdown\"}");
        say(domain, "STOP", NULL);
        stage_heard(stage, "6/1 ");
        assert_int_equal(domain->state, DOMAIN_STATE_SHUTDOWN);
        end_run(domain);
        stage_heard(stage, "5/0 ");
        assert_state(domain, DOMAIN_STATE_SHUTOFF, SHUTOFF_REASON_SHUTDOWN);
        assert_int_equal(n_restarts, 0);
        finish(stage, domain);

        domain = run(stage, "<on_poweroff>restart</on_poweroff>");
        say(domain, "SHUTDOWN", "{\"guest\": false, \"reason\": \"host-signal\"}");
        end_run(domain);
        stage_heard(stage, "6/2 5/0 ");
        assert_int_equal(n_restarts, 1);
        finish(stage, domain);
}

static void is_destroyed(Stage *stage)
{
        Domain *domain = run(stage, "<on_poweroff>restart</on_poweroff>");

        machine_of(domain)->end = MACHINE_END_DESTROYED;
        say(domain, "SHUTDOWN", "{\"guest\": false, \"reason\": \"host-signal\"}");
        end_run(domain);
        stage_heard(stage, "5/1 ");
        assert_state(domain, DOMAIN_STATE_SHUTOFF, SHUTOFF_REASON_DESTROYED);
        assert_int_equal(n_restarts, 0);
        finish(stage, domain);
}

static void panics(Stage *stage)
{
        Domain *domain = run(stage, "<on_crash>preserve</on_crash>");

        say(domain, "GUEST_PANICKED", "{\"action\": \"pause\"}");
        say(domain, "STOP", NULL);
        stage_heard(stage, "8/0 ");
        assert_state(domain, DOMAIN_STATE_CRASHED, CRASHED_REASON_PANICKED);
        finish(stage, domain);

        domain = run(stage, "<on_crash>destroy</on_crash>");
        say(domain, "GUEST_PANICKED", "{\"action\": \"poweroff\"}");
        say(domain, "SHUTDOWN", "{\"guest\": true, \"reason\": \"guest-panic\"}");
        end_run(domain);
        stage_heard(stage, "8/0 5/2 ");
        assert_state(domain, DOMAIN_STATE_SHUTOFF, SHUTOFF_REASON_CRASHED);
        finish(stage, domain);
}

static void sleeps(Stage *stage)
{
        Domain *domain = run(stage, "");

        say(domain, "SUSPEND", NULL);
        stage_heard(stage, "7/0 PMSuspend(0,) ");
        assert_int_equal(domain->state, DOMAIN_STATE_PMSUSPENDED);
        say(domain, "WAKEUP", NULL);
        stage_heard(stage, "2/4 PMWakeup(0,) ");
        assert_state(domain, DOMAIN_STATE_RUNNING, RUNNING_REASON_WAKEUP);
        finish(stage, domain);
}

static void notices(Stage *stage)
{
        Domain *domain = run(stage, "");

        say(domain, "RESET", "{\"guest\": true, \"reason\": \"guest-reset\"}");
        say(domain, "RTC_CHANGE", "{\"offset\": -60}");
        say(domain, "BALLOON_CHANGE", "{\"actual\": 33554432}");
        say(domain, "DEVICE_DELETED", "{\"device\": \"net1\", \"path\": \"/machine/peripheral/net1\"}");
        say(domain, "DEVICE_DELETED", "{\"path\": \"/machine/peripheral/net1/virtio-backend\"}");
        say(domain, "DEVICE_TRAY_MOVED", "{\"device\": \"\", \"id\": \"ide0-1-0\", \"tray-open\": true}");
        stage_heard(stage, "Reboot RTCChange(-60,) BalloonChange(32768,) DeviceRemoved('net1',) "
                           "TrayChange('ide0-1-0', 0) ");
        assert_int_equal(domain->live->current_memory_kib, 32768);
        say(domain, "VNC_CONNECTED",
            "{\"server\": {\"host\": \"127.0.0.1\", \"service\": \"5900\", \"family\": \"ipv4\"},"
            " \"client\": {\"host\": \"::1\", \"service\": \"40000\", \"family\": \"ipv6\"}}");
        stage_heard(stage, "Graphics(0, (0, '127.0.0.1', '5900'), (1, '::1', '40000'), '', []) ");
        finish(stage, domain);
}

/* A QEMU that is its guest's by now may say anything. */
static void nonsense(Stage *stage)
{
        static const char *const events[] = {
                "GUEST_PANICKED",  "STOP",           "SHUTDOWN",          "BALLOON_CHANGE",
                "BLOCK_IO_ERROR",  "DEVICE_DELETED", "DEVICE_TRAY_MOVED", "RTC_CHANGE",
                "VNC_INITIALIZED", "WATCHDOG",       "VSERPORT_CHANGE",   "NO_SUCH_EVENT"
        };
        static const char *const arguments[] = {
                NULL, "{}",
                "{\"device\": 7, \"id\": [], \"action\": {}, \"offset\": \"x\", \"actual\": -1, \"guest\": "
                "3}",
                "{\"server\": 1, \"client\": [], \"reason\": null, \"offset\": 9223372036854775807}"
        };

        for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(arguments); j++) {
                        Domain *domain = run(stage, "<on_crash>preserve</on_crash>");

                        machine_of(domain)->clock_base_sec = INT64_MAX;
                        say(domain, events[i], arguments[j]);
                        assert_true(domain_is_active(domain));
                        finish(stage, domain);
                }
}

typedef struct Told {
        bool is_set;
        Fiber *fiber;
} Told;

static void set(void *data)
{
        Told *told = data;

        told->is_set = true;
        fiber_wake(told->fiber);
}

static void everything(void *data)
{
        Stage *stage = data;
        Told told = { .fiber = fiber_current() };

        starts(stage);
        starts_paused(stage);
        pauses(stage);
        shuts_down(stage);
        is_destroyed(stage);
        panics(stage);
        sleeps(stage);
        notices(stage);
        nonsense(stage);
        while (fiber_count() > 1) /* those that save a status */
                assert_int_equal(await_turn(), 0);
        /* Changes are told at the end of a turn, in the order in which they were noted. */
        loop_defer(set, &told);
        assert_int_equal(await_flag(&told.is_set, DEADLINE_NEVER), 0);
        stage_close(stage);
}

static void events(void **state)
{
        Stage stage;

        (void)state;
        stage_open(&stage);
        on_fiber(everything, &stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(events) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
