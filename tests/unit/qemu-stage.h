/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A QEMU driver below a temporary folder, without a daemon around it: for tests of its parts. */

#include "drivers/qemu/machine.h"
#include "on-fiber.h"
#include "qemu-definition.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct Stage {
        char *root;
        Config config;
        Driver *driver;
        GString *heard; /* "5/1 Reboot 3/0 ": events as they came */
} Stage;

static void stage_hear(int type, const void *event, void *data)
{
        Stage *stage = data;

        if (type == EVENT_DOMAIN_LIFECYCLE) {
                const DomainLifecycleEvent *lifecycle = event;

                g_string_append_printf(stage->heard, "%d/%d ", lifecycle->type, lifecycle->detail);
        } else if (type == EVENT_DOMAIN_SIGNAL) {
                const DomainSignalEvent *signal = event;
                g_autofree char *arguments =
                        signal->arguments ? g_variant_print(signal->arguments, FALSE) : NULL;

                g_string_append_printf(stage->heard, "%s%s ", signal->member, arguments ? arguments : "");
        }
}

static void stage_open(Stage *stage)
{
        static const DriverType type = { .name = "QEMU", .uri_session = "qemu:///session" };
        QemuDriver *qemu = g_new0(QemuDriver, 1);
        g_autofree char *definitions = NULL;

        *stage = (Stage){ .root = g_dir_make_tmp("virtbus-XXXXXX", NULL), .heard = g_string_new(NULL) };
        stage->config = (Config){ .uid = geteuid(), .config_dir = stage->root, .run_dir = stage->root };
        stage->driver = driver_new(&type, &stage->config);
        stage->driver->private_data = qemu;
        qemu->driver = stage->driver;
        qemu->run_path = g_build_filename(stage->root, "run", NULL);
        definitions = g_build_filename(stage->root, "qemu", NULL);
        assert_int_equal(g_mkdir(qemu->run_path, 0700), 0);
        assert_int_equal(g_mkdir(definitions, 0700), 0);
        qemu->run_fd = open(qemu->run_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        qemu->definitions_fd = open(definitions, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(qemu->run_fd >= 0 && qemu->definitions_fd >= 0);
        (void)event_listen(stage->driver->events, stage_hear, stage);
}

static void stage_remove(const char *path)
{
        GDir *folder = g_dir_open(path, 0, NULL);
        const char *name;

        while (folder && (name = g_dir_read_name(folder))) {
                g_autofree char *child = g_build_filename(path, name, NULL);

                stage_remove(child);
        }
        if (folder)
                g_dir_close(folder);
        assert_int_equal(g_remove(path), 0);
}

static void stage_close(Stage *stage)
{
        QemuDriver *qemu = stage->driver->private_data;

        closep(&qemu->run_fd);
        closep(&qemu->definitions_fd);
        g_free(qemu->run_path);
        driver_free(stage->driver);
        g_free(qemu);
        stage_remove(stage->root);
        g_free(stage->root);
        g_string_free(stage->heard, TRUE);
}

/* What happened since the last look. */
static void _unused_ stage_heard(Stage *stage, const char *expected)
{
        assert_string_equal(stage->heard->str, expected);
        g_string_truncate(stage->heard, 0);
}
