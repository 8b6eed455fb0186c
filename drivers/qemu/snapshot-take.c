/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A snapshot is taken in an order in which nothing is lost wherever it ends: what is to be done is on the
 * disk as pending before the first image changes. New images are complete, and the definition names them,
 * before QEMU is told to write into them: an image that nobody wrote to shows what is below it, so that the
 * definition is right whether QEMU got so far or not. */

#include "drivers/qemu/snapshot-take.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/agent.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/definitions.h"
#include "drivers/qemu/image-tool.h"
#include "drivers/qemu/long-job.h"
#include "drivers/qemu/memory-file.h"
#include "drivers/qemu/memory-job.h"
#include "drivers/qemu/pivot.h"
#include "drivers/qemu/save.h"
#include "drivers/qemu/snapshot-memory.h"
#include "drivers/qemu/snapshot-recover.h"
#include "drivers/qemu/snapshot-variables.h"
#include "drivers/qemu/snapshots.h"
#include "drivers/qemu/status.h"
#include "drivers/qemu/stop.h"
#include "drivers/snapshots/redefine.h"
#include "drivers/snapshots/request.h"
#include <errno.h>
#include <string.h>
#include <time.h>

typedef struct Taking {
        Call *call;
        Domain *domain;
        uint32_t flags;
        bool is_active;
        SnapshotDefinition *definition; /* the snapshot's, once there is one */
        DomainSnapshot *snapshot;
        DomainDefinition *changed; /* the kept definition as it will be; NULL: as it is */
        GPtrArray *made;           /* of char *: paths of new files that nobody needs yet */
        bool is_unsure;            /* QEMU may have gone over to the new images */
        bool has_memory_file;      /* what is to be given up, if anything, is its own */
} Taking;

static void taking_clear(Taking *taking)
{
        if (!taking->snapshot)
                snapshot_definition_free(taking->definition);
        snapshot_unref(taking->snapshot);
        domain_definition_free(taking->changed);
        g_ptr_array_unref(taking->made);
}

static int check_internal(const SnapshotDisk *request, const DomainDisk *disk, Error *error)
{
        if (disk->format != DISK_FORMAT_QCOW2)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "Disk '%s' is %s: only qcow2 images can have a snapshot inside", request->name,
                        disk->format == DISK_FORMAT_ABSENT ? "raw" : disk_format_to_string(disk->format));
        return !chain_path(&disk->source) ? error_set(error, ERROR_NOT_SUPPORTED,
                                                      "Disk '%s' is no file or block device", request->name)
                                          : 0;
}

static int check_external(const SnapshotDisk *request, const DomainDisk *disk, Error *error)
{
        if (request->type != DISK_TYPE_FILE)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "Disk '%s': the QEMU driver makes new images as files only, not as %s",
                                 request->name, disk_type_to_string(request->type));
        if (request->format != DISK_FORMAT_ABSENT && request->format != DISK_FORMAT_QCOW2)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "Disk '%s': the QEMU driver makes new images as qcow2 only, not as %s",
                                 request->name, disk_format_to_string(request->format));
        if (disk->readonly || disk->shareable)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s' is %s: it cannot go on in a new image", request->name,
                                 disk->readonly ? "read-only" : "shared with other machines");
        return !chain_path(&disk->source) ? error_set(error, ERROR_NOT_SUPPORTED,
                                                      "Disk '%s' is no file or block device", request->name)
                                          : 0;
}

static int check_disks(const Taking *taking, Error *error)
{
        const SnapshotDefinition *definition = taking->definition;
        const DomainDefinition *machine = domain_current_definition(taking->domain);
        unsigned n_internal = 0, n_external = 0;

        for (uint32_t i = 0; i < definition->disks.count; i++) {
                SnapshotDisk *request = definition->disks.items[i];
                const DomainDisk *disk = machine->devices.disks.items[i]; /* in this order: aligned */
                int r = 0;

                if (request->snapshot != DISK_SNAPSHOT_NO && disk->mirror)
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "Disk '%s' has a job: it is merged or copied", request->name);
                if (request->snapshot == DISK_SNAPSHOT_INTERNAL) {
                        n_internal++;
                        r = check_internal(request, disk, error);
                } else if (request->snapshot == DISK_SNAPSHOT_EXTERNAL) {
                        n_external++;
                        r = check_external(request, disk, error);
                        request->format = DISK_FORMAT_QCOW2;
                } else if (request->snapshot == DISK_SNAPSHOT_MANUAL) {
                        r = error_set(error, ERROR_NOT_SUPPORTED,
                                      "Disk '%s': snapshots by hand are not supported", request->name);
                }
                if (r < 0)
                        return r;
        }
        if (n_external > 0) {
                int r = save_refuse(taking->domain, "a snapshot with new images", error);

                if (r < 0)
                        return r;
        }
        if (n_internal > 0 && n_external > 0)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "A snapshot with some disks inside of their images and some not is not "
                                 "supported");
        if (n_internal > 0 &&
            (taking->flags & CREATE_DISK_ONLY || definition->memory == DISK_SNAPSHOT_EXTERNAL))
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "A snapshot inside of the images has the machine's memory with it");
        if (n_external > 0 && definition->memory == DISK_SNAPSHOT_INTERNAL)
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "With new images the memory is written to a file (<memory file=...>) or not "
                        "(flag DISK_ONLY)");
        if (n_internal + n_external == 0 &&
            (definition->memory != DISK_SNAPSHOT_EXTERNAL || taking->flags & CREATE_DISK_ONLY))
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The machine has no disk of which a snapshot can be taken");
        return 0;
}

static int check(Taking *taking, Error *error)
{
        DiskSnapshot usual = DISK_SNAPSHOT_DEFAULT;
        const Domain *domain = taking->domain;
        int r = 0;

        if (!domain->is_persistent)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The %s is transient: snapshots belong to machines that are kept",
                                 object_describe(&domain->object));
        if (taking->is_active)
                r = machine_check_monitor(domain, error);
        if (r >= 0)
                r = pivot_check(domain, error);
        if (r >= 0)
                r = snapshot_definition_complete(taking->definition, time(NULL), error);
        if (r >= 0 && snapshot_find(domain, taking->definition->name))
                r = error_set(error, ERROR_EXISTS, "The %s has a snapshot '%s' already",
                              object_describe(&domain->object), taking->definition->name);
        if (r >= 0)
                r = snapshot_request_decide(taking->definition, domain, taking->flags, &usual, error);
        if (r >= 0)
                r = snapshot_request_set_domains(taking->definition, domain, error);
        if (r >= 0)
                r = snapshot_definition_align(taking->definition, domain_current_definition(domain), usual,
                                              error);
        if (r >= 0)
                r = check_disks(taking, error);
        return r;
}

static void make_snapshot(Taking *taking)
{
        const DomainSnapshot *parent = snapshot_current(taking->domain);

        if (parent)
                taking->definition->parent = g_strdup(parent->object.name);
        taking->snapshot = snapshot_new(taking->domain, taking->definition);
}

static int save_pending(Taking *taking, Error *error) AWAITS
{
        return snapshots_change(taking->domain,
                                &(SnapshotChange){ .add = taking->snapshot,
                                                   .pending = taking->flags & CREATE_REUSE_EXT
                                                                      ? SNAPSHOT_PENDING
                                                                      : SNAPSHOT_PENDING_MADE },
                                error);
}

/* As if nothing had been begun. */
static void drop_pending(Taking *taking) AWAITS
{
        _cleanup_(error_clear) Error error = {};

        fiber_clear_cancel();
        if (snapshots_change(taking->domain, &(SnapshotChange){}, &error) < 0)
                log_warning(taking->domain->object.path, "%s", error.message);
        snapshots_drop_nvram(taking->snapshot);
}

static void remove_files(Taking *taking) AWAITS
{
        for (unsigned i = 0; i < taking->made->len; i++) {
                _cleanup_(error_clear) Error error = {};

                if (owner_files_remove(taking->domain, taking->made->pdata[i], &error) < 0)
                        log_warning(taking->domain->object.path, "%s", error.message);
        }
        g_ptr_array_set_size(taking->made, 0);
}

/* A snapshot that somebody else made in an image is not ours to be replaced, nor to be removed. */
static int check_names(const Taking *taking, Error *error) AWAITS
{
        const SnapshotDefinition *definition = taking->definition;

        LIST_FOREACH (request, definition->disks) {
                const DomainDisk *disk = chain_find_disk(definition->domain, request->name);
                bool exists = false;
                int r;

                if (!disk || request->snapshot != DISK_SNAPSHOT_INTERNAL)
                        continue;
                r = image_tool_snapshot_exists(taking->domain, chain_path(&disk->source), definition->name,
                                               &exists, error);
                if (r >= 0 && exists)
                        r = error_set(error, ERROR_EXISTS, "The image %s has a snapshot '%s' of its own",
                                      chain_path(&disk->source), definition->name);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Of the run as it is now: devices go also while others wait. */
static int find_disk(const DomainDefinition *live, const SnapshotDisk *request, const DomainDisk **ret_disk,
                     Error *error)
{
        const DomainDisk *disk = chain_find_disk(live, request->name);

        if (!disk)
                return error_set(error, ERROR_OPERATION_FAILED, "Disk '%s' has gone meanwhile",
                                 request->name);
        *ret_disk = disk;
        return 0;
}

/* Inside of the images, of a machine that runs: QEMU does all of it or nothing. */
static int take_inside_running(Taking *taking, Error *error) AWAITS
{
        Domain *domain = taking->domain;
        _cleanup_(machine_actp) Machine *acting = machine_act(domain, taking->call->job);
        _cleanup_(json_decrefp) json_t *devices = json_array();
        const char *name = taking->definition->name;
        json_t *arguments;
        int r = machine_check_monitor(domain, error);

        if (r < 0)
                return r;
        LIST_FOREACH (request, taking->definition->disks) {
                const DomainDisk *disk = NULL;
                _cleanup_(freep) char *node = NULL;

                if (request->snapshot != DISK_SNAPSHOT_INTERNAL)
                        continue;
                r = find_disk(domain->live, request, &disk, error);
                if (r < 0)
                        return r;
                node = chain_node(disk, disk->source.index);
                json_array_append_new(devices, json_string(node));
        }
        arguments = json_pack("{s:s, s:O, s:O}", "tag", name, "vmstate", json_array_get(devices, 0),
                              "devices", devices);
        memory_job_begin(domain, MEMORY_JOB_SNAPSHOT, NULL);
        acting->pause_reason = PAUSED_REASON_SNAPSHOT;
        r = long_job_run(domain, "snapshot-save", arguments, "virtbus-snapshot", error);
        acting->pause_reason = 0;
        if (r < 0)
                (void)long_job_run(domain, "snapshot-delete",
                                   json_pack("{s:s, s:O}", "tag", name, "devices", devices),
                                   "virtbus-snapshot-undo", NULL); /* what there is of it */
        return r;
}

static int take_inside_stopped(Taking *taking, Error *error) AWAITS
{
        const SnapshotDefinition *definition = taking->definition;
        const DomainDefinition *machine = taking->domain->definition;
        uint32_t n = 0;
        int r = snapshot_variables_save(taking->snapshot, machine, error);

        for (; r >= 0 && n < definition->disks.count; n++) {
                const char *path = chain_path(&machine->devices.disks.items[n]->source);

                if (definition->disks.items[n]->snapshot == DISK_SNAPSHOT_INTERNAL)
                        r = image_tool_snapshot_create(taking->domain, path, definition->name, error);
        }
        if (r < 0)
                fiber_clear_cancel();
        for (uint32_t i = 0; r < 0 && i < n; i++)
                if (definition->disks.items[i]->snapshot == DISK_SNAPSHOT_INTERNAL)
                        (void)image_tool_snapshot_delete(
                                taking->domain, chain_path(&machine->devices.disks.items[i]->source),
                                definition->name, NULL); /* what was made is undone */
        return r;
}

/* The new images, empty, and the definition over them. */
static int make_images(Taking *taking, Error *error) AWAITS
{
        Domain *domain = taking->domain;
        const SnapshotDefinition *definition = taking->definition;
        _cleanup_(domain_definition_freep) DomainDefinition *now =
                domain_definition_copy(domain_current_definition(domain)); /* the run may end meanwhile */
        int r = 0;

        taking->changed = domain_definition_copy(domain->definition);
        for (uint32_t i = 0; r >= 0 && i < definition->disks.count; i++) {
                const SnapshotDisk *request = definition->disks.items[i];
                const DomainDisk *disk = now->devices.disks.items[i];
                DomainDisk *kept = chain_find_disk(taking->changed, disk->target);
                uint64_t size = 0;

                if (request->snapshot != DISK_SNAPSHOT_EXTERNAL)
                        continue;
                if (taking->is_active)
                        r = chain_size(domain, disk, &size, error);
                if (r >= 0 && taking->flags & CREATE_REUSE_EXT) {
                        _cleanup_(volume_header_clear) VolumeHeader header = {};

                        r = owner_files_header(domain, request->source.file, &header, NULL, error);
                        if (r >= 0 && strcmp(header.format, "qcow2") != 0)
                                r = error_set(error, ERROR_OPERATION_FAILED, "%s is no qcow2 image but %s",
                                              request->source.file, header.format);
                } else if (r >= 0) {
                        r = image_tool_create_overlay(domain, request->source.file,
                                                      chain_path(&disk->source), disk->format, size, error);
                        if (r >= 0)
                                g_ptr_array_add(taking->made, g_strdup(request->source.file));
                }
                if (r >= 0 && chain_is_same(kept, disk))
                        chain_push(kept, request->source.file, 0);
        }
        return r;
}

/* The transaction of QEMU, which does all of it or nothing. Whether it was done is asked if the answer did
 * not come. */
static int run_actions(Taking *taking, json_t *actions, Error *error) AWAITS
{
        Domain *domain = taking->domain;
        const char *above = json_string_value(
                json_object_get(json_object_get(json_array_get(actions, 0), "data"), "overlay"));
        bool is_used = false;
        int r = machine_check_monitor(domain, error);

        if (r < 0)
                return r;
        r = qmp_call(machine_of(domain)->qmp, "transaction", json_pack("{s:O}", "actions", actions),
                     DEADLINE_NEVER, NULL, error);
        if (r >= 0)
                return r;
        fiber_clear_cancel();
        if (chain_is_used(domain, above, &is_used, NULL) < 0) {
                taking->is_unsure = true;
        } else if (is_used) {
                error_clear(error);
                return 0;
        }
        return r;
}

/* All disks at once go on in their new images. */
static int switch_images(Taking *taking, Error *error) AWAITS
{
        Domain *domain = taking->domain;
        _cleanup_(domain_definition_freep) DomainDefinition *now = NULL;
        _cleanup_(json_decrefp) json_t *actions = json_array();
        uint32_t n = 0;
        int r = machine_check_monitor(domain, error);

        if (r < 0)
                return r;
        now = domain_definition_copy(domain->live); /* disks may go while we wait */
        for (; r >= 0 && n < taking->definition->disks.count; n++) {
                const SnapshotDisk *request = taking->definition->disks.items[n];
                const DomainDisk *disk = NULL;
                _cleanup_(freep) char *below = NULL, *above = NULL;
                uint32_t index;

                if (request->snapshot != DISK_SNAPSHOT_EXTERNAL)
                        continue;
                r = find_disk(now, request, &disk, error);
                if (r < 0)
                        break;
                index = chain_free_index(disk);
                below = chain_node(disk, disk->source.index);
                above = chain_node(disk, index);
                r = chain_add_nodes(domain, disk,
                                    &(ChainImage){ .path = request->source.file,
                                                   .format = DISK_FORMAT_QCOW2,
                                                   .index = index },
                                    error);
                json_array_append_new(actions, json_pack("{s:s, s:{s:s, s:s}}", "type", "blockdev-snapshot",
                                                         "data", "node", below, "overlay", above));
        }
        if (r >= 0 && json_array_size(actions) > 0)
                r = run_actions(taking, actions, error);
        for (uint32_t i = 0; r < 0 && i < n; i++) {
                const SnapshotDisk *request = taking->definition->disks.items[i];
                const DomainDisk *disk = chain_find_disk(now, request->name);

                if (request->snapshot == DISK_SNAPSHOT_EXTERNAL)
                        chain_remove_nodes(domain, disk, chain_free_index(disk));
        }
        return r;
}

/* The definition of the run follows. */
static int follow(Taking *taking, Error *error) AWAITS
{
        Domain *domain = taking->domain;
        DomainDefinition *live = domain_definition_copy(domain->live);

        LIST_FOREACH (request, taking->definition->disks) {
                DomainDisk *disk = chain_find_disk(live, request->name);

                if (disk && request->snapshot == DISK_SNAPSHOT_EXTERNAL)
                        chain_push(disk, request->source.file, chain_free_index(disk));
        }
        domain_set_live(domain, live);
        return status_save(domain, error);
}

static void set_definition(Domain *domain, DomainDefinition **changed)
{
        domain_definition_free(domain->definition);
        domain->definition =
                TAKE_PTR(*changed); /* that it follows its disks is no change that waits for a start */
}

static int take_outside_running(Taking *taking, Error *error) AWAITS
{
        Domain *domain = taking->domain;
        int r = machine_check_monitor(domain, error);

        if (r >= 0)
                r = definitions_save(domain, taking->changed, domain->is_autostart, error);
        if (r < 0)
                return r;
        r = switch_images(taking, error);
        if (r < 0) {
                fiber_clear_cancel();
                if (taking->is_unsure ||
                    definitions_save(domain, domain->definition, domain->is_autostart, NULL) < 0) {
                        g_ptr_array_set_size(taking->made, 0); /* the definition has them */
                        set_definition(domain, &taking->changed);
                }
                return r;
        }
        g_ptr_array_set_size(taking->made, 0); /* the guest writes to them */
        set_definition(domain, &taking->changed);
        return domain->live ? follow(taking, error) : 0; /* it ended right after */
}

static int take_outside_stopped(Taking *taking, Error *error) AWAITS
{
        int r = definitions_save(taking->domain, taking->changed, taking->domain->is_autostart, error);

        if (r >= 0)
                set_definition(taking->domain, &taking->changed);
        return r;
}

#define AGENT_USEC (30 * G_USEC_PER_SEC)

static int freeze(Domain *domain, bool is_freezing, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *answer = NULL;

        return agent_ask(domain, is_freezing ? "guest-fsfreeze-freeze" : "guest-fsfreeze-thaw", NULL,
                         deadline_after_usec(AGENT_USEC), &answer, error);
}

static int make_files(Taking *taking, int *ret_memory_fd, Error *error) AWAITS
{
        int r = make_images(taking, error);

        if (r >= 0 && taking->definition->memory == DISK_SNAPSHOT_EXTERNAL) {
                r = *ret_memory_fd =
                        memory_file_begin(taking->domain, taking->definition->memory_file, false, error);
                taking->has_memory_file = r >= 0;
        }
        return r < 0 ? r : save_pending(taking, error);
}

/* The disks at the moment of the memory: the guest stands still in between. */
static int take_outside_with_memory(Taking *taking, int memory_fd, Error *error) AWAITS
{
        Domain *domain = taking->domain;
        _cleanup_(machine_actp) Machine *acting _unused_ = machine_act(domain, taking->call->job);
        int r;

        memory_job_begin(domain, MEMORY_JOB_SNAPSHOT, "query-migrate");
        r = snapshot_memory_write(domain, taking->definition, memory_fd, taking->flags & CREATE_LIVE, error);
        if (r >= 0)
                r = memory_file_keep(domain, memory_fd, error);
        if (r >= 0)
                r = take_outside_running(taking, error);
        if (r >= 0)
                (void)memory_file_end(domain, !(taking->flags & CREATE_HALT), NULL); /* it is taken anyhow */
        return r;
}

static int take_outside(Taking *taking, Error *error) AWAITS
{
        _cleanup_(closep) int memory_fd = -EBADF;
        bool is_frozen = false;
        int r = make_files(taking, &memory_fd, error);

        if (r >= 0 && memory_fd >= 0)
                return take_outside_with_memory(taking, memory_fd, error);
        if (r >= 0)
                r = snapshot_variables_save(taking->snapshot, domain_current_definition(taking->domain),
                                            error);
        if (r >= 0 && taking->flags & CREATE_QUIESCE && taking->is_active) {
                is_frozen = true; /* also one that did not answer in time may be */
                r = freeze(taking->domain, true, error);
        }
        if (r >= 0)
                r = taking->is_active ? take_outside_running(taking, error)
                                      : take_outside_stopped(taking, error);
        if (is_frozen) {
                _cleanup_(error_clear) Error problem = {};

                fiber_clear_cancel();
                if (freeze(taking->domain, false, &problem) < 0)
                        log_warning(taking->domain->object.path, "the guest of machine %s stays frozen: %s",
                                    taking->domain->object.name, problem.message);
        }
        return r;
}

static int take(Taking *taking, Error *error) AWAITS
{
        bool is_external = taking->definition->memory == DISK_SNAPSHOT_EXTERNAL;
        int r;

        LIST_FOREACH (disk, taking->definition->disks)
                is_external |= disk->snapshot == DISK_SNAPSHOT_EXTERNAL;
        make_snapshot(taking);
        if (is_external) {
                r = take_outside(taking, error);
        } else {
                r = check_names(taking, error);
                if (r >= 0)
                        r = save_pending(taking, error);
                if (r >= 0)
                        r = taking->is_active ? take_inside_running(taking, error)
                                              : take_inside_stopped(taking, error);
        }
        if (r < 0) {
                drop_pending(taking);
                remove_files(taking);
        }
        return r;
}

/* The record is the last: from now on the snapshot is there. */
static int keep(Taking *taking, Error *error) AWAITS
{
        Domain *domain = taking->domain;
        const SnapshotChange keep = { .add = taking->snapshot,
                                      .sets_current = true,
                                      .current = taking->snapshot };
        int r = snapshots_change(domain, taking->flags & CREATE_NO_METADATA ? &(SnapshotChange){} : &keep,
                                 error);

        if (r >= 0)
                log_info(domain->object.path, "snapshot '%s' of machine %s was taken",
                         taking->definition->name, domain->object.name);
        return r;
}

static int finish(Taking *taking, DomainSnapshot **ret_snapshot, Error *error) AWAITS
{
        Domain *domain = taking->domain;
        int r = 0;

        if (taking->flags & CREATE_HALT && domain_is_active(domain))
                r = stop_process(domain, MACHINE_END_SNAPSHOT, taking->call, error);
        memory_file_forget(domain);
        if (r >= 0)
                *ret_snapshot = snapshot_ref(taking->snapshot);
        return r;
}

int qemu_domain_snapshot_create_xml(Call *call, Domain *domain, const char *xml, uint32_t flags,
                                    DomainSnapshot **ret_snapshot, Error *error)
{
        _cleanup_(domain_unrefp) Domain *held _unused_ = domain_ref(domain);
        _cleanup_(taking_clear) Taking taking = {
                .call = call,
                .domain = domain,
                .flags = flags,
                .is_active = domain_is_active(domain),
                .made = g_ptr_array_new_with_free_func(g_free),
        };
        int r = snapshot_request_check_flags(flags, error);

        if (r >= 0 && flags & CREATE_VALIDATE)
                r = snapshot_definition_validate(xml, strlen(xml), error);
        if (r >= 0)
                r = snapshot_definition_parse(xml, strlen(xml), flags & CREATE_REDEFINE, &taking.definition,
                                              error);
        if (r >= 0) /* it may become one of that name */
                r = snapshot_recover(domain, error);
        if (r >= 0 && flags & CREATE_REDEFINE)
                return redefine_snapshot(domain, TAKE_PTR(taking.definition), flags, snapshots_change,
                                         ret_snapshot, error);
        if (r >= 0)
                r = check(&taking, error);
        if (r >= 0)
                r = take(&taking, error);
        if (r >= 0)
                r = keep(&taking, error);
        if (r < 0 && taking.has_memory_file)
                memory_file_give_up(domain);
        memory_job_end(domain, r, error);
        return r < 0 ? r : finish(&taking, ret_snapshot, error);
}
