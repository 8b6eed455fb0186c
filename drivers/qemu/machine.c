/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a run, whoever caused it: here alone a machine stops being active. It comes by the pidfd; the
 * monitor only says why. What QEMU tells before, events.c understands. */

#include "drivers/qemu/machine.h"
#include "core/log.h"
#include "drivers/qemu/events.h"
#include "drivers/qemu/status.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

void (*machine_restart)(Domain *domain);

char *machine_folder(const Domain *domain)
{
        return g_build_filename(qemu_driver(domain->object.driver)->runs_path, domain->object.uuid, NULL);
}

void machine_remove_folder_of(const Driver *driver, const char *uuid)
{
        int runs_fd = qemu_driver(driver)->runs_fd;
        int fd = openat(runs_fd, uuid, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);

        if (!folder) {
                closep(&fd);
                return;
        }
        for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
                (void)unlinkat(fd, entry->d_name,
                               0); /* "." and ".." cannot be removed so, and what stays is looked at below */
        (void)closedir(folder);    /* was only read */
        if (unlinkat(runs_fd, uuid, AT_REMOVEDIR) < 0 && errno != ENOENT)
                log_warning(uuid, "cannot remove the folder of the run: %s", g_strerror(errno));
}

static void machine_free(void *data)
{
        Machine *machine = data;

        if (!machine)
                return;
        machine->qmp = qmp_free(machine->qmp);
        machine->child = child_free(machine->child);
        g_free(machine->folder);
        g_free(machine);
}

Machine *machine_new(Domain *domain)
{
        Machine *machine = g_new0(Machine, 1);

        machine->domain = domain;
        machine->folder = machine_folder(domain);
        domain->private_data = machine;
        domain->private_free = machine_free;
        return machine;
}

int machine_get_active(Domain *domain, Machine **ret_machine, Error *error)
{
        Machine *machine = machine_of(domain);
        int r = domain_check_active(domain, error);

        if (r < 0)
                return r;
        if (!machine || !machine->qmp)
                return error_set(error, ERROR_OPERATION_INVALID, "The monitor of %s does not answer",
                                 object_describe(&domain->object));
        *ret_machine = machine;
        return 0;
}

void machine_abandon(Machine *machine)
{
        Domain *domain = machine->domain;

        domain->private_data = NULL;
        domain->private_free = NULL;
        machine_remove_folder_of(domain->object.driver, domain->object.uuid);
        machine_free(machine);
}

typedef struct End {
        int reason, detail;
} End;

/* By what is known of it, the surest first. */
static End end_of(const Machine *machine)
{
        if (machine->is_failed)
                return (End){ SHUTOFF_REASON_FAILED, 5 }; /* VIR_DOMAIN_EVENT_STOPPED_FAILED */
        if (machine->is_destroyed)
                return (End){ SHUTOFF_REASON_DESTROYED, 1 }; /* ..._DESTROYED */
        if (machine->has_panicked)
                return (End){ SHUTOFF_REASON_CRASHED, 2 }; /* ..._CRASHED */
        if (machine->has_shut_down)
                return (End){ SHUTOFF_REASON_SHUTDOWN, 0 }; /* ..._SHUTDOWN */
        return (End){ SHUTOFF_REASON_CRASHED, 5 };
}

static void free_later(void *data)
{
        machine_free(data);
}

void machine_end(Machine *machine)
{
        Domain *domain = machine->domain;
        _cleanup_(domain_unrefp) Domain *kept = domain_ref(domain);
        bool was_active = domain_is_active(domain);
        End end = end_of(machine);

        if (machine->is_gone)
                return;
        machine->is_gone = true;
        domain->private_data = NULL;
        domain->private_free = NULL;
        status_remove(domain);
        machine_remove_folder_of(domain->object.driver, domain->object.uuid);
        domain_set_live(domain, NULL);
        domain_set_state(domain, DOMAIN_STATE_SHUTOFF, end.reason);
        if (was_active)
                domain_lifecycle(domain, DOMAIN_EVENT_STOPPED, end.detail, machine->cause);
        condition_wake_all(&domain->object.condition);
        if (!domain->is_persistent)
                object_table_remove(domain->object.driver->objects, &domain->object);
        else if (machine->is_restarting && machine_restart)
                machine_restart(domain);
        /* The monitor or the process may be on the stack. */
        loop_defer(free_later, machine);
}

static void process_ended(Child *child, int code, int status, void *data)
{
        Machine *machine = data;

        (void)child; /* the machine's own */
        if (code == CLD_KILLED || code == CLD_DUMPED)
                log_warning(machine->domain->object.path, "QEMU was ended by signal %d (%s)", status,
                            strsignal(status));
        /* What the monitor still has to say comes first: why it ended. */
        if (machine->qmp)
                qmp_drain(machine->qmp);
        machine_end(machine);
}

void machine_set_child(Machine *machine, Child *child)
{
        machine->child = child;
        child_on_exit(child, process_ended, machine);
}

int machine_connect(Machine *machine, Error *error)
{
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int folder = open(machine->folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (folder < 0)
                return error_set_errno(error, errno, "Cannot open the folder %s", machine->folder);
        /* A socket's path may have 107 bytes; the folder's may have more. */
        path = g_strdup_printf("/proc/self/fd/%d/monitor.sock", folder);
        return qmp_connect(path, &event_handlers, machine, &machine->qmp, error);
}

static int end_by(Machine *machine, int signal, uint64_t deadline_usec, Error *error) AWAITS
{
        Domain *domain = machine->domain;
        _cleanup_(domain_unrefp) Domain *kept = domain_ref(domain);
        int r;

        r = child_signal(machine->child, signal);
        if (r < 0)
                return error_set_errno(error, r, "Cannot end the process of %s",
                                       object_describe(&domain->object));
        while (machine_of(domain) == machine) {
                r = condition_wait(&domain->object.condition, deadline_usec);
                if (r < 0)
                        return error_set_errno(error, r, "The process of %s does not end",
                                               object_describe(&domain->object));
        }
        return 0;
}

int machine_terminate(Machine *machine, uint64_t deadline_usec, Error *error)
{
        return end_by(machine, SIGTERM, deadline_usec, error);
}

int machine_kill(Machine *machine, uint64_t deadline_usec, Error *error)
{
        return end_by(machine, SIGKILL, deadline_usec, error);
}
