/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two steps. Adopting only reads files and /proc, so that names are owned quickly and every machine is known
 * as what it is when the first call comes. Then, each on a fiber of its own, the monitors are connected to:
 * one that does not answer holds up nobody. */

#include "drivers/qemu/recover.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/store.h"
#include "drivers/qemu/machine.h"
#include "drivers/qemu/run.h"
#include "drivers/qemu/status.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define ENVIRONMENT_MAX 65536

/* The machine of a run: one that is defined, or one that lives for this run. */
static Domain *domain_of(Driver *driver, const Status *status, bool *ret_is_new)
{
        Object *object = object_table_by_uuid(driver->objects, OBJECT_DOMAIN, status->live->uuid);
        Domain *domain;

        *ret_is_new = !object;
        if (object)
                return domain_ref((Domain *)object);
        domain = domain_new(driver, domain_definition_copy(status->live), (uid_t)status->owner);
        domain->created_at_usec = status->created_at_usec;
        return domain;
}

static void adopt_state(Domain *domain, Status *status)
{
        domain_set_live(domain, TAKE_PTR(status->live));
        domain_set_state(domain, (DomainState)status->state, (int)status->reason);
        domain->started_at_usec = status->started_at_usec;
        domain->sequence = status->sequence;
        domain->is_updated = status->is_updated;
}

/* The process is gone: its end is told as of one that nobody saw. */
static void ended_meanwhile(Domain *domain, Status *status, bool is_new)
{
        if (is_new && object_table_add(domain->object.driver->objects, &domain->object) < 0)
                return;
        adopt_state(domain, status);
        machine_end(machine_new(domain));
}

static int adopt(Driver *driver, int folder_fd, const char *name, Error *error)
{
        _cleanup_(status_clear) Status status = {};
        _cleanup_(domain_unrefp) Domain *domain = NULL;
        Child *child = NULL;
        bool is_new;
        int r;

        r = status_read(folder_fd, name, &status, error);
        if (r < 0)
                return r;
        domain = domain_of(driver, &status, &is_new);
        r = child_adopt((pid_t)status.pid, status.start_time, &child, NULL);
        if (r < 0) {
                ended_meanwhile(domain, &status, is_new);
                return 0;
        }
        if (is_new && object_table_add(driver->objects, &domain->object) < 0) {
                child_free(child);
                return error_set(error, ERROR_EXISTS, "its path is taken");
        }
        adopt_state(domain, &status);
        machine_set_child(machine_new(domain), child);
        return 0;
}

static int visit(int folder_fd, const char *name, void *data)
{
        _cleanup_(error_clear) Error error = {};

        if (adopt(data, folder_fd, name, &error) < 0)
                log_error(name, "the run cannot be taken back: %s", error.message);
        return 0;
}

void recover_adopt(Driver *driver)
{
        _cleanup_(error_clear) Error error = {};

        if (store_visit(qemu_driver(driver)->runs_fd, ".xml", visit, driver, &error) < 0)
                log_error(qemu_driver(driver)->runs_path, "runs cannot be taken back: %s", error.message);
}

/* {"status": "paused", "running": false} */
static void state_learn(Domain *domain, const json_t *answer)
{
        bool is_running = json_is_true(json_object_get(answer, "running"));
        const char *text = json_string_value(json_object_get(answer, "status"));
        Machine *machine = machine_of(domain);

        if (domain->reason == PAUSED_REASON_STARTING_UP && domain->state == DOMAIN_STATE_PAUSED) {
                /* The daemon died in the middle of the start: nobody was told that it runs, and it does not
                 * yet. */
                if (!is_running) {
                        machine->is_failed = true;
                        (void)child_signal(machine->child, SIGKILL); /* its end is told by the pidfd */
                        return;
                }
        }
        if (g_strcmp0(text, "guest-panicked") == 0)
                domain_set_state(domain, DOMAIN_STATE_CRASHED, CRASHED_REASON_PANICKED);
        else if (is_running && domain->state != DOMAIN_STATE_RUNNING)
                domain_set_state(domain, DOMAIN_STATE_RUNNING, RUNNING_REASON_BOOTED);
        else if (!is_running && domain->state == DOMAIN_STATE_RUNNING)
                domain_set_state(domain, DOMAIN_STATE_PAUSED, PAUSED_REASON_USER);
        status_store_soon(domain);
}

static void connect_fiber(void *data)
{
        _cleanup_(domain_unrefp) Domain *domain = data;
        _cleanup_(qmp_command_freep) QmpCommand *capabilities = NULL, *status = NULL;
        _cleanup_(json_decrefp) json_t *answer = NULL;
        _cleanup_(error_clear) Error error = {};
        Machine *machine = machine_of(domain);
        int r;

        if (!machine)
                return;
        r = machine_connect(machine, &error);
        if (r >= 0) {
                capabilities = qmp_send_capabilities(machine->qmp);
                status = qmp_send(machine->qmp, "query-status", NULL, -EBADF);
                r = qmp_wait(capabilities, DEADLINE_NEVER, NULL, &error);
        }
        if (r >= 0)
                r = qmp_wait(status, DEADLINE_NEVER, &answer, &error);
        if (r >= 0 && machine_of(domain) == machine)
                state_learn(domain, answer);
        if (r == -ECANCELED || (r >= 0 && machine_of(domain) != machine))
                return;
        if (r < 0)
                log_error(domain->object.path, "the monitor cannot be taken back: %s", error.message);
        else
                log_info(domain->object.path, "%s is taken back", object_describe(&domain->object));
}

/* Whether the process is a QEMU of ours; *ret_uuid names its run. */
static bool is_ours(const Driver *driver, const char *pid, char ret_uuid[static UUID_STRING_MAX])
{
        _cleanup_(freep) char *path = g_build_filename("/proc", pid, "environ", NULL);
        _cleanup_(freep) char *tag = g_strconcat(RUN_TAG, qemu_driver(driver)->runs_path, "/", NULL);
        _cleanup_(freep) char *text = g_malloc(ENVIRONMENT_MAX + 1);
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, ENVIRONMENT_MAX);

        if (n <= 0)
                return false;
        text[n] = '\0';
        for (const char *at = text; at < text + n; at += strlen(at) + 1)
                if (g_str_has_prefix(at, tag))
                        return uuid_parse(at + strlen(tag), ret_uuid);
        return false;
}

/* A process that no machine knows: the daemon died between its start and the saving of that. It never ran a
 * guest. */
static void orphans_end(const Driver *driver)
{
        DIR *folder = opendir("/proc");

        if (!folder)
                return;
        for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
                char uuid[UUID_STRING_MAX];
                const Domain *domain;
                pid_t pid = g_ascii_isdigit(entry->d_name[0]) ? (pid_t)atoi(entry->d_name) : 0;

                if (pid <= 1 || !is_ours(driver, entry->d_name, uuid))
                        continue;
                domain = (Domain *)object_table_by_uuid(driver->objects, OBJECT_DOMAIN, uuid);
                if (domain && machine_of(domain) && machine_of(domain)->child &&
                    child_get_pid(machine_of(domain)->child) == pid)
                        continue;
                log_warning(driver->object.path, "process %d belongs to no machine and is ended", pid);
                (void)kill(pid, SIGKILL); /* found a moment ago; who it is was looked at */
        }
        (void)closedir(folder); /* was only read */
}

static void folders_remove(const Driver *driver)
{
        int fd = openat(qemu_driver(driver)->runs_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);

        if (!folder) {
                closep(&fd);
                return;
        }
        for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
                char uuid[UUID_STRING_MAX];
                const Domain *domain;

                if (strlen(entry->d_name) != UUID_STRING_MAX - 1 || !uuid_parse(entry->d_name, uuid))
                        continue;
                domain = (Domain *)object_table_by_uuid(driver->objects, OBJECT_DOMAIN, uuid);
                if (domain && machine_of(domain))
                        continue;
                machine_remove_folder_of(driver, uuid);
        }
        (void)closedir(folder);
}

void recover_run(Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = object_table_list(driver->objects, OBJECT_DOMAIN);

        orphans_end(driver);
        folders_remove(driver);
        for (unsigned i = 0; i < domains->len; i++) {
                Domain *domain = domains->pdata[i];

                if (machine_of(domain) && fiber_start("recover", connect_fiber, domain_ref(domain)) < 0) {
                        domain_unref(domain);
                        log_error(domain->object.path,
                                  "the monitor cannot be taken back: too much is going on");
                }
        }
}
