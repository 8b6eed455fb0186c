/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What may change in a machine that runs: the medium of a drive, the link of an interface, the password of a
 * display, the size that a virtio-mem device is asked for. Everything else that the guest would see is
 * refused by name; the stored definition takes any device of that kind in the place of the old one. */

#include "drivers/qemu/update.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/learn.h"
#include "drivers/qemu/medium.h"
#include "drivers/qemu/status.h"
#include "model/device-change.h"

enum { UPDATE_FORCE = 1 << 2 };

typedef struct Update {
        Domain *domain;
        DomainDefinition *candidate; /* the live definition with the change */
        Device was, is;              /* in the live definition, and in the candidate */
        bool force;
        uint64_t deadline_usec;
} Update;

/* What differs apart from what may, which `forget` makes the same in a copy of the new device. */
static int check_rest(const Update *update, void (*forget)(void *is, const void *was), Error *error)
{
        const StructType *type = device_kind_type(update->is.kind);
        void *copy = struct_copy(type, update->is.object);
        _cleanup_(freep) char *path = NULL;

        forget(copy, update->was.object);
        path = struct_difference(type, update->was.object, copy, false);
        (void)struct_free(type, copy);
        return path ? error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                "'%s' of a <%s> cannot change while the machine runs", path,
                                device_kind_to_string(update->is.kind))
                    : 0;
}

/* Moves one member of a copy: what is there goes with the structure that is thrown away. */
#define SWAP(a, b)                                                                                          \
        do {                                                                                                \
                typeof(a) swapped = (a);                                                                    \
                (a) = (b);                                                                                  \
                (b) = swapped;                                                                              \
        } while (0)

static void forget_medium(void *is, const void *was)
{
        DomainDisk *disk = is, *same = struct_copy(&domain_disk_type, was);

        SWAP(disk->source, same->source);
        SWAP(disk->backing, same->backing);
        disk->type = same->type;
        disk->format = same->format;
        disk->backing_ends = same->backing_ends;
        disk->tray = same->tray;
        (void)struct_free(&domain_disk_type, same);
}

static int update_disk(Update *update, Error *error) AWAITS
{
        const DomainDisk *disk = update->is.object;
        int r = check_rest(update, forget_medium, error);

        if (r >= 0 && disk->device != DISK_DEVICE_CDROM && disk->device != DISK_DEVICE_FLOPPY)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s' is no drive: its medium cannot change while the machine runs",
                                 disk->target);
        return r < 0 ? r
                     : medium_change(update->domain, update->candidate, &update->is, update->force,
                                     update->deadline_usec, error);
}

static void forget_link(void *is, const void *was)
{
        ((DomainInterface *)is)->link = ((const DomainInterface *)was)->link;
}

static int update_interface(Update *update, Error *error) AWAITS
{
        const DomainInterface *interface = update->is.object;
        int r;

        if (!interface->target) { /* which was chosen at the start */
                const DomainInterface *was = update->was.object;

                ((DomainInterface *)update->is.object)->target = g_strdup(was->target);
        }
        r = check_rest(update, forget_link, error);
        return r < 0 ? r
                     : qmp_call(machine_of(update->domain)->qmp, "set_link",
                                json_pack("{s:s, s:b}", "name", interface->info.alias, "up",
                                          interface->link != LINK_DOWN),
                                update->deadline_usec, NULL, error);
}

static void forget_password(void *is, const void *was)
{
        const DomainGraphics *old = was;
        DomainGraphics *graphics = is;

        g_free(graphics->password);
        g_free(graphics->password_valid_to);
        graphics->password = g_strdup(old->password);
        graphics->password_valid_to = g_strdup(old->password_valid_to);
        graphics->connected = old->connected;
        /* A port that is to be found was found. */
        if (!graphics->has_port || graphics->port < 0) {
                graphics->has_port = old->has_port;
                graphics->port = old->port;
        }
}

static int update_graphics(Update *update, Error *error) AWAITS
{
        DomainGraphics *graphics = update->is.object;
        const DomainGraphics *was = update->was.object;
        int r = check_rest(update, forget_password, error);

        if (r < 0)
                return r;
        graphics->has_port = was->has_port;
        graphics->port = was->port;
        if (graphics->type != GRAPHICS_TYPE_VNC && graphics->type != GRAPHICS_TYPE_SPICE)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "A display of type '%s' has no password",
                                 graphics_type_to_string(graphics->type));
        if (!graphics->password)
                return was->password ? error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                                 "A display keeps its password while the machine runs: "
                                                 "'passwd' is missing")
                                     : 0;
        if (!was->password)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "A display that was started without a password cannot get one");
        return learn_password(machine_of(update->domain), graphics, update->deadline_usec, error);
}

static void forget_request(void *is, const void *was)
{
        ((DomainMemory *)is)->requested_kib = ((const DomainMemory *)was)->requested_kib;
        ((DomainMemory *)is)->current_kib = ((const DomainMemory *)was)->current_kib;
}

static int update_memory(Update *update, Error *error) AWAITS
{
        const DomainMemory *memory = update->is.object;
        _cleanup_(freep) char *path = g_strconcat("/machine/peripheral/", memory->info.alias, NULL);
        int r = check_rest(update, forget_request, error);

        if (r >= 0 && memory->model != MEMORY_MODEL_VIRTIO_MEM)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Memory of model '%s' cannot change while the machine runs",
                                 memory_model_to_string(memory->model));
        return r < 0 ? r
                     : qmp_call(machine_of(update->domain)->qmp, "qom-set",
                                json_pack("{s:s, s:s, s:I}", "path", path, "property", "requested-size",
                                          "value", (json_int_t)(memory->requested_kib * 1024)),
                                update->deadline_usec, NULL, error);
}

static int tell(Update *update, Error *error) AWAITS
{
        switch (update->is.kind) {
        case DEVICE_DISK:
                return update_disk(update, error);
        case DEVICE_INTERFACE:
                return update_interface(update, error);
        case DEVICE_GRAPHICS:
                return update_graphics(update, error);
        case DEVICE_MEMORY:
                return update_memory(update, error);
        default:
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "A <%s> cannot change while the machine runs",
                                 device_kind_to_string(update->is.kind));
        }
}

static int update_live(Update *update, DeviceElement *element, Error *error) AWAITS
{
        Domain *domain = update->domain;
        uint64_t run = machine_of(domain)->run;
        int r = device_find(domain->live, element, &update->was, error);

        if (r < 0)
                return r;
        update->is = device_at(update->candidate, update->was.kind, update->was.position);
        r = definition_replace_device(update->candidate, &update->is, element, error);
        update->is = device_at(update->candidate, update->was.kind, update->was.position);
        if (r >= 0)
                r = machine_check_monitor(domain, error);
        if (r >= 0)
                r = tell(update, error);
        if (r < 0)
                return r;
        if (machine_of(domain)->run != run || !domain->live)
                return error_set(error, ERROR_OPERATION_FAILED, "The %s ended",
                                 object_describe(&domain->object));
        (void)struct_free(device_kind_type(update->is.kind),
                          device_take(domain->live, update->is.kind, update->is.position));
        device_insert(domain->live, update->is.kind, update->is.position,
                      struct_copy(device_kind_type(update->is.kind), update->is.object));
        return status_save(domain, error);
}

static int update_config(const Domain *domain, const DeviceElement *element, DomainDefinition **ret_changed,
                         Error *error)
{
        DeviceElement copy = { element->kind,
                               struct_copy(device_kind_type(element->kind), element->object) };
        Device device;
        int r;

        *ret_changed = domain_definition_copy(domain->definition);
        r = device_find(*ret_changed, element, &device, error);
        if (r >= 0)
                r = definition_replace_device(*ret_changed, &device, &copy, error);
        device_element_clear(&copy);
        return r;
}

int qemu_domain_update_device(Call *call, Domain *domain, const char *xml, uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL, *candidate = NULL;
        _cleanup_(device_element_clear) DeviceElement element = {};
        Update update = { .domain = domain,
                          .force = flags & UPDATE_FORCE,
                          .deadline_usec = MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC)) };
        int r = impact_choose(domain, "UpdateDevice", UPDATE_FORCE, &flags, error);

        if (r >= 0)
                r = device_element_parse(xml, DEFINITION_INACTIVE, &element, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = update_config(domain, &element, &changed, error);
        if (r >= 0 && flags & AFFECT_LIVE) {
                update.candidate = candidate = domain_definition_copy(domain->live);
                r = update_live(&update, &element, error);
        }
        return r < 0 || !changed ? r : impact_store(domain, &changed, error);
}
