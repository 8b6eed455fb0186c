/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The new medium is opened before the old one is taken out, so that what cannot be opened changes nothing.
 * Their nodes have different names, since media are numbered as images of a chain are. */

#include "drivers/qemu/medium.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/device-line.h"
#include "drivers/qemu/unplug.h"
#include <string.h>

static int call(Domain *domain, const char *command, json_t *arguments, uint64_t deadline_usec,
                Error *error) AWAITS
{
        int r = machine_check_monitor(domain, error);

        if (r < 0) {
                json_decref(arguments);
                return r;
        }
        return qmp_call(machine_of(domain)->qmp, command, arguments, deadline_usec, NULL, error);
}

static int insert(Domain *domain, const char *alias, const char *node, uint64_t deadline_usec,
                  Error *error) AWAITS
{
        int r = !node ? 0
                      : call(domain, "blockdev-insert-medium",
                             json_pack("{s:s, s:s}", "id", alias, "node-name", node), deadline_usec, error);

        return r < 0 ? r
                     : call(domain, "blockdev-close-tray", json_pack("{s:s}", "id", alias), deadline_usec,
                            error);
}

static int exchange(Domain *domain, const char *alias, const char *old, const char *new, bool force,
                    uint64_t deadline_usec, Error *error) AWAITS
{
        int r = call(domain, "blockdev-open-tray", json_pack("{s:s, s:b}", "id", alias, "force", (int)force),
                     deadline_usec, error);

        if (r >= 0)
                r = call(domain, "blockdev-remove-medium", json_pack("{s:s}", "id", alias), deadline_usec,
                         error);
        if (r < 0)
                return r;
        r = insert(domain, alias, new, deadline_usec, error);
        if (r < 0)
                (void)insert(domain, alias, old, deadline_usec, NULL); /* what failed is told */
        return r;
}

int medium_change(Domain *domain, DomainDefinition *live, const Device *drive, const DomainDisk *was,
                  bool force, uint64_t deadline_usec, Error *error)
{
        const DomainDisk *disk = drive->object;
        _cleanup_(freep) char *alias = g_strdup(was->info.alias), *old = NULL, *new = NULL;
        _cleanup_(device_line_freep) DeviceLine *line = NULL;
        int r = 0;

        if (!disk_source_is_empty(&was->source))
                old = chain_node(was, was->source.index);
        if (!disk_source_is_empty(&disk->source))
                r = device_line_open_medium(domain, live, drive, disk->source.index, deadline_usec, &new,
                                            &line, error);
        if (r >= 0)
                r = exchange(domain, alias, old, new, force, deadline_usec, error);
        if (r < 0) {
                if (line)
                        device_line_undo(domain, line);
                return r;
        }
        unplug_media(domain, disk->target);
        return 0;
}

/* What is in the drive of that alias, QEMU's name for it; NULL: nothing. Borrowed of the answer. */
static const char *inserted(json_t *drives, const char *alias)
{
        _cleanup_(freep) char *path = g_strdup_printf("/machine/peripheral/%s/", alias);
        json_t *drive;
        size_t i;

        json_array_foreach(drives, i, drive)
        {
                const char *device = json_string_value(json_object_get(drive, "qdev"));

                if (device && (strcmp(device, alias) == 0 || g_str_has_prefix(device, path)))
                        return json_string_value(
                                json_object_get(json_object_get(drive, "inserted"), "node-name"));
        }
        return NULL;
}

int medium_recover(Domain *domain, const DomainDisk *was, const DomainDisk *is, Error *error)
{
        _cleanup_(freep) char *alias = g_strdup(was->info.alias), *target = g_strdup(was->target),
                              *old = NULL, *new = NULL;
        _cleanup_(json_decrefp) json_t *drives = NULL;
        uint64_t deadline_usec = deadline_after_usec(QMP_TIMEOUT_USEC);
        const char *node;
        bool is_new;
        int r;

        if (!disk_source_is_empty(&was->source))
                old = chain_node(was, was->source.index);
        if (!disk_source_is_empty(&is->source))
                new = chain_node(is, is->source.index);
        r = qmp_call(machine_of(domain)->qmp, "query-block", NULL, deadline_usec, &drives, error);
        if (r < 0)
                return r;
        node = inserted(drives, alias);
        is_new = g_strcmp0(node, new) == 0;
        if (!is_new && !node)
                r = insert(domain, alias, old, deadline_usec, error);
        unplug_media(domain, target);
        return r < 0 ? r : is_new;
}
