/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a definition to a guest that runs. The order is what keeps anything from being lost: the run folder
 * is there before the process, the process's pid is saved while QEMU still sets itself up, everything is
 * saved before the guest runs its first instruction. The start is announced when QEMU says RESUME
 * (events.c), so that nothing that happens to the machine can be announced before. */

#include "drivers/qemu/start.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/build.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/events.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/helpers.h"
#include "drivers/qemu/images.h"
#include "drivers/qemu/launch.h"
#include "drivers/qemu/learn.h"
#include "drivers/qemu/limits.h"
#include "drivers/qemu/monitor.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/passthrough.h"
#include "drivers/qemu/perf.h"
#include "drivers/qemu/plug.h"
#include "drivers/qemu/status.h"
#include "drivers/qemu/variables.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

/* A QEMU that has not answered by then never will. */
#define ANSWER_TIMEOUT_USEC (45 * G_USEC_PER_SEC)
/* The kernel's part of ending a process that was killed. */
#define KILL_TIMEOUT_USEC (5 * G_USEC_PER_SEC)
#define QUOTE_MAX         4000

int start_take_flags(const Call *call, const char *operation, uint32_t *flags, Error *error)
{
        int r = error_refuse_flag(error, operation, *flags, START_AUTODESTROY, "AUTODESTROY (2)");

        if (r >= 0)
                r = error_refuse_flag(error, operation, *flags, START_VALIDATE, "VALIDATE (16)");
        /* Two say what to do with a saved state: save_start() does it, and elsewhere there is none. */
        if (r >= 0)
                r = error_check_flags(error, operation, *flags,
                                      START_PAUSED | START_BYPASS_CACHE | START_FORCE_BOOT |
                                              START_RESET_NVRAM);
        if (r >= 0 && call->keeps_networks)
                *flags |= START_KEEP_NETWORKS;
        return r;
}

static char *mark_name(const Domain *domain)
{
        return g_strdup_printf("%s.started", domain->object.uuid);
}

bool start_was_done(const Domain *domain)
{
        _cleanup_(freep) char *name = mark_name(domain);

        return faccessat(qemu_driver_of(domain)->run_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

void start_forget(const Domain *domain)
{
        _cleanup_(freep) char *name = mark_name(domain);

        (void)unlinkat(qemu_driver_of(domain)->run_fd, name, 0); /* it need not have run */
}

static void start_note(const Domain *domain)
{
        _cleanup_(freep) char *name = mark_name(domain);
        _cleanup_(closep) int fd = openat(qemu_driver_of(domain)->run_fd, name,
                                          O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0)
                log_warning(domain->object.path, "cannot note that machine %s was started: %s",
                            domain->object.name, g_strerror(errno));
}

/* The service manager answers at once or is in trouble; a machine does not wait for its end. */
#define SCOPE_TIMEOUT_USEC (5 * G_USEC_PER_SEC)

static int check_alive(const Domain *domain, Error *error)
{
        const Machine *machine = machine_of(domain);

        if (machine->has_exited || machine->is_hung_up)
                return error_set(error, ERROR_OPERATION_FAILED, "QEMU ended while it was started");
        return 0;
}

static int begin(Domain *domain, uint64_t deadline_usec, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        int r;

        const MachineOrigin *origin = machine_origin(machine);

        r = machine->starts_paused ? status_save_start(domain, MACHINE_RUNNING, DOMAIN_STATE_PAUSED,
                                                       origin->paused_reason, error)
                                   : status_save_start(domain, MACHINE_RUNNING, DOMAIN_STATE_RUNNING,
                                                       origin->running_reason, error);
        if (r >= 0 && origin->loaded)
                r = origin->loaded(domain, origin->data, error);
        if (r >= 0)
                r = check_alive(domain, error);
        if (r < 0)
                return r;
        machine->is_ready = true;
        if (!machine->starts_paused)
                r = qmp_call(machine->qmp, "cont", NULL, deadline_usec, NULL, error);
        if (r < 0 && machine->phase == MACHINE_STARTING)
                return r;
        events_started(domain); /* if RESUME did not do it */
        return 0;
}

/* A machine that got no scope of its own runs as well: the daemon's unit spares it when it is stopped. One
 * with limits has groups already. */
static void scope_start(const Domain *domain, uint64_t deadline_usec) AWAITS
{
        const Driver *driver = domain->object.driver;
        _cleanup_(error_clear) Error error = {};

        if (!driver->scope_start || !machine_of(domain)->child ||
            limits_need_groups(machine_of(domain)->pending))
                return;
        deadline_usec = MIN(deadline_usec, deadline_after_usec(SCOPE_TIMEOUT_USEC));
        if (driver->scope_start(domain->object.uuid, domain->object.name,
                                child_get_pid(machine_of(domain)->child), deadline_usec, &error) < 0)
                log_warning(domain->object.path, "machine %s runs without a scope of its own: %s",
                            domain->object.name, error.message);
}

static int run(Domain *domain, uint32_t flags, uint64_t deadline_usec, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        _cleanup_(freep) char *folder = folder_path(domain);
        _cleanup_(command_line_freep) CommandLine *line = NULL;
        _cleanup_(run_user_clear) RunUser user = {};
        _cleanup_(firmware_variables_clear) FirmwareVariables variables = {};
        int r;

        r = passthrough_reserve(domain, machine->pending, deadline_usec, error);
        if (r >= 0)
                r = plug_choose_functions(domain, machine->pending, deadline_usec, error);
        if (r >= 0 && !(flags & START_RESET_NVRAM))
                r = variables_look(domain, machine->pending, &variables, error);
        if (r >= 0)
                r = build_line(domain->object.driver, machine->pending, domain->object.owner, folder, true,
                               variables.path ? &variables : NULL, deadline_usec, &line, error);
        if (r >= 0)
                r = limits_check(domain, machine->pending, error);
        if (r >= 0)
                r = images_check(domain, line->definition, deadline_usec, error);
        if (r >= 0)
                r = launch_find_user(domain, deadline_usec, &user, error);
        if (r >= 0)
                r = variables_make(domain, &user, flags & START_RESET_NVRAM, error);
        if (r >= 0 && machine_origin(machine)->is_incoming) {
                command_add(line, "-incoming");
                command_add(line, "defer");
        }
        if (r >= 0)
                r = launch(domain, line, &user, deadline_usec, error);
        if (r >= 0)
                r = limits_begin(domain, error);
        if (r >= 0)
                r = status_save_start(domain, MACHINE_STARTING, DOMAIN_STATE_PAUSED,
                                      PAUSED_REASON_STARTING_UP, error);
        if (r >= 0)
                r = monitor_connect(domain, error);
        if (r >= 0)
                scope_start(domain, deadline_usec); /* while QEMU comes up */
        if (r >= 0)
                r = check_alive(domain, error);
        if (r >= 0)
                r = learn(machine, machine->pending,
                          MIN(deadline_usec, deadline_after_usec(ANSWER_TIMEOUT_USEC)), error);
        if (r >= 0)
                r = limits_set(domain, MIN(deadline_usec, deadline_after_usec(ANSWER_TIMEOUT_USEC)), error);
        if (r >= 0)
                r = perf_begin(domain, machine->pending, error);
        if (r >= 0)
                r = check_alive(domain, error);
        if (r >= 0 && machine_origin(machine)->load)
                r = machine->origin->load(domain, machine->origin->data, error);
        if (r >= 0)
                r = launch_check_files(domain, line, deadline_usec, error);
        if (r >= 0)
                r = begin(domain, deadline_usec, error);
        return r;
}

/* Adds what QEMU itself has to say about it. */
static void quote(const Machine *machine, Error *error)
{
        _cleanup_(freep) char *messages = end_messages(machine), *text = NULL;
        _cleanup_(freep) char *complaint = helpers_complaint(machine);

        if (complaint)
                error_prefix(error, "%s", complaint);
        if (!messages || !error || !error_is_set(error))
                return;
        text = g_strdup_printf("%s: %.*s%s", error->message, QUOTE_MAX, messages,
                               strlen(messages) > QUOTE_MAX ? " ..." : "");
        g_free(error->message);
        error->message = g_utf8_make_valid(text, -1); /* the cut may be in the middle of a letter */
}

static void undo(Domain *domain, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        _cleanup_(error_clear) Error problem = {};

        fiber_clear_cancel();      /* what was begun is ended all the same */
        machine->is_ready = false; /* a RESUME that is on its way is of a run that is none */
        if (machine->child) {
                (void)child_signal(machine->child, SIGKILL); /* if it is gone, all the better */
                if (child_wait(machine->child, deadline_after_usec(KILL_TIMEOUT_USEC), NULL, NULL) < 0)
                        log_warning(domain->object.path, "the process of machine %s does not end",
                                    domain->object.name);
                quote(machine, error);
                owner_files_explain(domain, error);
        }
        helpers_end(domain, machine->pending);
        plug_ended(domain->object.driver, machine->pending);
        passthrough_give_back_all(domain);
        machine_forget_run(machine);
        limits_end(domain->object.uuid);
        if (folder_remove(qemu_driver_of(domain), domain->object.uuid, &problem) < 0)
                log_warning(domain->object.path, "%s", problem.message);
}

/* What a run would destroy. */
static int check_start(const Domain *domain, Error *error)
{
        const Machine *machine = machine_of(domain);
        int r = folder_check_unknown(qemu_driver_of(domain), domain->object.uuid, error);

        if (r < 0)
                return r;
        if (machine->pending_revert)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The %s was going back to snapshot '%s', and its images may not all be so: "
                                 "Revert to a snapshot makes them so",
                                 object_describe(&domain->object), machine->pending_revert->object.name);
        if (domain->has_managed_save && !machine_origin(machine)->loaded)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The %s has saved memory, which would be older than its disks: Create goes "
                                 "on from it, ManagedSaveRemove throws it away",
                                 object_describe(&domain->object));
        return 0;
}

int start_machine(Domain *domain, const DomainDefinition *definition, uint32_t flags, const Job *cause,
                  uint64_t deadline_usec, Error *error)
{
        _cleanup_(domain_unrefp) Domain *held _unused_ = domain_ref(domain);
        _cleanup_(machine_actp) Machine *machine = machine_act(domain, cause);
        Driver *driver = domain->object.driver;
        int r = check_start(domain, error);

        if (r < 0)
                return r;
        machine_forget_run(machine);
        machine->memory_file = memory_file_free(machine->memory_file); /* of a run that has ended */
        machine->run++;
        machine->phase = MACHINE_STARTING;
        machine->starts_paused = flags & START_PAUSED;
        machine->keeps_networks = flags & START_KEEP_NETWORKS;
        machine->clock_base_sec = 0;
        machine->started_usec = (uint64_t)g_get_real_time();
        machine->pending = domain_definition_copy(definition);
        if (machine->pending->clock.offset == CLOCK_VARIABLE && machine->pending->clock.adjustment)
                machine->clock_base_sec = g_ascii_strtoll(machine->pending->clock.adjustment, NULL, 10);
        machine->pending->has_id = true;
        machine->pending->id = (int32_t)driver->next_domain_id++;
        r = run(domain, flags, deadline_usec, error);
        machine->keeps_networks = false;
        if (r < 0) {
                undo(domain, error);
                error_prefix(error, "Cannot start the %s", object_describe(&domain->object));
                return r;
        }
        start_note(domain);
        log_info(domain->object.path, "machine %s was started", domain->object.name);
        return 0;
}
