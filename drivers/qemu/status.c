/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One <status> element around the live definition. Written by operations before they answer, and in the
 * background when QEMU reports a change; read once, by recover.c. */

#include "drivers/qemu/status.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/store.h"
#include "drivers/qemu/folder.h"
#include "model/table.h"
#include <inttypes.h>
#include <string.h>

void status_clear(Status *status)
{
        domain_definition_free(status->live);
        domain_definition_free(status->was);
        memory_file_free(status->memory_file);
        g_free(status->held_by);
        *status = (Status){};
}

static const char *yes_or_no(bool value)
{
        return value ? "yes" : "no";
}

static const char *const points[] = {
        [MEMORY_FILE_PART] = "part",
        [MEMORY_FILE_WHOLE] = "whole",
        [MEMORY_FILE_KEPT] = "kept",
};

static void write_number(XmlWriter *writer, const char *name, uint64_t value)
{
        char text[24];

        (void)snprintf(text, sizeof text, "%" PRIu64, value);
        xml_writer_attribute(writer, name, text);
}

/* The caller frees. */
static char *format_memory_file(const MemoryFile *file)
{
        XmlWriter *writer = xml_writer_new();

        xml_writer_open(writer, "memory-file");
        xml_writer_attribute(writer, "point", points[file->point]);
        xml_writer_attribute(writer, "running", yes_or_no(file->was_running));
        xml_writer_attribute(writer, "ends", yes_or_no(file->ends_run));
        write_number(writer, "device", file->device);
        write_number(writer, "inode", file->inode);
        if (file->path) {
                xml_writer_attribute(writer, "path", file->path);
                xml_writer_attribute(writer, "part", file->part);
        }
        xml_writer_close(writer);
        return xml_writer_finish(writer);
}

char *status_format(const Status *status)
{
        _cleanup_(freep) char *xml = domain_definition_format(status->live,
                                                              DEFINITION_STATUS | DEFINITION_SECURE),
                              *was = status->was
                                             ? domain_definition_format(
                                                       status->was, DEFINITION_STATUS | DEFINITION_SECURE)
                                             : NULL,
                              *memory_file =
                                      status->memory_file ? format_memory_file(status->memory_file) : NULL,
                              *held_by = status->held_by
                                                 ? g_markup_printf_escaped(" held-by='%s'", status->held_by)
                                                 : g_strdup("");

        return g_strdup_printf(
                "<status pid='%d' start='%" PRIu64 "' phase='%s' state='%d' reason='%d' owner='%u' "
                "persistent='%s' updated='%s' rebooting='%s' paused='%s' held='%s'%s started='%" PRIu64
                "' sequence='%" PRIu64 "' migration-speed='%" PRIu64 "'>\n%s%s%s%s%s</status>\n",
                (int)status->pid, status->start_time,
                status->phase == MACHINE_RUNNING ? "running" : "starting", (int)status->state,
                status->reason, status->owner, yes_or_no(status->is_persistent),
                yes_or_no(status->is_updated), yes_or_no(status->is_rebooting),
                yes_or_no(status->starts_paused), yes_or_no(status->is_held), held_by, status->started_usec,
                status->sequence, status->migration_speed_mib, xml, was ? "<was>\n" : "", was ? was : "",
                was ? "</was>\n" : "", memory_file ? memory_file : "");
}

/* 0 and an error for what is no number, so that the caller can go through all of them. */
static uint64_t number(const XmlNode *node, const char *name, uint64_t max, Error *error)
{
        const char *text = xml_attribute(node, name);
        guint64 value = 0;

        if (!text || !g_ascii_string_to_unsigned(text, 10, 0, max, &value, NULL))
                (void)error_set(error, ERROR_INVALID_XML, "<status> has no valid '%s'", name);
        return value;
}

static bool is_yes(const XmlNode *node, const char *name)
{
        return g_strcmp0(xml_attribute(node, name), "yes") == 0;
}

static MemoryFile *parse_memory_file(const XmlNode *node, Error *error)
{
        const char *point = xml_attribute(node, "point"), *path = xml_attribute(node, "path"),
                   *part = xml_attribute(node, "part");
        MemoryFile *file = g_new0(MemoryFile, 1);
        bool is_known = false;

        file->was_running = is_yes(node, "running");
        file->ends_run = is_yes(node, "ends");
        file->device = (dev_t)number(node, "device", UINT64_MAX, error);
        file->inode = (ino_t)number(node, "inode", UINT64_MAX, error);
        for (int i = 0; i < (int)G_N_ELEMENTS(points); i++)
                if (g_strcmp0(point, points[i]) == 0) {
                        file->point = i;
                        is_known = true;
                }
        if (!is_known || !path != !part)
                (void)error_set(error, ERROR_INVALID_XML, "<memory-file> has no valid '%s'",
                                is_known ? "path" : "point");
        file->path = g_strdup(path);
        file->part = g_strdup(part);
        return file;
}

int status_parse(const char *text, size_t size, Status *ret_status, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(error_clear) Error problem = {};
        const XmlNode *root, *node, *was;
        void *live, *before = NULL;
        int r;

        r = xml_parse_stored(text, size, "status", &document, error);
        if (r < 0)
                return r;
        root = xml_document_root(document);
        node = xml_child(root, "domain");
        if (strcmp(root->name, "status") != 0 || !node)
                return error_set(error, ERROR_INVALID_XML, "This is no status of a machine");

        _cleanup_(status_clear) Status status = {
                .pid = (pid_t)number(root, "pid", INT32_MAX, &problem),
                .start_time = number(root, "start", UINT64_MAX, &problem),
                .phase = g_strcmp0(xml_attribute(root, "phase"), "running") == 0 ? MACHINE_RUNNING
                                                                                 : MACHINE_STARTING,
                .state = (DomainState)number(root, "state", _DOMAIN_STATE_MAX - 1, &problem),
                .reason = (int)number(root, "reason", INT32_MAX, &problem),
                .owner = (uid_t)number(root, "owner", UINT32_MAX - 1, &problem),
                .is_persistent = is_yes(root, "persistent"),
                .is_updated = is_yes(root, "updated"),
                .is_rebooting = is_yes(root, "rebooting"),
                .starts_paused = is_yes(root, "paused"),
                .is_held = is_yes(root, "held"),
                .held_by = g_strdup(xml_attribute(root, "held-by")),
                .started_usec = number(root, "started", UINT64_MAX, &problem),
                .sequence = number(root, "sequence", UINT64_MAX, &problem),
                /* what an earlier daemon wrote has none */
                .migration_speed_mib = xml_attribute(root, "migration-speed")
                                               ? number(root, "migration-speed", UINT64_MAX, &problem)
                                               : 0,
        };

        if (xml_child(root, "memory-file"))
                status.memory_file = parse_memory_file(xml_child(root, "memory-file"), &problem);
        if (error_is_set(&problem)) {
                error_move(error, &problem);
                return -EINVAL;
        }
        r = struct_parse(&domain_definition_type, node, DEFINITION_STATUS, &live, error);
        if (r < 0)
                return r;
        status.live = live;
        was = xml_child(root, "was");
        if (was && xml_child(was, "domain"))
                r = struct_parse(&domain_definition_type, xml_child(was, "domain"), DEFINITION_STATUS,
                                 &before, error);
        if (r < 0)
                return r;
        status.was = before;
        *ret_status = status;
        status = (Status){};
        return 0;
}

/* What is the same for both. */
static Status status_of(const Domain *domain)
{
        const Machine *machine = machine_of(domain);

        return (Status){
                .pid = child_get_pid(machine->child),
                .start_time = child_get_start_time(machine->child),
                .phase = machine->phase,
                .state = domain->state,
                .reason = domain->reason,
                .owner = domain->object.owner,
                .is_persistent = domain->is_persistent,
                .is_updated = domain->is_updated,
                .is_rebooting = machine->is_rebooting,
                .starts_paused = machine->starts_paused,
                .is_held = machine->is_held,
                .held_by = machine->held_by,
                .started_usec = domain->live ? domain->started_at_usec : machine->started_usec,
                .sequence = domain->sequence,
                .migration_speed_mib = machine->migration_speed_mib,
                .memory_file = machine->memory_file,
        };
}

/* Waits for the machine's turn at its file. */
static int begin_saving(Machine *machine, Error *error) AWAITS
{
        while (machine->is_saving)
                if (condition_wait(&machine->changed, DEADLINE_NEVER) == -ECANCELED)
                        return error_set(error, ERROR_CANCELLED, "Saving the status was cancelled");
        machine->is_saving = true;
        return 0;
}

/* What the next daemon could not read would be a machine that it does not know. */
static int check_text(const Domain *domain, const char *text, Error *error)
{
        _cleanup_(status_clear) Status again = {};
        const size_t size = strlen(text);
        int r = size > STATUS_MAX
                        ? error_set(error, ERROR_LIMITS_EXCEEDED,
                                    "It would have %zu bytes, at most %u are possible", size, STATUS_MAX)
                        : status_parse(text, size, &again, error);

        if (r < 0)
                error_prefix(error, "The status of the %s could not be read again",
                             object_describe(&domain->object));
        return r;
}

static int write_status(const Domain *domain, const Status *status, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        _cleanup_(closep) int folder = folder_open(domain, error);
        _cleanup_(freep) char *text = NULL;
        int r = folder;

        if (folder >= 0) {
                text = status_format(status);
                r = check_text(domain, text, error);
                if (r >= 0)
                        r = store_write(folder, STATUS_FILE, text, strlen(text), 0600, error);
        }
        machine->is_saving = false;
        condition_wake_all(&machine->changed);
        return r;
}

static bool is_over(const Domain *domain)
{
        return machine_of(domain)->phase != MACHINE_RUNNING || !machine_of(domain)->child || !domain->live;
}

int status_save(Domain *domain, Error *error)
{
        _cleanup_(error_clear) Error problem = {};
        Status status;
        int r;

        if (is_over(domain))
                return 0;
        r = begin_saving(machine_of(domain), error);
        if (r < 0)
                return r;
        if (is_over(domain)) {
                machine_of(domain)->is_saving = false;
                condition_wake_all(&machine_of(domain)->changed);
                return 0;
        }
        status = status_of(domain);
        status.live = machine_of(domain)->plan ? machine_of(domain)->plan : domain->live;
        status.was = machine_of(domain)->plan ? domain->live : NULL;
        r = write_status(domain, &status, &problem);
        if (r >= 0 || is_over(domain))
                return 0; /* its folder goes with it */
        error_move(error, &problem);
        return r;
}

int status_plan(Domain *domain, DomainDefinition *plan, Error *error)
{
        int r;

        machine_of(domain)->plan = plan;
        r = status_save(domain, error);
        if (r < 0)
                machine_of(domain)->plan = NULL;
        return r;
}

int status_save_start(Domain *domain, MachinePhase phase, DomainState state, int reason, Error *error)
{
        Status status;
        int r = begin_saving(machine_of(domain), error);

        if (r < 0)
                return r;
        status = status_of(domain);
        status.phase = phase;
        status.state = state;
        status.reason = reason;
        status.live = machine_of(domain)->pending;
        return write_status(domain, &status, error);
}

static void save_fiber(void *data)
{
        Domain *domain = data;
        Machine *machine = machine_of(domain);
        _cleanup_(error_clear) Error error = {};

        (void)await_turn(); /* cancelled or not: the last status is worth saving */
        machine->is_status_due = false;
        if (status_save(domain, &error) < 0)
                log_warning(domain->object.path, "cannot save the status of machine %s: %s",
                            domain->object.name, error.message);
        domain_unref(domain);
}

void status_save_soon(Domain *domain)
{
        Machine *machine = machine_of(domain);

        if (machine->is_status_due)
                return;
        machine->is_status_due = true;
        domain_ref(domain);
        if (fiber_start("qemu-status", save_fiber, domain) < 0) {
                machine->is_status_due = false; /* the next change tries again */
                domain_unref(domain);
        }
}
