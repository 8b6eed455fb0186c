/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/memory-stream.h"
#include "core/fiber.h"
#include "drivers/qemu/migration.h"
#include <errno.h>
#include <string.h>

#define FD_NAME     "virtbus-memory"
#define SETTLE_USEC (5 * G_TIME_SPAN_MILLISECOND)
/* Bytes a second: as fast as the file takes it. */
#define BANDWIDTH (INT64_C(1) << 50)

static int command(const Domain *domain, const char *name, json_t *arguments, int fd, Error *error) AWAITS
{
        const Machine *machine = machine_of(domain);
        _cleanup_(qmp_command_freep) QmpCommand *sent = NULL;

        if (!machine_has_monitor(machine)) {
                json_decref(arguments);
                return error_set(error, ERROR_OPERATION_FAILED, "QEMU has ended");
        }
        sent = qmp_send(machine->qmp, name, arguments, fd);
        return qmp_wait(sent, deadline_after_usec(QMP_TIMEOUT_USEC), NULL, error);
}

int memory_stream_query(const Domain *domain, json_t **ret_answer, Error *error)
{
        const Machine *machine = machine_of(domain);

        if (!machine_has_monitor(machine))
                return error_set(error, ERROR_OPERATION_FAILED, "QEMU has ended");
        return qmp_call(machine->qmp, "query-migrate", NULL, deadline_after_usec(QMP_TIMEOUT_USEC),
                        ret_answer, error);
}

int memory_stream_cancel(const Domain *domain, Error *error)
{
        return command(domain, "migrate_cancel", NULL, -EBADF, error);
}

/* 1: completed; 0: not yet. */
static int look(json_t *answer, Error *error)
{
        const char *status = json_string_value(json_object_get(answer, "status"));
        const char *reason = json_string_value(json_object_get(answer, "error-desc"));

        if (status && strcmp(status, "completed") == 0)
                return 1;
        if (status && (strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0))
                return error_set(error,
                                 strcmp(status, "cancelled") == 0 ? ERROR_CANCELLED : ERROR_OPERATION_FAILED,
                                 "The transfer of the memory %s%s%.1000s", status, reason ? ": " : "",
                                 reason ? reason : "");
        return 0;
}

static int wait_for_end(Domain *domain, Error *error) AWAITS
{
        int r = 0;

        while (r == 0) {
                _cleanup_(json_decrefp) json_t *answer = NULL;
                const unsigned n_changes = machine_of(domain)->n_job_changes;

                r = memory_stream_query(domain, &answer, error);
                if (r >= 0)
                        r = look(answer, error);
                if (r == 0 && machine_wait_for_job(domain, n_changes, DEADLINE_NEVER) < 0)
                        r = error_set(error, ERROR_CANCELLED, "It was given up");
        }
        return r < 0 ? r : 0;
}

static int announce(Domain *domain, int fd, Error *error) AWAITS
{
        json_t *capabilities =
                json_pack("{s:[{s:s, s:b}]}", "capabilities", "capability", "events", "state", 1);
        int r = command(domain, "getfd", json_pack("{s:s}", "fdname", FD_NAME), fd, error);

        if (r < 0) {
                json_decref(capabilities);
                return r;
        }
        return command(domain, "migrate-set-capabilities", capabilities, -EBADF, error);
}

/* A moment after the transfer QEMU cannot go on yet, and nothing tells when it can. */
static int settle(const Domain *domain, Error *error) AWAITS
{
        for (;;) {
                _cleanup_(json_decrefp) json_t *answer = NULL;
                const char *status;
                int r = machine_command(domain, "query-status", NULL, &answer, error);

                if (r < 0)
                        return r;
                status = json_string_value(json_object_get(answer, "status"));
                if (!status || strcmp(status, "finish-migrate") != 0)
                        return 0;
                if (await_until(deadline_after_usec(SETTLE_USEC)) < 0)
                        return error_set(error, ERROR_CANCELLED, "It was given up");
        }
}

static bool goes_on(const Domain *domain) AWAITS
{
        _cleanup_(json_decrefp) json_t *answer = NULL;

        /* QEMU has no status of what never began. */
        return memory_stream_query(domain, &answer, NULL) >= 0 && json_object_get(answer, "status") &&
               look(answer, NULL) == 0;
}

void memory_stream_give_up(Domain *domain)
{
        if (goes_on(domain)) {
                (void)memory_stream_cancel(domain, NULL); /* it has ended otherwise */
                (void)wait_for_end(domain, NULL);
        }
        /* What it was not told to use yet; an error otherwise. */
        (void)command(domain, "closefd", json_pack("{s:s}", "fdname", FD_NAME), -EBADF, NULL);
        (void)settle(domain, NULL); /* if it is gone, nothing is to be waited for */
}

int memory_stream_out(Domain *domain, int fd, Error *error)
{
        int r = announce(domain, fd, error);

        if (r >= 0)
                r = command(domain, "migrate-set-parameters",
                            json_pack("{s:I}", "max-bandwidth", (json_int_t)BANDWIDTH), -EBADF, error);
        if (r >= 0)
                r = command(domain, "migrate", json_pack("{s:s}", "uri", "fd:" FD_NAME), -EBADF, error);
        if (r >= 0)
                r = wait_for_end(domain, error);
        if (machine_has_monitor(machine_of(domain)))
                qmp_command_free(
                        migration_send_speed(machine_of(domain))); /* nothing waits for the answer */
        if (r < 0) {
                bool was_cancelled = fiber_is_cancelled(fiber_current());

                fiber_clear_cancel();
                memory_stream_give_up(domain);
                if (was_cancelled)
                        fiber_cancel(fiber_current());
        }
        return r < 0 ? r : settle(domain, error);
}

int memory_stream_in(Domain *domain, int fd, Error *error)
{
        int r = announce(domain, fd, error);

        if (r >= 0)
                r = command(domain, "migrate-incoming", json_pack("{s:s}", "uri", "fd:" FD_NAME), -EBADF,
                            error);
        return r < 0 ? r : wait_for_end(domain, error);
}
