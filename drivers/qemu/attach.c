/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A device for the machine that runs, its definition, or both. The definition that the machine will have
 * with it is made and checked first, by the same steps as any definition; then QEMU is given what is new. */

#include "drivers/qemu/attach.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/device-line.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/notices.h"
#include "drivers/qemu/passthrough.h"
#include "drivers/qemu/plug.h"
#include "drivers/qemu/status.h"
#include "drivers/qemu/unplug.h"
#include "model/complete.h"
#include "model/device-change.h"
#include <string.h>

static int check_controller(const DomainDefinition *live, const DomainController *controller, Error *error)
{
        if (controller->type == CONTROLLER_TYPE_PCI)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "Domain '%s' has no free PCI slot: it needs another controller of model "
                                 "'%s' (index %u), and only the definition can get one",
                                 live->name, controller_model_to_string(controller->model),
                                 controller->index);
        if (controller->type != CONTROLLER_TYPE_SCSI && controller->type != CONTROLLER_TYPE_VIRTIO_SERIAL &&
            controller->type != CONTROLLER_TYPE_USB)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "A controller of type '%s' cannot be plugged into a machine that runs",
                                 controller_type_to_string(controller->type));
        return 0;
}

static int check_disk(const DomainDisk *disk, Error *error)
{
        if (disk->device == DISK_DEVICE_FLOPPY || disk->bus == DISK_BUS_IDE || disk->bus == DISK_BUS_SATA ||
            disk->bus == DISK_BUS_FDC)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s': nothing can be plugged into the bus '%s' while the machine "
                                 "runs; virtio, scsi and usb can",
                                 disk->target, disk_bus_to_string(disk->bus));
        return 0;
}

static int check_kind(const Device *device, Error *error)
{
        switch (device->kind) {
        case DEVICE_DISK:
                return check_disk(device->object, error);
        case DEVICE_INPUT:
                if (((const DomainInput *)device->object)->bus == INPUT_BUS_PS2)
                        break;
                return 0;
        case DEVICE_CONTROLLER:
        case DEVICE_INTERFACE:
        case DEVICE_CHANNEL:
        case DEVICE_HOSTDEV:
        case DEVICE_RNG:
        case DEVICE_MEMORY:
        case DEVICE_REDIRDEV:
        case DEVICE_SHMEM:
        case DEVICE_SERIAL:
        case DEVICE_CONSOLE:
        case DEVICE_WATCHDOG:
        case DEVICE_VSOCK:
        case DEVICE_CRYPTO:
                return 0;
        default:
                break;
        }
        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                         "A <%s> cannot be plugged into a machine that runs; AFFECT_CONFIG (2) puts it into "
                         "the definition",
                         device_kind_to_string(device->kind));
}

/* What the machine would get: controllers that were not there, then the device. Returns how many. */
static int list_new(const DomainDefinition *live, const DomainDefinition *candidate, const Device *device,
                    GArray *devices, Error *error)
{
        int r = check_kind(device, error);

        for (uint32_t i = 0; r >= 0 && i < candidate->devices.controllers.count; i++) {
                const DomainController *controller = candidate->devices.controllers.items[i];
                const Device new = device_at(candidate, DEVICE_CONTROLLER, i);

                if (controller_find(live, controller->type, controller->index))
                        continue;
                r = check_controller(live, controller, error);
                if (controller != device->object)
                        g_array_append_val(devices, new);
        }
        g_array_append_val(devices, *device);
        return r;
}

/* The definition of the run follows QEMU, which may have told meanwhile that the balloon is of another size,
 * or that other memory went. */
static void adopt(Domain *domain, const GArray *devices, uint64_t added_kib)
{
        DomainDefinition *live = domain->live;
        bool is_all = live->current_memory_kib == live->memory_kib;

        for (unsigned i = 0; i < devices->len; i++) {
                const Device *device = &g_array_index(devices, Device, i);

                device_insert(live, device->kind, MIN(device->position, device_count(live, device->kind)),
                              struct_copy(device_kind_type(device->kind), device->object));
        }
        live->memory_kib += added_kib;
        if (is_all)
                live->current_memory_kib = live->memory_kib;
}

/* A cable that is not plugged in is no option of the card's. */
static void set_link(const Domain *domain, const Device *device) AWAITS
{
        const DomainInterface *interface = device->object;
        _cleanup_(error_clear) Error error = {};
        Device live;

        if (device->kind != DEVICE_INTERFACE || interface->link != LINK_DOWN ||
            machine_check_monitor(domain, NULL) < 0 ||
            machine_command(domain, "set_link",
                            json_pack("{s:s, s:b}", "name", interface->info.alias, "up", 0), NULL,
                            &error) >= 0)
                return;
        log_warning(domain->object.path, "the link of device %s of machine %s is up, and was to be down: %s",
                    interface->info.alias, domain->object.name, error.message);
        if (domain->live && device_find_alias(domain->live, interface->info.alias, &live, NULL) >= 0)
                ((DomainInterface *)live.object)->link = LINK_UP;
}

/* The guest has it, whatever comes now: the call has not failed. */
static void finish(Domain *domain, const Device *device) AWAITS
{
        _cleanup_(error_clear) Error error = {};

        fiber_clear_cancel();
        set_link(domain, device);
        if (status_save(domain, &error) < 0) /* the next daemon looks for what was planned, and finds it */
                log_warning(domain->object.path, "%s", error.message);
}

/* What goes wrong later is undone by the name of its device on the host, which is to be nobody else's. */
static int check_target(const DomainDefinition *live, const DomainInterface *interface, Error *error)
{
        LIST_FOREACH (other, live->devices.interfaces) {
                if (interface->target && g_strcmp0(other->target, interface->target) == 0)
                        return error_set(error, ERROR_EXISTS,
                                         "Interface %s of domain '%s' has the device '%s' already: another "
                                         "needs another <target dev='...'>, or none",
                                         other->mac, live->name, interface->target);
        }
        return 0;
}

static int attach_live(Call *call, Domain *domain, DeviceElement *element, Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *candidate = NULL;
        g_autoptr(GArray) devices = g_array_new(false, false, sizeof(Device));
        Device device;
        uint64_t run, before_kib;
        int r = unplug_wait(domain, call->deadline_usec, error);

        if (r < 0)
                return r;
        run = machine_of(domain)->run;
        candidate = domain_definition_copy(domain->live);
        before_kib = candidate->memory_kib;
        r = definition_add_device(candidate, element, &device, error);
        if (r >= 0)
                r = list_new(domain->live, candidate, &device, devices, error);
        if (r >= 0 && device.kind == DEVICE_INTERFACE)
                r = check_target(domain->live, device.object, error);
        if (r < 0)
                return r;
        if (device.kind == DEVICE_INTERFACE)
                r = plug_choose_function(domain, device.object, call->deadline_usec, error);
        domain_definition_assign_aliases(candidate);
        if (r >= 0)
                r = status_plan(domain, candidate, error);
        if (r < 0) {
                passthrough_give_back(domain, &device);
                return r;
        }
        r = device_line_run(domain, candidate, &g_array_index(devices, Device, 0), devices->len,
                            call->deadline_usec, error);
        machine_of(domain)->plan = NULL;
        if (r >= 0 && (machine_of(domain)->run != run || !domain->live))
                r = error_set(error, ERROR_OPERATION_FAILED, "The %s ended",
                              object_describe(&domain->object));
        if (r < 0) {
                if (device.kind == DEVICE_INTERFACE)
                        plug_removed(domain, device.object);
                passthrough_give_back(domain, &device);
                (void)status_save(domain, NULL); /* the next daemon looks for what was planned, no more */
                return r;
        }
        adopt(domain, devices, candidate->memory_kib - before_kib);
        for (unsigned i = 0; i < devices->len; i++)
                notice_raise(domain, "DeviceAdded",
                             g_variant_new("(s)", g_array_index(devices, Device, i).info->alias));
        finish(domain, &device);
        return 0;
}

/* Both get one MAC address, also if nobody has said which. */
static void share_identity(const Device *device, DeviceElement *element)
{
        if (device->kind == DEVICE_INTERFACE)
                memcpy(((DomainInterface *)element->object)->mac, ((DomainInterface *)device->object)->mac,
                       sizeof((DomainInterface *)NULL)->mac);
}

static int attach_config(const Domain *domain, DeviceElement *element, DomainDefinition **ret_changed,
                         Error *error)
{
        DomainDefinition *changed = domain_definition_copy(domain->definition);
        DeviceElement copy = { element->kind,
                               struct_copy(device_kind_type(element->kind), element->object) };
        Device device;
        int r = definition_add_device(changed, &copy, &device, error);

        if (r >= 0)
                share_identity(&device, element);
        device_element_clear(&copy);
        *ret_changed = changed;
        return r;
}

int qemu_domain_attach_device(Call *call, Domain *domain, const char *xml, uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL;
        _cleanup_(device_element_clear) DeviceElement element = {};
        int r = impact_choose(domain, "AttachDevice", 0, &flags, error);

        if (r >= 0)
                r = device_element_parse(xml, DEFINITION_INACTIVE, &element, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = attach_config(domain, &element, &changed, error);
        if (r >= 0 && changed)
                r = impact_begin(domain, changed, error);
        if (r < 0)
                return r;
        if (flags & AFFECT_LIVE)
                r = attach_live(call, domain, &element, error);
        return changed ? impact_end(domain, &changed, r) : r;
}
