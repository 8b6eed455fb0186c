/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The guest's memory for a debugger, and the end of a transfer of memory before it has ended. */

#include "drivers/qemu/dump.h"
#include "core/fiber.h"
#include "drivers/qemu/memory-file.h"
#include "drivers/qemu/memory-job.h"
#include "drivers/qemu/memory-stream.h"
#include "drivers/qemu/stop.h"
#include <errno.h>
#include <string.h>

/* virDomainCoreDumpFlags. */
enum {
        DUMP_CRASH = 1 << 0,
        DUMP_LIVE = 1 << 1,
        DUMP_BYPASS_CACHE = 1 << 2,
        DUMP_RESET = 1 << 3,
        DUMP_MEMORY_ONLY = 1 << 4,
};

#define FD_NAME "virtbus-dump"

/* By virDomainCoreDumpFormat. */
static const char *const formats[] = { "elf", "kdump-zlib", "kdump-lzo", "kdump-snappy", "win-dmp" };

static int call_qemu(const Domain *domain, const char *name, json_t *arguments, int fd, json_t **ret_answer,
                     Error *error) AWAITS
{
        _cleanup_(qmp_command_freep) QmpCommand *command = NULL;
        int r = machine_check_monitor(domain, error);

        if (r < 0) {
                json_decref(arguments);
                return r;
        }
        command = qmp_send(machine_of(domain)->qmp, name, arguments, fd);
        return qmp_wait(command, deadline_after_usec(QMP_TIMEOUT_USEC), ret_answer, error);
}

/* Cannot be given up: QEMU has no command for that. */
int dump_wait(Domain *domain, Error *error)
{
        for (;;) {
                _cleanup_(json_decrefp) json_t *answer = NULL;
                const unsigned n_changes = machine_of(domain)->n_job_changes;
                const char *status;
                int r = call_qemu(domain, "query-dump", NULL, -EBADF, &answer, error);

                if (r < 0)
                        return r;
                status = json_string_value(json_object_get(answer, "status"));
                if (status && strcmp(status, "completed") == 0)
                        return 0;
                if (!status || strcmp(status, "active") != 0)
                        return error_set(error, ERROR_OPERATION_FAILED, "QEMU could not write the memory");
                if (machine_wait_for_job(domain, n_changes, DEADLINE_NEVER) < 0)
                        return error_set(error, ERROR_CANCELLED, "It was given up");
        }
}

static int write_dump(Domain *domain, int fd, const char *format, Error *error) AWAITS
{
        int r = call_qemu(domain, "getfd", json_pack("{s:s}", "fdname", FD_NAME), fd, NULL, error);

        if (r >= 0)
                r = call_qemu(domain, "dump-guest-memory",
                              json_pack("{s:b, s:s, s:b, s:s}", "paging", 0, "protocol", "fd:" FD_NAME,
                                        "detach", 1, "format", format),
                              -EBADF, NULL, error);
        return r < 0 ? r : dump_wait(domain, error);
}

static int check(const Domain *domain, const char *to, uint32_t dumpformat, uint32_t flags, Error *error)
{
        int r = error_refuse_flag(error, "CoreDump", flags, DUMP_BYPASS_CACHE, "BYPASS_CACHE (4)");

        if (r >= 0)
                r = error_check_flags(error, "CoreDump", flags,
                                      DUMP_CRASH | DUMP_LIVE | DUMP_RESET | DUMP_MEMORY_ONLY);
        if (r >= 0 && dumpformat >= G_N_ELEMENTS(formats))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "CoreDump: there is no format %u, 4 is the last", dumpformat);
        if (r >= 0 && dumpformat > 0 && !(flags & DUMP_MEMORY_ONLY))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "CoreDump: format %u needs MEMORY_ONLY (16)",
                              dumpformat);
        if (r >= 0 && (flags & DUMP_CRASH) && flags & (DUMP_LIVE | DUMP_RESET))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "CoreDump: CRASH (1) excludes LIVE (2) and RESET (8)");
        if (r >= 0 && !g_path_is_absolute(to))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "'%s' is no absolute path", to);
        return r < 0 ? r : machine_check_monitor(domain, error);
}

static int write_file(Call *call, Domain *domain, int fd, uint32_t dumpformat, uint32_t flags,
                      Error *error) AWAITS
{
        _cleanup_(machine_actp) Machine *acting = machine_act(domain, call->job);
        int r = 0;

        if (domain->state == DOMAIN_STATE_RUNNING && !(flags & DUMP_LIVE)) {
                acting->pause_reason = PAUSED_REASON_DUMP;
                r = call_qemu(domain, "stop", NULL, -EBADF, NULL, error);
                acting->pause_reason = 0;
        }
        if (r >= 0)
                r = flags & DUMP_MEMORY_ONLY ? write_dump(domain, fd, formats[dumpformat], error)
                                             : memory_stream_out(domain, fd, error);
        if (r >= 0)
                r = memory_file_keep(domain, fd, error);
        return r;
}

/* What follows a dump that is whole. */
static int go_on(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS
{
        _cleanup_(machine_actp) Machine *acting _unused_ = machine_act(domain, call->job);
        int r = 0, resumed;

        if (flags & DUMP_CRASH) {
                (void)memory_file_end(domain, false, NULL); /* nothing goes on that could fail */
                r = stop_process(domain, MACHINE_END_DUMPED, call, error);
                memory_file_forget(domain);
                return r;
        }
        if (flags & DUMP_RESET)
                r = call_qemu(domain, "system_reset", NULL, -EBADF, NULL, error);
        resumed = memory_file_end(domain, true, r < 0 ? NULL : error);
        return r < 0 ? r : resumed;
}

int qemu_domain_core_dump(Call *call, Domain *domain, const char *to, uint32_t dumpformat, uint32_t flags,
                          Error *error)
{
        _cleanup_(domain_unrefp) Domain *held _unused_ = domain_ref(domain);
        _cleanup_(closep) int fd = -EBADF;
        int r = check(domain, to, dumpformat, flags, error);

        if (r >= 0)
                r = fd = memory_file_begin(domain, to, false, error);
        if (r < 0)
                return r;
        memory_job_begin(domain, MEMORY_JOB_DUMP, flags & DUMP_MEMORY_ONLY ? "query-dump" : "query-migrate");
        r = write_file(call, domain, fd, dumpformat, flags, error);
        if (r < 0)
                memory_file_give_up(domain);
        memory_job_end(domain, r, error);
        fiber_clear_cancel();
        return r < 0 ? r : go_on(call, domain, flags, error);
}

int qemu_domain_abort_job(Call *call, Domain *domain, Error *error)
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        const char *status;
        int r = machine_check_monitor(domain, error);

        (void)call;
        if (r >= 0)
                r = memory_stream_query(domain, &answer, error);
        if (r < 0)
                return r;
        status = json_string_value(json_object_get(answer, "status"));
        if (!status || (strcmp(status, "active") != 0 && strcmp(status, "setup") != 0))
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "No transfer of memory that could be given up goes on at the %s",
                                 object_describe(&domain->object));
        return memory_stream_cancel(domain, error);
}
