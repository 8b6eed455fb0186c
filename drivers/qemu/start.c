/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The start of a machine, from top to bottom: prepare the command line, open what is passed, spawn QEMU
 * under its owner, ask it a handful of things at once, save what is needed to take it back, and only then
 * let the guest run. A failure at any step ends the process and leaves nothing. */

#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/operations.h"
#include "drivers/qemu/prepare.h"
#include "drivers/qemu/run.h"
#include "drivers/qemu/status.h"
#include <errno.h>
#include <string.h>

/* virDomainCreateFlags. */
enum {
        START_PAUSED = 1 << 0,
        START_AUTODESTROY = 1 << 1,
        START_BYPASS_CACHE = 1 << 2,
        START_FORCE_BOOT = 1 << 3,
        START_VALIDATE = 1 << 4,
        START_RESET_NVRAM = 1 << 5,
        START_ALL = (1 << 6) - 1,
};

/* A QEMU that has not answered by then never will. */
#define MONITOR_TIMEOUT_USEC (20 * G_USEC_PER_SEC)

/* The service manager answers at once or is in trouble; the machine does not wait for its end. */
#define SCOPE_TIMEOUT_USEC (5 * G_USEC_PER_SEC)

static int flags_check(uint32_t flags, Error *error)
{
        static const struct {
                uint32_t flag;
                const char *what;
        } unsupported[] = {
                { START_AUTODESTROY, "AUTODESTROY (2)" },
                { START_BYPASS_CACHE, "BYPASS_CACHE (4)" },
                { START_VALIDATE, "VALIDATE (16)" },
                { START_RESET_NVRAM, "RESET_NVRAM (32)" },
        };
        int r = error_check_flags(error, "Create", flags, START_ALL);

        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(unsupported); i++)
                if (flags & unsupported[i].flag)
                        r = error_set(error, ERROR_NOT_SUPPORTED,
                                      "The QEMU driver does not support the flag %s of Create",
                                      unsupported[i].what);
        return r;
}

/* Everything that is asked before the guest runs, sent at once. */
typedef struct Questions {
        QmpCommand *capabilities, *chardevs, *vnc;
} Questions;

static void questions_clear(Questions *questions)
{
        qmp_command_free(questions->capabilities);
        qmp_command_free(questions->chardevs);
        qmp_command_free(questions->vnc);
}

static bool has_graphics(const DomainDefinition *definition, GraphicsType type)
{
        LIST_FOREACH (graphics, definition->devices.graphics)
                if (graphics->type == type)
                        return true;
        return false;
}

static void source_set_path(ChardevSource *source, const char *path)
{
        if (source->type != CHARDEV_TYPE_PTY)
                return;
        g_free(source->path);
        source->path = g_strdup(path);
}

/* {"label": "charserial0", "filename": "pty:/dev/pts/3"}: where the guest's serial ports have gone. */
static void chardev_learn(DomainDefinition *live, const char *label, const char *filename)
{
        const char *path = filename + strlen("pty:");

        if (!g_str_has_prefix(filename, "pty:") || !g_str_has_prefix(label, "char"))
                return;
        label += strlen("char");
        LIST_FOREACH (serial, live->devices.serials)
                if (g_strcmp0(serial->info.alias, label) == 0)
                        source_set_path(&serial->source, path);
        LIST_FOREACH (console, live->devices.consoles)
                if (g_strcmp0(console->info.alias, label) == 0) {
                        source_set_path(&console->source, path);
                        g_free(console->source.tty);
                        console->source.tty =
                                console->source.type == CHARDEV_TYPE_PTY ? g_strdup(path) : NULL;
                }
        LIST_FOREACH (channel, live->devices.channels)
                if (g_strcmp0(channel->info.alias, label) == 0)
                        source_set_path(&channel->source, path);
}

static void chardevs_learn(DomainDefinition *live, const json_t *answer)
{
        size_t i;
        json_t *item;

        json_array_foreach(answer, i, item)
        {
                const char *label = json_string_value(json_object_get(item, "label"));
                const char *filename = json_string_value(json_object_get(item, "filename"));

                if (label && filename)
                        chardev_learn(live, label, filename);
        }
}

static void vnc_learn(DomainDefinition *live, const json_t *answer)
{
        const char *service = json_string_value(json_object_get(answer, "service"));
        guint64 port;

        if (!service || !g_ascii_string_to_unsigned(service, 10, 1, 65535, &port, NULL))
                return;
        LIST_FOREACH (graphics, live->devices.graphics)
                if (graphics->type == GRAPHICS_TYPE_VNC && !graphics->socket) {
                        graphics->port = (int32_t)port;
                        graphics->has_port = true;
                }
}

/* A machine that got no scope of its own runs as well: the daemon's unit spares it when it is stopped. */
static void scope_start(const Machine *machine, uint64_t deadline_usec) AWAITS
{
        const Domain *domain = machine->domain;
        Driver *driver = domain->object.driver;
        _cleanup_(error_clear) Error error = {};

        if (!driver->scope_start)
                return;
        deadline_usec = MIN(deadline_usec, deadline_after_usec(SCOPE_TIMEOUT_USEC));
        if (driver->scope_start(domain->object.uuid, domain->object.name, child_get_pid(machine->child),
                                deadline_usec, &error) < 0)
                log_warning(domain->object.path, "it runs without a scope of its own: %s", error.message);
}

/* The first conversation; *live learns what QEMU chose by itself. */
static int monitor_ask(Machine *machine, DomainDefinition *live, uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(questions_clear) Questions questions = {};
        _cleanup_(json_decrefp) json_t *chardevs = NULL, *vnc = NULL;
        int r;

        questions.capabilities = qmp_send_capabilities(machine->qmp);
        questions.chardevs = qmp_send(machine->qmp, "query-chardev", NULL, -EBADF);
        if (has_graphics(live, GRAPHICS_TYPE_VNC))
                questions.vnc = qmp_send(machine->qmp, "query-vnc", NULL, -EBADF);
        scope_start(machine, deadline_usec); /* while QEMU comes up */
        r = qmp_wait(questions.capabilities, deadline_usec, NULL, error);
        if (r >= 0)
                r = qmp_wait(questions.chardevs, deadline_usec, &chardevs, error);
        if (r >= 0 && questions.vnc)
                r = qmp_wait(questions.vnc, deadline_usec, &vnc, error);
        if (r < 0)
                return r;
        chardevs_learn(live, chardevs);
        if (vnc)
                vnc_learn(live, vnc);
        return 0;
}

/* From the first instruction on: only when everything is saved. */
static int guest_begin(Call *call, Machine *machine, bool is_paused, uint64_t deadline_usec,
                       Error *error) AWAITS
{
        Domain *domain = machine->domain;
        int r = 0;

        if (!is_paused)
                r = qmp_call(machine->qmp, "cont", NULL, deadline_usec, NULL, error);
        if (r < 0)
                return r;
        if (machine_of(domain) != machine)
                return error_set(error, ERROR_OPERATION_FAILED, "%s ended at once",
                                 object_describe(&domain->object));
        machine->is_starting = false;
        if (!machine->has_shut_down && !machine->has_panicked) {
                domain_set_state(domain, is_paused ? DOMAIN_STATE_PAUSED : DOMAIN_STATE_RUNNING,
                                 is_paused ? PAUSED_REASON_USER : RUNNING_REASON_BOOTED);
                domain_lifecycle(domain, DOMAIN_EVENT_STARTED, 0, call->job);
                if (is_paused)
                        domain_lifecycle(domain, DOMAIN_EVENT_SUSPENDED, 0, call->job);
        }
        status_store_soon(domain);
        return 0;
}

/* The process is there; whatever fails now ends it. */
static int start_process(Call *call, Machine *machine, Prepared *prepared, bool is_paused,
                         Error *error) AWAITS
{
        Domain *domain = machine->domain;
        uint64_t deadline_usec = MIN(call->deadline_usec, deadline_after_usec(MONITOR_TIMEOUT_USEC));
        int r;

        r = machine_connect(machine, error);
        if (r >= 0)
                r = monitor_ask(machine, prepared->live, deadline_usec, error);
        if (r >= 0 && machine_of(domain) != machine)
                r = error_set(error, ERROR_OPERATION_FAILED, "QEMU ended during the start");
        if (r < 0)
                return r;
        domain_set_live(domain, TAKE_PTR(prepared->live));
        domain_set_state(domain, DOMAIN_STATE_PAUSED, PAUSED_REASON_STARTING_UP);
        r = status_store(domain, error);
        if (r >= 0 && machine_of(domain) != machine)
                r = error_set(error, ERROR_OPERATION_FAILED, "QEMU ended during the start");
        return r < 0 ? r : guest_begin(call, machine, is_paused, deadline_usec, error);
}

/* Ends what a failed start left, with what QEMU said last. */
static void start_failed(Domain *domain, Machine *machine, Error *error) AWAITS
{
        _cleanup_(freep) char *words = run_last_words(domain);

        if (machine_of(domain) == machine) {
                machine->is_failed = true;
                fiber_clear_cancel(); /* a cancelled start is cleaned up as well */
                (void)machine_kill(machine, DEADLINE_NEVER,
                                   NULL); /* whatever happens, the pidfd will tell */
        }
        if (words && error && error->message) {
                char *message = g_strdup_printf("%s: %s", error->message, words);

                g_free(error->message);
                error->message = message;
        }
        error_prefix(error, "Cannot start %s", object_describe(&domain->object));
}

static int start(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS
{
        _cleanup_(prepared_clear) Prepared prepared = {};
        _cleanup_(run_user_clear) RunUser user = {};
        _cleanup_(freep) char *folder = machine_folder(domain);
        bool needs_user = run_needs_user(call->driver->config);
        Machine *machine;
        int r;

        if (needs_user) {
                r = run_find_user(call->driver->config, domain->object.owner, call->deadline_usec, &user,
                                  error);
                if (r < 0)
                        return r;
        }
        r = prepare_start(call->driver, domain->definition, domain->object.owner, folder,
                          needs_user && domain->object.owner == 0, call->deadline_usec, &prepared, error);
        if (r >= 0)
                r = domain_check_inactive(domain, error);
        if (r < 0)
                return r;
        machine = machine_new(domain);
        machine->is_starting = true;
        r = run_spawn(machine, prepared.line, needs_user ? &user : NULL, error);
        if (r < 0) {
                machine_abandon(machine);
                error_prefix(error, "Cannot start %s", object_describe(&domain->object));
                return r;
        }
        r = start_process(call, machine, &prepared, flags & START_PAUSED, error);
        if (r < 0)
                start_failed(domain, machine, error);
        return r;
}

int qemu_domain_create(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r;

        r = flags_check(flags, error);
        if (r >= 0)
                r = domain_check_inactive(domain, error);
        return r < 0 ? r : start(call, domain, flags, error);
}

int qemu_domain_create_with_files(Call *call, Domain *domain, const int *files, size_t n_files,
                                  uint32_t flags, Error *error)
{
        (void)files; /* none */
        if (n_files > 0)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The QEMU driver cannot give %zu files of its caller to %s", n_files,
                                 object_describe(&domain->object));
        return qemu_domain_create(call, domain, flags, error);
}
