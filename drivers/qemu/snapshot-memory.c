/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/snapshot-memory.h"
#include "drivers/qemu/memory-stream.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/save-file.h"

int snapshot_memory_write(Domain *domain, const SnapshotDefinition *definition, int fd, bool is_live,
                          Error *error)
{
        _cleanup_(freep) char *xml =
                domain_definition_format(definition->domain, DEFINITION_INACTIVE | DEFINITION_SECURE);
        Machine *machine = machine_of(domain);
        int r = save_file_begin(fd, xml, definition->state == SNAPSHOT_RUNNING, error);

        if (r >= 0)
                r = machine_check_monitor(domain, error);
        machine->pause_reason = PAUSED_REASON_SNAPSHOT;
        if (r >= 0 && !is_live && domain->state == DOMAIN_STATE_RUNNING)
                r = qmp_call(machine->qmp, "stop", NULL, deadline_after_usec(QMP_TIMEOUT_USEC), NULL, error);
        if (r >= 0)
                r = memory_stream_out(domain, fd, error);
        machine->pause_reason = 0;
        return r < 0 ? r : save_file_finish(fd, error);
}

int snapshot_memory_open(const Domain *domain, const SnapshotDefinition *definition, int *ret_fd,
                         Error *error)
{
        _cleanup_(save_file_clear) SaveFile file = {};
        _cleanup_(closep) int fd = owner_files_open(domain, definition->memory_file, false, error);
        int r = fd < 0 ? fd : save_file_read(fd, &file, error);

        if (r < 0) {
                error_prefix(error, "The memory of snapshot '%s', %s", definition->name,
                             definition->memory_file);
                return r;
        }
        *ret_fd = TAKE_FD(fd);
        return 0;
}
