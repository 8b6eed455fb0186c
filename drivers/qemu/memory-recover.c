/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/memory-recover.h"
#include "core/log.h"
#include "drivers/qemu/dump.h"
#include "drivers/qemu/keep.h"
#include "drivers/qemu/memory-file.h"
#include "drivers/qemu/memory-stream.h"
#include "drivers/qemu/stop.h"

static bool has_memory(const DomainSnapshot *snapshot, const char *path)
{
        return snapshot && g_strcmp0(snapshot->definition->memory_file, path) == 0;
}

/* What is whole and in the record of a snapshot is not to be removed. */
static void leave_to_snapshots(const Domain *domain)
{
        MemoryFile *file = machine_of(domain)->memory_file;
        bool is_theirs = has_memory(machine_of(domain)->pending_snapshot, file->path);

        for (unsigned i = 0; i < domain->snapshots->len; i++)
                is_theirs |= has_memory(domain->snapshots->pdata[i], file->path);
        if (is_theirs && file->path && file->point == MEMORY_FILE_WHOLE)
                file->point = MEMORY_FILE_KEPT;
}

static bool is_whole(const Domain *domain)
{
        const MemoryFile *file = machine_of(domain)->memory_file;

        return file->ends_run && file->point == MEMORY_FILE_WHOLE;
}

/* Whether all of it is where it was to be. */
static bool is_saved(Domain *domain) AWAITS
{
        const MemoryFile *file = machine_of(domain)->memory_file;
        _cleanup_(error_clear) Error error = {};

        if (!is_whole(domain))
                return false;
        if (memory_file_place(domain, &error) < 0) {
                log_error(domain->object.path,
                          "the memory of machine %s was saved, and its file does not get its name: %s",
                          domain->object.name, error.message);
                return false;
        }
        if (!file->path)
                domain->has_managed_save = true;
        return true;
}

/* The run is over: there is nothing else of it. */
static void leave_where_it_is(const Domain *domain)
{
        const MemoryFile *file = machine_of(domain)->memory_file;
        _cleanup_(freep) char *folder = keep_path(domain->object.driver, domain->object.uuid, KEEP_SAVE),
                              *own = g_build_filename(folder, MEMORY_FILE_OWN_PART, NULL);

        log_error(domain->object.path, "all that machine %s had in its memory is left in %s, or in %s",
                  domain->object.name, file->path ? file->part : own, file->path ? file->path : folder);
}

void memory_recover(Domain *domain, Job *job)
{
        Machine *machine = machine_of(domain);
        _cleanup_(error_clear) Error error = {};

        if (!machine->memory_file || !domain->live)
                return;
        if (is_saved(domain)) {
                Call call = { .driver = domain->object.driver, .job = job, .deadline_usec = DEADLINE_NEVER };

                log_info(domain->object.path, "the memory of machine %s is saved", domain->object.name);
                if (stop_process(domain, MACHINE_END_SAVED, &call, &error) < 0)
                        log_error(domain->object.path, "%s", error.message); /* the status has the file */
                else
                        memory_file_forget(domain);
                return;
        }
        log_warning(domain->object.path,
                    "the memory of machine %s was being written to a file when the daemon ended: it goes on",
                    domain->object.name);
        memory_stream_give_up(domain);
        (void)dump_wait(domain, NULL); /* it cannot be given up */
        leave_to_snapshots(domain);
        memory_file_give_up(domain);
}

void memory_recover_ended(Domain *domain)
{
        if (!machine_of(domain)->memory_file)
                return;
        if (is_saved(domain)) {
                machine_of(domain)->end = MACHINE_END_SAVED;
        } else if (is_whole(domain)) {
                leave_where_it_is(domain);
        } else {
                leave_to_snapshots(domain);
                memory_file_remove(domain);
        }
        memory_file_forget(domain);
}
