/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The guest is asked to let go of a device. It may do so at once, later, or never: after a moment the caller
 * gets an answer all the same, and a signal tells what became of it. */

#include "drivers/qemu/detach.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/notices.h"
#include "drivers/qemu/unplug.h"
#include "model/device-change.h"

/* As long as libvirt waits. */
#define LET_GO_USEC (5 * G_USEC_PER_SEC)

static int check_kind(const Device *device, Error *error)
{
        const DomainDisk *disk = device->object;

        switch (device->kind) {
        case DEVICE_DISK:
                if (disk->mirror)
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "Disk '%s' has a job: it is merged or copied", disk->target);
                if (disk->bus == DISK_BUS_VIRTIO || disk->bus == DISK_BUS_SCSI || disk->bus == DISK_BUS_USB)
                        return 0;
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s': nothing can be taken from the bus '%s' while the machine runs; "
                                 "virtio, scsi and usb can",
                                 disk->target, disk_bus_to_string(disk->bus));
        case DEVICE_CONTROLLER: {
                const DomainController *controller = device->object;

                if (controller->type == CONTROLLER_TYPE_SCSI ||
                    controller->type == CONTROLLER_TYPE_VIRTIO_SERIAL ||
                    (controller->type == CONTROLLER_TYPE_USB && controller->index > 0))
                        return 0;
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "A controller of type '%s' cannot be taken from a machine that runs",
                                 controller_type_to_string(controller->type));
        }
        case DEVICE_INTERFACE:
        case DEVICE_CHANNEL:
        case DEVICE_CONSOLE:
        case DEVICE_HOSTDEV:
        case DEVICE_RNG:
        case DEVICE_MEMORY:
        case DEVICE_REDIRDEV:
        case DEVICE_SERIAL:
        case DEVICE_SHMEM:
        case DEVICE_INPUT:
        case DEVICE_WATCHDOG:
        case DEVICE_VSOCK:
        case DEVICE_CRYPTO:
                return 0;
        default:
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "A <%s> cannot be taken from a machine that runs",
                                 device_kind_to_string(device->kind));
        }
}

static bool is_there(const Domain *domain, const char *alias)
{
        Device device;

        return domain->live && device_find_alias(domain->live, alias, &device, NULL) >= 0;
}

/* QEMU does not tell of all: one that something of QEMU's own still holds (a USB controller) is gone for the
 * guest, and never deleted. */
static int look_for(Domain *domain, const char *alias, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *devices = NULL;
        json_t *device;
        size_t i;
        int r = machine_check_monitor(domain, error);

        if (r >= 0)
                r = qmp_call(machine_of(domain)->qmp, "qom-list",
                             json_pack("{s:s}", "path", "/machine/peripheral"),
                             deadline_after_usec(QMP_TIMEOUT_USEC), &devices, error);
        if (r < 0 || json_array_size(devices) == 0)
                return r;
        json_array_foreach(devices, i, device)
        {
                if (g_strcmp0(json_string_value(json_object_get(device, "name")), alias) == 0)
                        return 0; /* the guest may let go of it later */
        }
        if (is_there(domain, alias)) {
                unplug_begin(domain, alias);
                notice_raise(domain, "DeviceRemoved", g_variant_new("(s)", alias));
        }
        return 0;
}

/* Until it is gone, refused, or time is up, which is no failure. */
static int wait_for_guest(Domain *domain, const char *alias, uint64_t run, uint64_t deadline_usec,
                          Error *error) AWAITS
{
        Machine *machine = machine_of(domain);

        while (machine->run == run && (is_there(domain, alias) || machine->n_unplugging > 0)) {
                int r;

                if (g_strcmp0(machine->kept_alias, alias) == 0)
                        return error_set(error, ERROR_OPERATION_FAILED,
                                         "The guest of the %s does not let go of device '%s'",
                                         object_describe(&domain->object), alias);
                r = condition_wait(&machine->changed, deadline_usec);
                if (r == -ETIMEDOUT)
                        return look_for(domain, alias, error);
                if (r < 0)
                        return error_set(error, ERROR_CANCELLED, "Waiting for the guest was cancelled");
        }
        return 0;
}

static int check_users(const Domain *domain, const Device *device, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *copy = domain_definition_copy(domain->live);
        const Device same = device_at(copy, device->kind, device->position);

        return definition_remove_device(copy, &same, error);
}

/* The host had it not when the machine started, so that QEMU knows nothing of it. */
static bool is_missing(const Device *device)
{
        return device->kind == DEVICE_HOSTDEV && ((const DomainHostdev *)device->object)->missing == YES;
}

static int detach_live(Call *call, Domain *domain, const DeviceElement *element, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        _cleanup_(freep) char *alias = NULL;
        uint64_t run = machine->run;
        Device device;
        int r = machine_check_monitor(domain, error);

        if (r >= 0)
                r = device_find(domain->live, element, &device, error);
        if (r >= 0)
                r = check_kind(&device, error);
        if (r >= 0)
                r = check_users(domain, &device, error);
        if (r < 0)
                return r;
        alias = g_strdup(device.info->alias);
        if (is_missing(&device)) {
                unplug_begin(domain, alias);
                notice_raise(domain, "DeviceRemoved", g_variant_new("(s)", alias));
                return unplug_wait(domain, call->deadline_usec, error);
        }
        g_clear_pointer(&machine->kept_alias, g_free);
        r = qmp_call(machine->qmp, "device_del", json_pack("{s:s}", "id", alias),
                     MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC)), NULL, error);
        if (r < 0)
                return r;
        return wait_for_guest(domain, alias, run, MIN(call->deadline_usec, deadline_after_usec(LET_GO_USEC)),
                              error);
}

int qemu_domain_detach_device(Call *call, Domain *domain, const char *xml, uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL;
        _cleanup_(device_element_clear) DeviceElement element = {}, stored = {};
        Device device;
        int r = impact_choose(domain, "DetachDevice", 0, &flags, error);

        if (r >= 0)
                r = device_element_parse(xml, DEFINITION_WANTED, &element, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = device_element_parse(xml, DEFINITION_WANTED | DEFINITION_INACTIVE, &stored, error);
        if (r >= 0 && flags & AFFECT_CONFIG) {
                changed = domain_definition_copy(domain->definition);
                r = device_find(changed, &stored, &device, error);
                if (r >= 0)
                        r = definition_remove_device(changed, &device, error);
        }
        if (r >= 0 && changed)
                r = impact_begin(domain, changed, error);
        if (r < 0)
                return r;
        if (flags & AFFECT_LIVE)
                r = detach_live(call, domain, &element, error);
        return changed ? impact_end(domain, &changed, r) : r;
}
