/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* QEMU's names of what is behind a device follow from its alias or, for disks, from its target, as command/
 * makes them. Block nodes are asked for, since images may have come and gone under a disk meanwhile. */

#include "drivers/qemu/unplug.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/passthrough.h"
#include "drivers/qemu/plug.h"
#include "drivers/qemu/status.h"
#include "model/device-change.h"
#include <errno.h>
#include <string.h>

#define UNPLUG_TIMEOUT_USEC (30 * G_USEC_PER_SEC)
#define RELEASE_USEC        (5 * G_USEC_PER_SEC)
#define FDSET               "/dev/fdset/"

typedef struct Unplug {
        Domain *domain; /* counted */
        DeviceElement device;
        uint64_t run, deadline_usec;
} Unplug;

static bool is_over(const Unplug *unplug)
{
        const Machine *machine = machine_of(unplug->domain);

        return machine->run != unplug->run || !machine_has_monitor(machine);
}

/* What is not there need not go. */
static int try(const Unplug *unplug, const char *command, const char *key, const char *name) AWAITS
{
        _cleanup_(error_clear) Error error = {};
        int r;

        if (is_over(unplug))
                return -ENOENT;
        r = qmp_call(machine_of(unplug->domain)->qmp, command, json_pack("{s:s}", key, name),
                     unplug->deadline_usec, NULL, &error);
        if (r < 0)
                log_debug(unplug->domain->object.path, "%s %s: %s", command, name, error.message);
        return r;
}

static void remove_named(const Unplug *unplug, const char *command, const char *prefix,
                         const char *alias) AWAITS
{
        _cleanup_(freep) char *name = g_strconcat(prefix, alias, NULL);

        (void)try(unplug, command, "id", name);
}

/* The number in "/dev/fdset/7", or -1. */
static json_int_t fdset_of(json_t *node)
{
        const char *file = json_string_value(json_object_get(node, "file"));
        const char *found = file ? strstr(file, FDSET) : NULL;

        return found ? g_ascii_strtoll(found + strlen(FDSET), NULL, 10) : -1;
}

/* Those of the disk, as they are now. */
static void list_nodes(const Unplug *unplug, const char *prefix, GPtrArray *nodes, GArray *fdsets) AWAITS
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        json_t *item;
        size_t i;

        if (is_over(unplug) ||
            qmp_call(machine_of(unplug->domain)->qmp, "query-named-block-nodes",
                     json_pack("{s:b}", "flat", 1), unplug->deadline_usec, &answer, NULL) < 0)
                return;
        json_array_foreach(answer, i, item)
        {
                const char *name = json_string_value(json_object_get(item, "node-name"));
                json_int_t fdset = fdset_of(item);

                if (!name || !g_str_has_prefix(name, prefix))
                        continue;
                g_ptr_array_add(nodes, g_strdup(name));
                if (fdset > 0)
                        g_array_append_val(fdsets, fdset);
        }
}

/* From the top: a node that another stands on stays until that is gone. */
static void remove_nodes(const Unplug *unplug, GPtrArray *nodes) AWAITS
{
        bool goes_on = true;

        while (goes_on && nodes->len > 0) {
                goes_on = false;
                for (unsigned i = 0; i < nodes->len;) {
                        if (try(unplug, "blockdev-del", "node-name", nodes->pdata[i]) < 0) {
                                i++;
                                continue;
                        }
                        g_ptr_array_remove_index(nodes, i);
                        goes_on = true;
                }
        }
}

/* Keys and passwords of its images. */
static void remove_objects(const Unplug *unplug, const char *prefix) AWAITS
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        json_t *item;
        size_t i;

        if (is_over(unplug) ||
            qmp_call(machine_of(unplug->domain)->qmp, "qom-list", json_pack("{s:s}", "path", "/objects"),
                     unplug->deadline_usec, &answer, NULL) < 0)
                return;
        json_array_foreach(answer, i, item)
        {
                const char *name = json_string_value(json_object_get(item, "name"));

                if (name && g_str_has_prefix(name, prefix))
                        (void)try(unplug, "object-del", "id", name);
        }
}

static bool has_number(const GArray *numbers, json_int_t number)
{
        for (unsigned i = 0; i < numbers->len; i++)
                if (g_array_index(numbers, json_int_t, i) == number)
                        return true;
        return false;
}

/* A device of which QEMU's list says that it has gone holds its image until QEMU says DEVICE_DELETED, which
 * wakes us. Media have no such device. */
static void remove_released(const Unplug *unplug, GPtrArray *nodes) AWAITS
{
        uint64_t until_usec = deadline_after_usec(RELEASE_USEC);

        remove_nodes(unplug, nodes);
        while (nodes->len > 0 && unplug->device.object && !is_over(unplug) &&
               condition_wait(&machine_of(unplug->domain)->changed, until_usec) >= 0)
                remove_nodes(unplug, nodes);
}

static void remove_images(const Unplug *unplug, const char *prefix) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *nodes = g_ptr_array_new_with_free_func(g_free),
                                                *left = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GArray) fdsets = g_array_new(false, false, sizeof(json_int_t));
        g_autoptr(GArray) used = g_array_new(false, false, sizeof(json_int_t));

        list_nodes(unplug, prefix, nodes, fdsets);
        remove_released(unplug, nodes);
        list_nodes(unplug, prefix, left, used);
        for (unsigned i = 0; i < fdsets->len && !is_over(unplug); i++)
                if (!has_number(used, g_array_index(fdsets, json_int_t, i)))
                        (void)qmp_call(machine_of(unplug->domain)->qmp, "remove-fd",
                                       json_pack("{s:I}", "fdset-id", g_array_index(fdsets, json_int_t, i)),
                                       unplug->deadline_usec, NULL, NULL); /* it may be gone with its file */
}

void unplug_media(Domain *domain, const char *target)
{
        _cleanup_(freep) char *prefix = g_strconcat(target, "-", NULL);
        const Unplug unplug = { .domain = domain,
                                .run = machine_of(domain)->run,
                                .deadline_usec = deadline_after_usec(UNPLUG_TIMEOUT_USEC) };

        remove_images(&unplug, prefix);
}

static void unplug_disk(const Unplug *unplug, const DomainDisk *disk) AWAITS
{
        _cleanup_(freep) char *prefix = NULL;

        if (disk->type == DISK_TYPE_VHOSTUSER) {
                remove_named(unplug, "chardev-remove", "chr-vu-", disk->info.alias);
                return;
        }
        prefix = g_strconcat(disk->target, "-", NULL);
        remove_images(unplug, prefix);
        remove_objects(unplug, prefix);
        remove_named(unplug, "object-del", "throttle-", disk->target);
}

/* The device itself is what QEMU would keep open. */
static void close_device_file(const Unplug *unplug, const char *path) AWAITS
{
        _cleanup_(json_decrefp) json_t *sets = NULL;
        json_t *set, *file;
        size_t i, k;

        if (is_over(unplug) || qmp_call(machine_of(unplug->domain)->qmp, "query-fdsets", NULL,
                                        unplug->deadline_usec, &sets, NULL) < 0)
                return;
        json_array_foreach(sets, i, set)
        {
                json_array_foreach(json_object_get(set, "fds"), k, file)
                {
                        if (g_strcmp0(json_string_value(json_object_get(file, "opaque")), path) == 0 &&
                            !is_over(unplug))
                                (void)qmp_call(
                                        machine_of(unplug->domain)->qmp, "remove-fd",
                                        json_pack("{s:I}", "fdset-id",
                                                  json_integer_value(json_object_get(set, "fdset-id"))),
                                        unplug->deadline_usec, NULL, NULL); /* it may be gone */
                }
        }
}

static void unplug_hostdev(const Unplug *unplug, const DomainHostdev *hostdev) AWAITS
{
        _cleanup_(freep) char *name = NULL;

        if (hostdev->type == HOSTDEV_USB) {
                name = g_strdup_printf("/dev/bus/usb/%03u/%03u", hostdev->usb_bus, hostdev->usb_device);
                close_device_file(unplug, name);
        } else if (hostdev->type == HOSTDEV_SCSI) {
                name = g_strconcat(hostdev->info.alias, "-", NULL);
                remove_images(unplug, name);
        }
}

/* The socket of a channel, which the daemon made. */
static void remove_socket(const Unplug *unplug)
{
        const DomainChannel *channel = unplug->device.object;

        if (unplug->device.kind == DEVICE_CHANNEL && channel->source.type == CHARDEV_TYPE_UNIX &&
            channel->source.mode == SOCKET_BIND && channel->source.path)
                folder_unbind(unplug->domain, channel->source.path);
}

/* To the host. */
static void give_back(const Unplug *unplug) AWAITS
{
        const Device device = { .kind = unplug->device.kind, .object = unplug->device.object };

        if (machine_of(unplug->domain)->run == unplug->run)
                passthrough_give_back(unplug->domain, &device);
}

static void remove_backend(const Unplug *unplug) AWAITS
{
        const char *alias = device_info_of(unplug->device.kind, unplug->device.object)->alias;

        switch (unplug->device.kind) {
        case DEVICE_DISK:
                unplug_disk(unplug, unplug->device.object);
                give_back(unplug);
                break;
        case DEVICE_HOSTDEV:
                unplug_hostdev(unplug, unplug->device.object);
                give_back(unplug);
                break;
        case DEVICE_INTERFACE:
                remove_named(unplug, "netdev_del", "host", alias);
                plug_removed(unplug->domain, unplug->device.object);
                give_back(unplug);
                remove_named(unplug, "chardev-remove", "char", alias);
                break;
        case DEVICE_SERIAL:
        case DEVICE_CONSOLE:
        case DEVICE_CHANNEL:
        case DEVICE_REDIRDEV:
                remove_socket(unplug);
                remove_named(unplug, "chardev-remove", "char", alias);
                remove_named(unplug, "object-del", "tls-", alias);
                break;
        case DEVICE_RNG:
                remove_named(unplug, "object-del", "obj", alias);
                remove_named(unplug, "chardev-remove", "char", alias);
                break;
        case DEVICE_SHMEM:
                remove_named(unplug, "object-del", "shmmem-", alias);
                remove_named(unplug, "chardev-remove", "char", alias);
                break;
        case DEVICE_CRYPTO:
                remove_named(unplug, "object-del", "obj", alias);
                break;
        case DEVICE_MEMORY:
                remove_named(unplug, "object-del", "mem", alias);
                break;
        default:
                break;
        }
}

static void unplug_fiber(void *data)
{
        Unplug *unplug = data;
        Domain *domain = unplug->domain;
        Machine *machine = machine_of(domain);
        _cleanup_(error_clear) Error error = {};

        remove_backend(unplug);
        if (machine->run == unplug->run && status_save(domain, &error) < 0)
                log_warning(domain->object.path, "cannot save the status of machine %s: %s",
                            domain->object.name, error.message);
        machine->n_unplugging--;
        condition_wake_all(&machine->changed);
        device_element_clear(&unplug->device);
        g_free(unplug);
        domain_unref(domain);
}

int unplug_wait(Domain *domain, uint64_t deadline_usec, Error *error)
{
        Machine *machine = machine_of(domain);

        while (machine->n_unplugging > 0) {
                int r = condition_wait(&machine->changed, deadline_usec);

                if (r < 0)
                        return error_set(error, r == -ETIMEDOUT ? ERROR_TIMED_OUT : ERROR_CANCELLED,
                                         "The %s has not let go yet of a device that went",
                                         object_describe(&domain->object));
        }
        return machine_check_monitor(domain, error);
}

void unplug_begin(Domain *domain, const char *alias)
{
        Machine *machine = machine_of(domain);
        Device device;
        Unplug *unplug;

        if (device_find_alias(domain->live, alias, &device, NULL) < 0)
                return;
        unplug = g_new(Unplug, 1);
        *unplug = (Unplug){ .domain = domain_ref(domain),
                            .device = { device.kind,
                                        struct_copy(device_kind_type(device.kind), device.object) },
                            .run = machine->run,
                            .deadline_usec = deadline_after_usec(UNPLUG_TIMEOUT_USEC) };
        (void)definition_remove_device(domain->live, &device, NULL); /* QEMU has done it: nothing is on it */
        machine->n_unplugging++;
        if (fiber_start("qemu-unplug", unplug_fiber, unplug) >= 0)
                return;
        log_warning(domain->object.path, "what was behind device %s of machine %s is left", alias,
                    domain->object.name);
        machine->n_unplugging--;
        device_element_clear(&unplug->device);
        domain_unref(unplug->domain);
        g_free(unplug);
        status_save_soon(domain);
}
