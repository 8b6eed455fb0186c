/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is noted of a running machine comes back as it was; what is no such note is refused. */

#include "drivers/qemu/status.h"
#include "qemu-definition.h"

static Status example(void)
{
        Status status = {
                .pid = 4321,
                .start_time = 987654321,
                .phase = MACHINE_RUNNING,
                .state = DOMAIN_STATE_PAUSED,
                .reason = PAUSED_REASON_IOERROR,
                .owner = 1000,
                .is_updated = true,
                .is_rebooting = true,
                .started_usec = 1700000000000000,
                .sequence = 17,
                .migration_speed_mib = 32,
                .live = stage_definition(
                        "<devices><graphics type='vnc' port='5901' passwd='secret'/></devices>"),
        };

        status.is_held = true;
        status.held_by = g_strdup("virtbus-block-'a'");
        status.memory_file = g_new0(MemoryFile, 1);
        *status.memory_file = (MemoryFile){
                .path = g_strdup("/a<b>/'memory'"),
                .part = g_strdup("/a<b>/'memory'.virtbus-1"),
                .was_running = true,
                .point = MEMORY_FILE_WHOLE,
                .device = UINT64_C(1) << 63,
                .inode = 12,
        };
        status.live->has_id = true;
        status.live->id = 42;
        return status;
}

static void comes_back(void **state)
{
        _cleanup_(status_clear) Status status = example(), back = {};
        g_autofree char *text = status_format(&status), *again = NULL;

        (void)state;
        assert_int_equal(status_parse(text, strlen(text), &back, NULL), 0);
        assert_int_equal(back.pid, 4321);
        assert_int_equal(back.start_time, 987654321);
        assert_int_equal(back.phase, MACHINE_RUNNING);
        assert_int_equal(back.state, DOMAIN_STATE_PAUSED);
        assert_int_equal(back.reason, PAUSED_REASON_IOERROR);
        assert_int_equal(back.owner, 1000);
        assert_true(back.is_updated && back.is_rebooting);
        assert_false(back.is_persistent || back.starts_paused);
        assert_int_equal(back.sequence, 17);
        assert_int_equal(back.migration_speed_mib, 32);
        assert_int_equal(back.live->id, 42);
        assert_string_equal(back.live->devices.graphics.items[0]->password, "secret");
        assert_true(back.is_held);
        assert_string_equal(back.held_by, "virtbus-block-'a'");
        assert_string_equal(back.memory_file->path, "/a<b>/'memory'");
        assert_string_equal(back.memory_file->part, "/a<b>/'memory'.virtbus-1");
        assert_true(back.memory_file->was_running && !back.memory_file->ends_run);
        assert_int_equal(back.memory_file->point, MEMORY_FILE_WHOLE);
        assert_true(back.memory_file->device == UINT64_C(1) << 63 && back.memory_file->inode == 12);
        again = status_format(&back);
        assert_string_equal(again, text);
}

static void without(const char *text, const char *word, const char *other)
{
        _cleanup_(error_clear) Error error = {};
        _cleanup_(status_clear) Status status = {};
        GString *changed = g_string_new(text);

        assert_true(g_string_replace(changed, word, other, 1) == 1);
        assert_true(status_parse(changed->str, changed->len, &status, &error) < 0);
        assert_non_null(error.message);
        g_string_free(changed, TRUE);
}

static void damaged_is_refused(void **state)
{
        _cleanup_(status_clear) Status status = example();
        g_autofree char *text = status_format(&status);

        (void)state;
        without(text, "pid='4321'", "");
        without(text, "pid='4321'", "pid='99999999999'");
        without(text, "start='987654321'", "start='yesterday'");
        without(text, "state='3'", "state='99'");
        without(text, "owner='1000'", "owner='-1'");
        without(text, "inode='12'", "");
        without(text, "point='whole'", "point='hole'");
        without(text, " part=", " port=");
        without(text, "</status>", "");
        without(text, "<status ", "<stotus ");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(comes_back),
                cmocka_unit_test(damaged_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
