/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* There are no images and no memory: a snapshot is what the machine was, and going back to it ends the run
 * and begins another if one was saved, with the events of the QEMU driver. */

#include "drivers/test/snapshots.h"
#include "drivers/snapshots/forest.h"
#include "drivers/snapshots/redefine.h"
#include "drivers/test/change.h"
#include "drivers/test/control.h"
#include "drivers/test/machine.h"
#include "model/disk-chain.h"
#include <string.h>
#include <time.h>

/* virDomainSnapshotRevertFlags. */
enum {
        REVERT_RUNNING = 1 << 0,
        REVERT_PAUSED = 1 << 1,
        REVERT_FORCE = 1 << 2,
        REVERT_RESET_NVRAM = 1 << 3,
        REVERT_ALL = (1 << 4) - 1,
};

/* Gives the request all that the snapshot is. */
static int complete(SnapshotDefinition *definition, const Domain *domain, uint32_t flags, Error *error)
{
        const DomainSnapshot *parent = snapshot_current(domain);
        DiskSnapshot usual = DISK_SNAPSHOT_DEFAULT;
        int r = snapshot_definition_complete(definition, time(NULL), error);

        if (r >= 0 && snapshot_find(domain, definition->name))
                r = error_set(error, ERROR_EXISTS, "The %s has a snapshot '%s' already",
                              object_describe(&domain->object), definition->name);
        if (r >= 0)
                r = snapshot_request_decide(definition, domain, flags, &usual, error);
        if (r >= 0)
                r = snapshot_request_set_domains(definition, domain, error);
        if (r >= 0)
                r = snapshot_definition_align(definition, domain_current_definition(domain), usual, error);
        if (r >= 0 && parent)
                definition->parent = g_strdup(parent->object.name);
        return r;
}

static void push_images(DomainDefinition *definition, const SnapshotDefinition *snapshot, bool is_live)
{
        LIST_FOREACH (request, snapshot->disks) {
                DomainDisk *disk = request->snapshot == DISK_SNAPSHOT_EXTERNAL && request->source.file
                                           ? chain_find_disk(definition, request->name)
                                           : NULL;

                if (disk)
                        chain_push(disk, request->source.file, is_live ? chain_free_index(disk) : 0);
        }
}

/* What is saved outside of the images goes on in new ones. */
static void go_on(Domain *domain, const SnapshotDefinition *snapshot)
{
        _cleanup_(change_clear) Change change = { .kept = domain_definition_copy(domain->definition) };

        push_images(change.kept, snapshot, false);
        if (domain->live) {
                change.live = domain_definition_copy(domain->live);
                push_images(change.live, snapshot, true);
        }
        change_apply(&change, domain, NULL, true);
}

/* In memory alone. */
static int apply(Domain *domain, const SnapshotChange *change, Error *error)
{
        (void)error;
        forest_apply(domain, change);
        return 0;
}

int test_domain_snapshot_create_xml(Call *call, Domain *domain, const char *xml, uint32_t flags,
                                    DomainSnapshot **ret_snapshot, Error *error)
{
        _cleanup_(snapshot_definition_freep) SnapshotDefinition *definition = NULL;
        _cleanup_(snapshot_unrefp) DomainSnapshot *snapshot = NULL;
        bool has_memory;
        int r = snapshot_request_check_flags(flags, error);

        if (r >= 0)
                r = domain_check_persistent(domain, error);
        if (r >= 0 && flags & CREATE_VALIDATE)
                r = snapshot_definition_validate(xml, strlen(xml), error);
        if (r >= 0)
                r = snapshot_definition_parse(xml, strlen(xml), flags & CREATE_REDEFINE, &definition, error);
        if (r >= 0 && flags & CREATE_REDEFINE)
                return redefine_snapshot(domain, TAKE_PTR(definition), flags, apply, ret_snapshot, error);
        if (r >= 0)
                r = complete(definition, domain, flags, error);
        if (r < 0)
                return r;
        has_memory =
                definition->memory == DISK_SNAPSHOT_INTERNAL || definition->memory == DISK_SNAPSHOT_EXTERNAL;
        go_on(domain, definition);
        snapshot = snapshot_new(domain, TAKE_PTR(definition));
        if (!(flags & CREATE_NO_METADATA))
                forest_apply(domain, &(SnapshotChange){
                                             .add = snapshot, .sets_current = true, .current = snapshot });
        if (domain_is_active(domain) && has_memory)
                control_job_completed(domain, JOB_OPERATION_SNAPSHOT, call->job);
        if (flags & CREATE_HALT && domain_is_active(domain))
                machine_end(domain, SHUTOFF_REASON_FROM_SNAPSHOT, STOPPED_FROM_SNAPSHOT, call->job);
        *ret_snapshot = TAKE_PTR(snapshot);
        return 0;
}

/* The machine's name may be another one since. */
static int definition_for(const Domain *domain, const DomainDefinition *saved, DomainDefinition **ret,
                          Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *copy = domain_definition_copy(saved);
        int r;

        g_free(copy->name);
        copy->name = g_strdup(domain->object.name);
        r = domain_definition_complete(copy, error);
        if (r >= 0)
                *ret = TAKE_PTR(copy);
        return r;
}

/* Whether the machine runs afterwards, and whether it is paused. */
static bool is_run(const SnapshotDefinition *definition, uint32_t flags, bool *ret_paused)
{
        bool has_memory = !snapshot_definition_is_offline(definition);

        *ret_paused = flags & REVERT_PAUSED ||
                      (has_memory && definition->state != SNAPSHOT_RUNNING && !(flags & REVERT_RUNNING));
        return has_memory || flags & (REVERT_RUNNING | REVERT_PAUSED);
}

int test_snapshot_revert(Call *call, DomainSnapshot *snapshot, uint32_t flags, Error *error)
{
        static const MachineOrigin origin = {
                .running_reason = RUNNING_REASON_FROM_SNAPSHOT,
                .paused_reason = PAUSED_REASON_FROM_SNAPSHOT,
                .started_detail = STARTED_FROM_SNAPSHOT,
                .suspended_detail = SUSPENDED_FROM_SNAPSHOT,
        };
        const SnapshotDefinition *definition = snapshot->definition;
        _cleanup_(domain_definition_freep) DomainDefinition *run = NULL, *kept = NULL;
        Domain *domain = snapshot->domain;
        bool is_paused;
        int r = error_check_flags(error, "Revert", flags, REVERT_ALL);

        if (r >= 0 && flags & REVERT_RUNNING && flags & REVERT_PAUSED)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "Revert: RUNNING (1) excludes PAUSED (2)");
        if (r >= 0)
                r = domain_check_persistent(domain, error);
        if (r >= 0 && !definition->domain)
                r = error_set(error, ERROR_OPERATION_INVALID,
                              "The record of snapshot '%s' does not have the machine's definition",
                              definition->name);
        if (r >= 0)
                r = definition_for(domain, definition->domain, &run, error);
        if (r >= 0)
                r = definition_for(domain,
                                   definition->inactive_domain ? definition->inactive_domain
                                                               : definition->domain,
                                   &kept, error);
        if (r < 0)
                return r;
        if (domain_is_active(domain))
                machine_end(domain, SHUTOFF_REASON_FROM_SNAPSHOT, STOPPED_FROM_SNAPSHOT, call->job);
        domain_set_definition(domain, TAKE_PTR(kept));
        domain_lifecycle(domain, DOMAIN_EVENT_DEFINED, DEFINED_FROM_SNAPSHOT, call->job);
        forest_apply(domain, &(SnapshotChange){ .sets_current = true, .current = snapshot });
        domain_set_state(domain, DOMAIN_STATE_SHUTOFF, SHUTOFF_REASON_FROM_SNAPSHOT);
        if (is_run(definition, flags, &is_paused))
                machine_start(domain, run, &origin, is_paused, call->job);
        return 0;
}

int test_snapshot_delete(Call *call, DomainSnapshot *snapshot, uint32_t flags, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *list = NULL;
        int r = forest_collect(snapshot, flags, &list, error);

        (void)call;
        if (r >= 0)
                forest_apply(snapshot->domain, &(SnapshotChange){ .removed = list });
        return r;
}

void test_snapshots_forget(Domain *domain)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *all = g_ptr_array_new_with_free_func(object_release);

        for (unsigned i = 0; i < domain->snapshots->len; i++)
                g_ptr_array_add(all, snapshot_ref(domain->snapshots->pdata[i]));
        forest_apply(domain, &(SnapshotChange){ .removed = all });
}
