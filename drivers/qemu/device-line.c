/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The arguments are those that a start of the machine would have: what stands behind -blockdev is what
 * blockdev-add takes, and so on. Each command that QEMU has taken is noted with the one that takes it back.
 * Descriptors get numbers that QEMU has not seen: files go into sets of their own, everything else has a
 * name. */

#include "drivers/qemu/device-line.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/build.h"
#include "drivers/qemu/chardev-add.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/images.h"
#include "drivers/qemu/launch.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/secret.h"
#include <string.h>

#define UNDO_TIMEOUT_USEC (5 * G_USEC_PER_SEC)
/* Far above the numbers of a start, so that none of them is taken for one. */
#define FIRST_FD 10000u

typedef struct Undo {
        const char *command;
        json_t *arguments;
} Undo;

struct DeviceLine {
        GArray *undo; /* of Undo */
        uint64_t run;
        bool is_open; /* what it opens, binds and plugs in is there */
};

static void undo_clear(void *data)
{
        json_decref(((Undo *)data)->arguments);
}

DeviceLine *device_line_free(DeviceLine *line)
{
        if (line)
                g_array_unref(line->undo);
        g_free(line);
        return NULL;
}

static DeviceLine *device_line_new(const Domain *domain)
{
        DeviceLine *line = g_new0(DeviceLine, 1);

        line->undo = g_array_new(false, false, sizeof(Undo));
        line->run = machine_of(domain)->run;
        g_array_set_clear_func(line->undo, undo_clear);
        return line;
}

static void note(DeviceLine *line, const char *command, json_t *arguments)
{
        const Undo undo = { command, arguments };

        g_array_append_val(line->undo, undo);
}

static bool is_same_run(const Domain *domain, const DeviceLine *line)
{
        return machine_of(domain)->run == line->run && machine_check_monitor(domain, NULL) >= 0;
}

void device_line_undo(Domain *domain, DeviceLine *line)
{
        for (unsigned i = line->undo->len; i > 0 && is_same_run(domain, line); i--) {
                const Undo *undo = &g_array_index(line->undo, Undo, i - 1);
                _cleanup_(error_clear) Error error = {};

                if (qmp_call(machine_of(domain)->qmp, undo->command, json_incref(undo->arguments),
                             deadline_after_usec(UNDO_TIMEOUT_USEC), NULL, &error) < 0)
                        log_debug(domain->object.path, "%s does not take back: %s", undo->command,
                                  error.message);
        }
        g_array_set_size(line->undo, 0);
}

/* What is taken back by a name. */
static const struct {
        const char *option, *command, *undo, *key, *undo_key;
} options[] = {
        { "-object", "object-add", "object-del", "id", "id" },
        { "-blockdev", "blockdev-add", "blockdev-del", "node-name", "node-name" },
        { "-netdev", "netdev_add", "netdev_del", "id", "id" },
        { "-chardev", "chardev-add", "chardev-remove", "id", "id" },
        { "-device", "device_add", "device_del", "id", "id" },
};

/* "watchdog=pause". Nothing takes it back: without a watchdog it means nothing. */
static int set_action(Domain *domain, const char *value, uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(strvp) char **parts = g_strsplit(value, "=", 2);

        return qmp_call(machine_of(domain)->qmp, "set-action", json_pack("{s:s}", parts[0], parts[1]),
                        deadline_usec, NULL, error);
}

static int run_option(Domain *domain, DeviceLine *line, const char *option, const char *value,
                      uint64_t deadline_usec, Error *error) AWAITS
{
        json_t *arguments =
                strcmp(option, "-chardev") == 0 ? chardev_add_arguments(value) : json_loads(value, 0, NULL);
        const char *name;

        for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
                json_t *back;
                int r;

                if (strcmp(options[i].option, option) != 0 || !arguments)
                        continue;
                name = json_string_value(json_object_get(arguments, options[i].key));
                back = json_pack("{s:s}", options[i].undo_key, name ? name : "");
                r = qmp_call(machine_of(domain)->qmp, options[i].command, arguments, deadline_usec, NULL,
                             error);
                if (r < 0)
                        json_decref(back);
                else
                        note(line, options[i].undo, back);
                return r;
        }
        json_decref(arguments);
        if (strcmp(option, "-action") == 0)
                return set_action(domain, value, deadline_usec, error);
        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                         "QEMU takes %s when it starts, not while the machine runs", option);
}

/* Files are looked at when QEMU has the nodes on them and the guest has not got the device yet. */
static int run_options(Domain *domain, DeviceLine *line, const CommandLine *command, uint64_t deadline_usec,
                       Error *error) AWAITS
{
        bool has_new_nodes = false;
        int r = 0;

        for (unsigned i = 0; r >= 0 && i + 1 < command->arguments->len; i += 2) {
                const char *option = command->arguments->pdata[i], *value = command->arguments->pdata[i + 1];

                if (strcmp(option, "-add-fd") == 0)
                        continue; /* it has it */
                if (has_new_nodes && strcmp(option, "-device") == 0) {
                        r = launch_check_files(domain, command, deadline_usec, error);
                        has_new_nodes = false;
                }
                if (r >= 0)
                        r = is_same_run(domain, line)
                                    ? run_option(domain, line, option, value, deadline_usec, error)
                                    : error_set(error, ERROR_OPERATION_FAILED, "The %s ended",
                                                object_describe(&domain->object));
                has_new_nodes = has_new_nodes || strcmp(option, "-blockdev") == 0;
        }
        return r >= 0 && has_new_nodes ? launch_check_files(domain, command, deadline_usec, error) : r;
}

static const PassedFile *file_of(const CommandLine *command, unsigned fd)
{
        for (unsigned i = 0; i < command->files->len; i++) {
                const PassedFile *file = command->files->pdata[i];

                if (file->fd == fd)
                        return file;
        }
        return NULL;
}

static int pass(Domain *domain, DeviceLine *line, const CommandLine *command, unsigned number, int fd,
                uint64_t deadline_usec, Error *error) AWAITS
{
        const PassedFile *file = file_of(command, number);
        bool is_set = file && !file->is_named;
        _cleanup_(freep) char *name = g_strdup_printf("fd%u", number);
        json_t *arguments = is_set ? json_pack("{s:i}", "fdset-id", (int)number)
                                   : json_pack("{s:s}", "fdname", name),
               *back = json_copy(arguments);
        _cleanup_(qmp_command_freep) QmpCommand *sent = NULL;
        int r;

        if (is_set && file->is_device)
                json_set_string(arguments, "opaque", file->path);
        sent = qmp_send(machine_of(domain)->qmp, is_set ? "add-fd" : "getfd", arguments, fd);
        r = qmp_wait(sent, deadline_usec, NULL, error);
        if (r < 0)
                json_decref(back);
        else
                note(line, is_set ? "remove-fd" : "closefd", back);
        return r;
}

typedef struct Descriptors {
        int *fds;
        unsigned count;
} Descriptors;

static void descriptors_clear(Descriptors *descriptors)
{
        for (unsigned i = 0; i < descriptors->count; i++)
                closep(&descriptors->fds[i]);
        g_free(descriptors->fds);
}

static int pass_all(Domain *domain, DeviceLine *line, DomainDefinition *live, const CommandLine *command,
                    unsigned first_fd, uint64_t deadline_usec, Error *error) AWAITS
{
        unsigned count = command->next_fd - first_fd;
        _cleanup_(descriptors_clear) Descriptors descriptors = { g_new(int, count + 1), count };
        _cleanup_(run_user_clear) RunUser user = {};
        int r;

        for (unsigned i = 0; i < count; i++)
                descriptors.fds[i] = -EBADF;
        r = launch_find_user(domain, deadline_usec, &user, error);
        if (r >= 0)
                r = launch_open(domain, live, command, &user, first_fd, deadline_usec, descriptors.fds,
                                error);
        line->is_open = r >= 0;
        for (unsigned i = 0; r >= 0 && i < count; i++) {
                if (!is_same_run(domain, line))
                        return error_set(error, ERROR_OPERATION_FAILED, "The %s ended",
                                         object_describe(&domain->object));
                r = pass(domain, line, command, first_fd + i, descriptors.fds[i], deadline_usec, error);
        }
        return r;
}

/* The first number that no set of files has. */
static int find_first_fd(const Domain *domain, uint64_t deadline_usec, unsigned *ret_fd, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        unsigned first = FIRST_FD;
        json_t *item;
        size_t i;
        int r = qmp_call(machine_of(domain)->qmp, "query-fdsets", NULL, deadline_usec, &answer, error);

        if (r < 0)
                return r;
        json_array_foreach(answer, i, item)
        {
                json_int_t id = json_integer_value(json_object_get(item, "fdset-id"));

                if (id >= first && id < INT_MAX / 2)
                        first = (unsigned)id + 1;
        }
        *ret_fd = first;
        return 0;
}

static int run(Domain *domain, DeviceLine *line, DomainDefinition *live, CommandLine *command,
               unsigned first_fd, uint64_t deadline_usec, Error *error) AWAITS
{
        int r = 0;

        if (command->helpers->len > 0)
                r = error_set(error, ERROR_CONFIG_UNSUPPORTED,
                              "A device with a process of its own cannot be plugged into a machine that "
                              "runs");
        if (r >= 0 && command->overlays->len > 0)
                r = error_set(error, ERROR_CONFIG_UNSUPPORTED,
                              "A disk that is <transient/> cannot be plugged into a machine that runs");
        if (r >= 0)
                r = images_check(domain, command->definition, deadline_usec, error);
        if (r >= 0)
                r = secret_fill_running(domain, command, error);
        if (r >= 0)
                r = pass_all(domain, line, live, command, first_fd, deadline_usec, error);
        return r < 0 ? r : run_options(domain, line, command, deadline_usec, error);
}

static int build_and_run(Domain *domain, DomainDefinition *live, BuildDevices *wanted,
                         uint64_t deadline_usec, DeviceLine **ret_line, Error *error) AWAITS
{
        _cleanup_(device_line_freep) DeviceLine *line = device_line_new(domain);
        _cleanup_(command_line_freep) CommandLine *command = NULL;
        _cleanup_(freep) char *folder = folder_path(domain);
        int r = machine_check_monitor(domain, error);

        if (r >= 0)
                r = find_first_fd(domain, deadline_usec, &wanted->first_fd, error);
        if (r >= 0)
                r = build_devices(domain->object.driver, live, domain->object.owner, folder, wanted,
                                  deadline_usec, &command, error);
        if (r < 0)
                return r;
        r = run(domain, line, live, command, wanted->first_fd, deadline_usec, error);
        if (r < 0) {
                fiber_clear_cancel(); /* what was begun is taken back all the same */
                for (unsigned i = 0; line->is_open && i < command->sockets->len; i++)
                        folder_unbind(domain, ((PassedSocket *)command->sockets->pdata[i])->path);
                device_line_undo(domain, line);
                owner_files_explain(domain, error);
                return r;
        }
        *ret_line = TAKE_PTR(line);
        return 0;
}

int device_line_run(Domain *domain, DomainDefinition *live, const Device *devices, unsigned n_devices,
                    uint64_t deadline_usec, Error *error)
{
        BuildDevices wanted = { .items = devices, .count = n_devices };
        _cleanup_(device_line_freep) DeviceLine *line = NULL;

        return build_and_run(domain, live, &wanted, deadline_usec, &line, error);
}

int device_line_open_medium(Domain *domain, DomainDefinition *live, const Device *disk, uint32_t number,
                            uint64_t deadline_usec, char **ret_node, DeviceLine **ret_line, Error *error)
{
        BuildDevices wanted = {
                .items = disk, .count = 1, .medium_node = ret_node, .medium_number = number
        };

        return build_and_run(domain, live, &wanted, deadline_usec, ret_line, error);
}
