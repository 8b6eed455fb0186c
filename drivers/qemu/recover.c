/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A run folder with a status is a machine; one without is something that was begun and nobody was told of. A
 * status that cannot be read is a machine all the same: its processes are left alone, and while there is one
 * no machine of that UUID starts or is undefined. What is read here was written by the daemon into folders
 * that are its own. Each machine has a fiber that holds its job until the monitor answers: calls wait for
 * that in order, and a QEMU that does not answer holds up nobody else. */

#include "drivers/qemu/recover.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/store.h"
#include "core/uuid.h"
#include "drivers/qemu/addresses.h"
#include "drivers/qemu/block-end.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/events.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/limits.h"
#include "drivers/qemu/memory-recover.h"
#include "drivers/qemu/monitor.h"
#include "drivers/qemu/notices.h"
#include "drivers/qemu/passthrough.h"
#include "drivers/qemu/perf.h"
#include "drivers/qemu/plug.h"
#include "drivers/qemu/save.h"
#include "drivers/qemu/snapshot-recover.h"
#include "drivers/qemu/snapshot-revert.h"
#include "drivers/qemu/status.h"
#include "drivers/qemu/unplug.h"
#include "drivers/qemu/update.h"
#include "drivers/qemu/vcpus.h"
#include "model/device-list.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

/* For a process that was killed: the kernel may have much memory to write first. */
#define END_USEC (30 * G_USEC_PER_SEC)

static void remove_folder(const QemuDriver *qemu, const char *uuid)
{
        _cleanup_(error_clear) Error error = {};

        if (folder_remove(qemu, uuid, &error) < 0)
                log_warning(uuid, "%s", error.message);
}

/* What is left of a start that nobody was told of. */
typedef struct Remains {
        Driver *driver;
        Domain *domain; /* NULL: it was to be transient */
        char uuid[UUID_STRING_MAX];
        GArray *pidfds;
} Remains;

static Remains *remains_free(Remains *remains)
{
        if (remains->domain)
                domain_unref(remains->domain);
        g_array_unref(remains->pidfds);
        g_free(remains);
        return NULL;
}
DEFINE_CLEANUP(Remains, remains_free)

/* The machine's job is held until what was killed has let go of its images and devices. */
static void discard_fiber(void *data)
{
        _cleanup_(remains_freep) Remains *remains = data;
        _cleanup_(job_releasep) Job *job = NULL;
        _cleanup_(error_clear) Error error = {};
        int r = 0;

        if (remains->domain)
                r = job_take(remains->domain->object.jobs, JOB_QUERY, "Discard", (uid_t)-1, DEADLINE_NEVER,
                             &job, &error);
        if (r >= 0)
                r = folder_wait_for_ends(remains->pidfds, deadline_after_usec(END_USEC), &error);
        if (r < 0)
                log_warning(remains->uuid, "%s", error.message);
        limits_end(remains->uuid);
        if (!fiber_is_cancelled(fiber_current()))
                plug_sweep(remains->driver); /* else the next daemon does */
}

static void discard(Driver *driver, const char *uuid, const Status *status)
{
        const QemuDriver *qemu = qemu_driver(driver);
        Object *object = object_table_by_uuid(driver->objects, OBJECT_DOMAIN, uuid);
        Remains *remains = g_new0(Remains, 1);
        Child *child;

        remains->driver = driver;
        remains->domain = object ? domain_ref((Domain *)object) : NULL;
        g_strlcpy(remains->uuid, uuid, sizeof remains->uuid);
        remains->pidfds = folder_kill_tagged(qemu, uuid);
        if (status && child_adopt(status->pid, status->start_time, &child, NULL) >= 0) {
                int pidfd = fcntl(child_get_pidfd(child), F_DUPFD_CLOEXEC, 0);

                (void)child_signal(child, SIGKILL); /* if it is gone, all the better */
                if (pidfd >= 0)
                        g_array_append_val(remains->pidfds, pidfd);
                child_free(child);
        }
        log_info(uuid, "what was left of a start is removed");
        remove_folder(qemu, uuid);
        if (fiber_start("qemu-discard", discard_fiber, remains) < 0) {
                log_warning(uuid, "what was left of a start may be there for a while");
                (void)remains_free(remains);
        }
}

static int read_status(const QemuDriver *qemu, const char *uuid, Status *ret_status, Error *error)
{
        _cleanup_(freep) char *name = folder_name(uuid);
        _cleanup_(closep) int folder =
                openat(qemu->run_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (folder < 0)
                return error_set_errno(error, errno, "Cannot open the folder");
        r = store_read(folder, STATUS_FILE, STATUS_MAX, &text, &size, error);
        if (r >= 0)
                r = status_parse(text, size, ret_status, error);
        if (r >= 0 && strcmp(ret_status->live->uuid, uuid) != 0) {
                status_clear(ret_status);
                r = error_set(error, ERROR_INVALID_XML, "It is about another machine");
        }
        return r;
}

/* First what every connection begins with, then what happened while nobody listened. */
static int talk(Domain *domain, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        _cleanup_(qmp_command_freep) QmpCommand *greeting = NULL, *query = NULL;
        _cleanup_(json_decrefp) json_t *answer = NULL;
        const char *status;
        int r;

        greeting = qmp_send_capabilities(machine->qmp);
        query = qmp_send(machine->qmp, "query-status", NULL, -EBADF);
        r = qmp_wait(greeting, DEADLINE_NEVER, NULL, error);
        if (r >= 0)
                r = qmp_wait(query, DEADLINE_NEVER, &answer, error);
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        machine->is_ready = true;
        status = json_string_value(json_object_get(answer, "status"));
        /* All was ready and saved, only the last command of the start was not sent. */
        if (g_strcmp0(status, "prelaunch") == 0 && domain->state == DOMAIN_STATE_RUNNING)
                return qmp_call(machine->qmp, "cont", NULL, DEADLINE_NEVER, NULL, error);
        if (status)
                events_synchronise(domain, status);
        return 0;
}

/* Whether QEMU has a device of that name if the machine has it. */
static bool is_named(const Device *device)
{
        switch (device->kind) {
        case DEVICE_DISK:
        case DEVICE_INTERFACE:
        case DEVICE_RNG:
        case DEVICE_REDIRDEV:
                return true;
        case DEVICE_HOSTDEV:
                return ((const DomainHostdev *)device->object)->missing != YES;
        case DEVICE_CHANNEL:
                return ((const DomainChannel *)device->object)->target == CHANNEL_TARGET_VIRTIO;
        case DEVICE_MEMORY:
                return ((const DomainMemory *)device->object)->model != MEMORY_MODEL_SGX_EPC;
        default:
                return false;
        }
}

typedef struct Missing {
        GHashTable *names; /* of the devices that QEMU has */
        GPtrArray *aliases;
} Missing;

static int find_missing(const Device *device, void *data)
{
        const Missing *missing = data;

        if (is_named(device) && device->info->alias &&
            !g_hash_table_contains(missing->names, device->info->alias))
                g_ptr_array_add(missing->aliases, g_strdup(device->info->alias));
        return 0;
}

/* Devices that the guest has let go of while nobody listened, or that were never quite plugged in. */
static void drop_missing(Domain *domain, json_t *peripherals)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *aliases = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
        Missing missing = { names, aliases };
        json_t *item;
        size_t i;

        json_array_foreach(peripherals, i, item)
        {
                const char *name = json_string_value(json_object_get(item, "name"));

                if (name)
                        (void)g_hash_table_add(names, (void *)name); /* the answer's */
        }
        (void)device_foreach(domain->live, find_missing, &missing); /* goes through all */
        for (unsigned k = 0; k < aliases->len; k++) {
                unplug_begin(domain, aliases->pdata[k]);
                notice_raise(domain, "DeviceRemoved", g_variant_new("(s)", (char *)aliases->pdata[k]));
        }
}

/* QEMU lists at least the type of the container. A list that is none says nothing. */
static void check_devices(Domain *domain) AWAITS
{
        _cleanup_(json_decrefp) json_t *peripherals = NULL;
        _cleanup_(error_clear) Error error = {};

        if (qmp_call(machine_of(domain)->qmp, "qom-list", json_pack("{s:s}", "path", "/machine/peripheral"),
                     DEADLINE_NEVER, &peripherals, &error) < 0)
                log_debug(domain->object.path, "QEMU does not list its devices: %s", error.message);
        else if (json_array_size(peripherals) > 0 && domain_check_active(domain, NULL) >= 0)
                drop_missing(domain, peripherals);
}

/* A line for each netdev, "hostnet0: index=0,type=stream,fd:9"; nothing follows if nobody is at the other
 * end. */
static bool is_lost(const char *text, const char *netdev)
{
        _cleanup_(freep) char *start = g_strdup_printf("%s: ", netdev);
        const char *line = strstr(text, start), *end = line ? line + strcspn(line, "\r\n") : NULL;

        return end && end[-1] == ',';
}

/* passt may have ended while nobody listened. Only QEMU's text for people tells. */
static void check_user_networks(Domain *domain) AWAITS
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *netdevs = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(error_clear) Error error = {};

        LIST_FOREACH (interface, domain->live->devices.interfaces) {
                if (interface->type == INTERFACE_TYPE_USER &&
                    interface->backend == INTERFACE_BACKEND_PASST && interface->link != LINK_DOWN &&
                    interface->info.alias)
                        g_ptr_array_add(netdevs, g_strconcat("host", interface->info.alias, NULL));
        }
        if (netdevs->len == 0)
                return;
        if (qmp_call(machine_of(domain)->qmp, "human-monitor-command",
                     json_pack("{s:s}", "command-line", "info network"), DEADLINE_NEVER, &answer,
                     &error) < 0)
                log_debug(domain->object.path, "QEMU does not list its networks: %s", error.message);
        for (unsigned i = 0; json_is_string(answer) && i < netdevs->len; i++)
                if (is_lost(json_string_value(answer), netdevs->pdata[i]))
                        notice_lost_network(domain, netdevs->pdata[i]);
}

static int end_taken_back(Domain *domain, Job *job) AWAITS
{
        memory_recover_ended(domain);
        end_run(domain);
        snapshot_revert_recover(domain, job);
        return 0;
}

static int take_back(Domain *domain, Error *error) AWAITS
{
        const QemuDriver *qemu = qemu_driver_of(domain);
        Machine *machine = machine_of(domain);
        _cleanup_(job_releasep) Job *job = NULL;
        _cleanup_(error_clear) Error problem = {};
        int r;

        r = job_take(domain->object.jobs, JOB_QUERY, "TakeBack", (uid_t)-1, DEADLINE_NEVER, &job, error);
        while (r >= 0 && !qemu->is_running)
                r = condition_wait(&qemu_driver_of(domain)->running, DEADLINE_NEVER);
        if (r < 0)
                return r;
        if (machine->phase != MACHINE_RUNNING || !machine->child || machine->has_exited)
                return end_taken_back(domain, job);
        plug_again(domain);
        addresses_begin(domain);
        r = monitor_connect(domain, error);
        if (r >= 0)
                r = talk(domain, error);
        if (r >= 0) {
                if (domain->live && machine->qmp)
                        (void)snapshot_recover(domain, NULL); /* logged */
                memory_recover(domain, job);
                if (machine->phase == MACHINE_RUNNING && machine->end == MACHINE_END_SAVED)
                        return 0; /* it was told to end: what was saved is all that will be left */
        }
        if (!machine_has_monitor(machine) && end_linger(domain))
                return end_taken_back(domain, job);
        if (r >= 0) {
                check_devices(domain);
                if (domain->live && machine->qmp)
                        check_user_networks(domain);
                update_recover(domain);
                vcpus_recover(domain);
        }
        if (r >= 0 && machine->qmp)
                block_end_recover(domain);
        /* The daemon was killed between the run and the file that had its memory: the run has it. */
        if (r >= 0 && save_remove(domain, &problem) < 0)
                log_error(domain->object.path, "the saved memory of machine %s is older than its disks: %s",
                          domain->object.name, problem.message);
        if (r >= 0)
                log_info(domain->object.path, "machine %s is taken back", domain->object.name);
        return r;
}

static void take_back_fiber(void *data)
{
        _cleanup_(domain_unrefp) Domain *domain = data;
        _cleanup_(error_clear) Error error = {};

        if (take_back(domain, &error) < 0 && machine_of(domain)->phase == MACHINE_RUNNING)
                log_warning(domain->object.path, "machine %s runs, but cannot be spoken with: %s",
                            domain->object.name, error.message ? error.message : "the daemon ends");
}

/* The machine of a status: a persistent one is there already, a transient one comes with it. */
static Domain *find_or_make(Driver *driver, const Status *status)
{
        Object *object = object_table_by_uuid(driver->objects, OBJECT_DOMAIN, status->live->uuid);
        Domain *domain;

        if (object)
                return domain_ref((Domain *)object);
        if (status->is_persistent)
                log_warning(status->live->uuid,
                            "machine %s runs, but its definition is lost: it is transient now",
                            status->live->name);
        domain = machine_new(driver, domain_definition_copy(status->live), status->owner);
        (void)object_table_add(driver->objects, &domain->object); /* it was not there a moment ago */
        return domain;
}

static void restore(Driver *driver, Status *status)
{
        _cleanup_(domain_unrefp) Domain *domain = find_or_make(driver, status);
        Machine *machine = machine_of(domain);
        _cleanup_(error_clear) Error error = {};

        machine->phase = MACHINE_RUNNING;
        machine->run++;
        machine->is_rebooting = status->is_rebooting;
        machine->is_held = status->is_held;
        machine->held_by = TAKE_PTR(status->held_by);
        machine->migration_speed_mib = status->migration_speed_mib;
        machine->memory_file = TAKE_PTR(status->memory_file);
        if (child_adopt(status->pid, status->start_time, &machine->child, NULL) >= 0)
                end_watch(domain);
        else
                machine->has_exited = true;
        domain_set_live(domain, TAKE_PTR(status->live));
        machine->was = TAKE_PTR(status->was);
        plug_resume(domain);
        passthrough_resume(domain);
        if (perf_begin(domain, domain->live, &error) < 0)
                log_warning(domain->object.path, "%s", error.message);
        domain_set_state(domain, status->state, status->reason);
        if (!domain->is_persistent) {
                domain->definition = domain_definition_free(domain->definition);
                domain->created_at_usec = status->started_usec;
        }
        domain->started_at_usec = status->started_usec;
        domain->is_updated = status->is_updated;
        domain->sequence = status->sequence;
        if (status->state == DOMAIN_STATE_SHUTDOWN)
                machine->end = MACHINE_END_SHUTDOWN;
        else if (status->state == DOMAIN_STATE_CRASHED)
                machine->end = MACHINE_END_PANICKED;
        if (fiber_start("qemu-take-back", take_back_fiber, domain_ref(domain)) < 0) {
                domain_unref(domain);
                log_error(domain->object.path, "machine %s runs, but there are too many to take it back",
                          domain->object.name);
        }
}

typedef struct UnknownRun {
        Driver *driver;
        char uuid[UUID_STRING_MAX];
} UnknownRun;

static void wait_unknown_fiber(void *data)
{
        const UnknownRun run = *(UnknownRun *)data;
        QemuDriver *qemu = qemu_driver(run.driver);
        int r = 0;

        if (!qemu->is_running) /* which machines there are is not known before */
                r = condition_wait(&qemu->running, DEADLINE_NEVER);
        if (r >= 0)
                r = folder_wait_unknown(qemu, run.uuid);
        if (r < 0)
                return;
        passthrough_sweep(run.driver);
        plug_run(run.driver);
}

static void leave_alone(Driver *driver, const char *uuid)
{
        UnknownRun run = { .driver = driver };

        g_strlcpy(run.uuid, uuid, sizeof run.uuid);
        folder_note_unknown(qemu_driver(driver), uuid);
        if (fiber_start("qemu-unknown", wait_unknown_fiber, &run) < 0)
                log_warning(uuid, "devices that it may have stay with it until the daemon is started again");
}

static void recover_folder(Driver *driver, const char *name)
{
        QemuDriver *qemu = qemu_driver(driver);
        _cleanup_(error_clear) Error error = {};
        _cleanup_(status_clear) Status status = {};
        char uuid[UUID_STRING_MAX];
        int r;

        if (!g_str_has_prefix(name, FOLDER_PREFIX))
                return; /* not one of ours */
        name += strlen(FOLDER_PREFIX);
        if (!uuid_parse(name, uuid) || strcmp(uuid, name) != 0)
                return;
        r = read_status(qemu, uuid, &status, &error);
        if (r == -ENOENT || (r < 0 && folder_find_tagged(qemu, uuid) == 0)) {
                log_debug(uuid, "no status: %s", error.message);
                discard(driver, uuid, NULL);
        } else if (r < 0) {
                leave_alone(driver, uuid);
                log_error(uuid, "the status of a machine that runs cannot be read, it is left alone: %s",
                          error.message);
        } else if (status.phase != MACHINE_RUNNING) {
                discard(driver, uuid, &status);
        } else {
                restore(driver, &status);
        }
}

int recover_machines(Driver *driver, Error *error)
{
        const QemuDriver *qemu = qemu_driver(driver);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
        int fd = openat(qemu->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!folder) {
                int problem = errno;

                closep(&fd);
                return error_set_errno(error, problem, "Cannot read folder %s", qemu->run_path);
        }
        while ((entry = readdir(folder)))
                if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)
                        g_ptr_array_add(names, g_strdup(entry->d_name));
        (void)closedir(folder); /* was only read */
        for (unsigned i = 0; i < names->len; i++)
                recover_folder(driver, names->pdata[i]);
        return 0;
}
