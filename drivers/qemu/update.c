/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What may change in a machine that runs: the medium of a drive, limits of a disk, where an interface is
 * plugged in, its link, filter and limits, the boot order of both, the password of a display, the size that
 * a virtio-mem device is asked for. Everything else is refused by name; the stored definition takes any
 * device of that kind in the place of the old one. A daemon that was killed meanwhile left the plan, and
 * what was there before: the next one does it again, for all of it can be done twice, but for media, where
 * QEMU says which one is in the drive. */

#include "drivers/qemu/update.h"
#include "core/log.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/disk-limits.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/learn.h"
#include "drivers/qemu/medium.h"
#include "drivers/qemu/plug.h"
#include "drivers/qemu/status.h"
#include "model/device-change.h"

enum { UPDATE_FORCE = 1 << 2 };

typedef struct Update {
        Domain *domain;
        DomainDefinition *candidate; /* the live definition with the change */
        Device was, is;              /* in what the live definition was, and in the candidate */
        bool force;
        uint64_t run, deadline_usec;
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

static void keep_medium(DomainDisk *disk, const DomainDisk *was)
{
        DomainDisk *same = struct_copy(&domain_disk_type, was);

        SWAP(disk->source, same->source);
        SWAP(disk->backing, same->backing);
        SWAP(disk->mirror, same->mirror);
        disk->type = same->type;
        disk->format = same->format;
        disk->backing_ends = same->backing_ends;
        disk->tray = same->tray;
        (void)struct_free(&domain_disk_type, same);
}

static void forget_disk(void *is, const void *was)
{
        const DomainDisk *old = was;
        DomainDisk *disk = is;

        keep_medium(disk, was);
        (void)struct_free(&disk_tune_type, disk->tune);
        disk->tune = old->tune ? struct_copy(&disk_tune_type, old->tune) : NULL;
        disk->snapshot = old->snapshot;
        disk->info.boot_order = old->info.boot_order;
}

/* Whether the element names what is there: the images below may be left to be found out. */
static bool is_same_medium(const DomainDisk *was, const DomainDisk *is)
{
        DiskSource *a = struct_copy(&disk_source_type, &was->source),
                   *b = struct_copy(&disk_source_type, &is->source);
        _cleanup_(freep) char *path = NULL;
        const DiskBacking *below = was->backing;
        bool is_same;

        b->index = a->index;
        b->startup_policy = a->startup_policy;
        path = struct_difference(&disk_source_type, a, b, false);
        is_same =
                !path && was->type == is->type && was->format == is->format && (!is->backing_ends || !below);
        for (const DiskBacking *said = is->backing; is_same && said; said = said->backing) {
                bool is_there = below && below->type != DISK_TYPE_ABSENT;

                is_same =
                        is_there == (said->type != DISK_TYPE_ABSENT) &&
                        (!is_there || g_strcmp0(chain_path(&below->source), chain_path(&said->source)) == 0);
                below = below ? below->backing : NULL;
        }
        (void)struct_free(&disk_source_type, a);
        (void)struct_free(&disk_source_type, b);
        return is_same;
}

static bool is_drive(const DomainDisk *disk)
{
        return disk->device == DISK_DEVICE_CDROM || disk->device == DISK_DEVICE_FLOPPY;
}

static int set_boot_order(const Update *update, uint32_t from, uint32_t to, Error *error) AWAITS
{
        _cleanup_(freep) char *path = g_strconcat("/machine/peripheral/", update->is.info->alias, NULL);
        int r;

        if (from == to)
                return 0;
        r = machine_check_monitor(update->domain, error);
        return r < 0 ? r
                     : qmp_call(machine_of(update->domain)->qmp, "qom-set",
                                json_pack("{s:s, s:s, s:i}", "path", path, "property", "bootindex", "value",
                                          to > 0 ? (int)to : -1),
                                update->deadline_usec, NULL, error);
}

static bool is_same_tune(const DiskTune *a, const DiskTune *b)
{
        _cleanup_(freep) char *path = a && b ? struct_difference(&disk_tune_type, a, b, false) : NULL;

        return (a == NULL) == (b == NULL) && !path;
}

static int set_limits(const Update *update, const DomainDisk *from, const DomainDisk *to,
                      Error *error) AWAITS
{
        return is_same_tune(from->tune, to->tune)
                       ? 0
                       : disk_limits_change(update->domain, from, to->tune, update->deadline_usec, error);
}

/* A disc that the guest has put out is put in again. */
static int set_medium(Update *update, bool is_same, Error *error) AWAITS
{
        const DomainDisk *was = update->was.object;
        DomainDisk *disk = update->is.object;
        StartupPolicy startup_policy = disk->source.startup_policy;

        if (!is_same || (is_drive(disk) && (update->force || was->tray == DISK_TRAY_OPEN)))
                return medium_change(update->domain, update->candidate, &update->is, was, update->force,
                                     update->deadline_usec, error);
        keep_medium(disk, was);
        disk->source.startup_policy = startup_policy;
        return 0;
}

static int update_disk(Update *update, Error *error) AWAITS
{
        const DomainDisk *was = update->was.object;
        DomainDisk *disk = update->is.object;
        bool is_same = is_same_medium(was, disk);
        int r;

        if (!is_same && !is_drive(disk))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s' is no drive: its source cannot change while the machine runs",
                                 disk->target);
        r = check_rest(update, forget_disk, error);
        if (r >= 0)
                r = set_boot_order(update, update->was.info->boot_order, disk->info.boot_order, error);
        if (r < 0)
                return r;
        r = set_limits(update, was, disk, error);
        if (r >= 0)
                r = set_medium(update, is_same, error);
        if (r < 0) {
                (void)set_limits(update, disk, was, NULL); /* both: the caller hears of the first */
                (void)set_boot_order(update, disk->info.boot_order, was->info.boot_order, NULL);
        }
        return r;
}

static void forget_connection(void *is, const void *was)
{
        const DomainInterface *old = was;
        DomainInterface *interface = is, *same = struct_copy(&domain_interface_type, was);

        if (old->type != INTERFACE_TYPE_USER && interface->type != INTERFACE_TYPE_USER) {
                interface->type = same->type;
                SWAP(interface->source_network, same->source_network);
                SWAP(interface->source_portgroup, same->source_portgroup);
                SWAP(interface->source_bridge, same->source_bridge);
        }
        SWAP(interface->source_device, same->source_device); /* plug_change() tells more of it */
        SWAP(interface->filter, same->filter);
        SWAP(interface->bandwidth, same->bandwidth);
        SWAP(interface->vlan, same->vlan);
        g_strlcpy(interface->source_portid, same->source_portid, sizeof interface->source_portid);
        interface->port_isolated = same->port_isolated;
        interface->link = same->link;
        interface->info.boot_order = same->info.boot_order;
        (void)struct_free(&domain_interface_type, same);
}

static bool is_elsewhere(const DomainInterface *was, const DomainInterface *is)
{
        return was->type != is->type || g_strcmp0(was->source_network, is->source_network) != 0 ||
               g_strcmp0(was->source_bridge, is->source_bridge) != 0;
}

/* A guest that was plugged into another network sees its cable pulled for a moment, and asks anew for an
 * address. */
static int set_link(const Update *update, Error *error) AWAITS
{
        const DomainInterface *was = update->was.object, *is = update->is.object;
        bool is_up = is->link != LINK_DOWN, was_up = was->link != LINK_DOWN,
             is_pulled = is_up && was_up && is_elsewhere(was, is);
        int r = 0;

        for (int up = is_pulled ? 0 : is_up; r >= 0 && up <= is_up; up++) {
                r = machine_check_monitor(update->domain, error);
                if (r >= 0)
                        r = qmp_call(machine_of(update->domain)->qmp, "set_link",
                                     json_pack("{s:s, s:b}", "name", is->info.alias, "up", up),
                                     update->deadline_usec, NULL, error);
        }
        return r;
}

static int update_interface(Update *update, Error *error) AWAITS
{
        const DomainInterface *was = update->was.object;
        DomainInterface *interface = update->is.object;
        int r = check_rest(update, forget_connection, error);

        if (r >= 0)
                r = plug_change(update->domain, was, interface, error);
        if (r < 0)
                return r;
        r = set_boot_order(update, was->info.boot_order, interface->info.boot_order, error);
        if (r >= 0 && !interface_function(was))
                r = set_link(update, error);
        if (r < 0) { /* the caller hears of the first */
                const Update back = { update->domain, update->candidate, update->is, update->was,
                                      .deadline_usec = update->deadline_usec };

                (void)set_link(&back, NULL);
                (void)set_boot_order(&back, interface->info.boot_order, was->info.boot_order, NULL);
                (void)plug_change(update->domain, interface, was, NULL);
        }
        return r;
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

/* The machine may have ended while the plan was written. */
static int tell(Update *update, Error *error) AWAITS
{
        int r = machine_check_monitor(update->domain, error);

        if (r < 0)
                return r;
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

/* Others may have gone meanwhile, so that it is at another position. What has no alias stays. */
static bool find_live(const Update *update, Device *ret_device)
{
        const Domain *domain = update->domain;

        *ret_device = update->was;
        return machine_of(domain)->run == update->run && domain->live &&
               (!update->was.info->alias ||
                device_find_alias(domain->live, update->was.info->alias, ret_device, NULL) >= 0);
}

/* The run has ended, or the guest let go of the device: nothing of it stays on the host. One that was to get
 * another name there was refused. */
static int check_there(const Update *update, Error *error) AWAITS
{
        const DomainInterface *was = update->was.object, *is = update->is.object;
        Device there;

        if (find_live(update, &there))
                return 0;
        if (update->is.kind == DEVICE_INTERFACE && was->target && g_strcmp0(was->target, is->target) == 0)
                plug_removed(update->domain, is);
        return error_set(error, ERROR_OPERATION_FAILED,
                         update->domain->live ? "The guest of the %s has let go of the device"
                                              : "The %s ended",
                         object_describe(&update->domain->object));
}

/* The device of the live definition becomes a copy of that one. */
static void put(const Update *update, const Device *device)
{
        const StructType *type = device_kind_type(device->kind);
        DomainDefinition *live = update->domain->live;
        Device old;

        if (!find_live(update, &old))
                return;
        (void)struct_free(type, device_take(live, old.kind, old.position));
        device_insert(live, old.kind, old.position, struct_copy(type, device->object));
}

/* What was chosen for this run, and is in no element that somebody writes. */
static void inherit(const Domain *domain, const Device *was, const Device *is)
{
        DomainInterface *interface = is->kind == DEVICE_INTERFACE ? is->object : NULL;

        if (is->kind == DEVICE_DISK)
                ((DomainDisk *)is->object)->source.index = chain_free_index(was->object);
        if (interface)
                plug_inherit(domain, was->object, interface);
}

static int update_live(Update *update, DeviceElement *element, Error *error) AWAITS
{
        Domain *domain = update->domain;
        _cleanup_(domain_definition_freep) DomainDefinition *before = NULL, *candidate = NULL;
        int r = domain_check_active(domain, error), there;

        if (r < 0)
                return r;
        /* It may have ended and begun anew while the stored definition was written. */
        update->run = machine_of(domain)->run;
        update->candidate = candidate = domain_definition_copy(domain->live);
        before = domain_definition_copy(domain->live);
        r = device_find(before, element, &update->was, error);
        if (r < 0)
                return r;
        update->is = device_at(update->candidate, update->was.kind, update->was.position);
        r = definition_replace_device(update->candidate, &update->is, element, error);
        update->is = device_at(update->candidate, update->was.kind, update->was.position);
        inherit(domain, &update->was, &update->is);
        if (r >= 0 && update->is.kind == DEVICE_INTERFACE)
                plug_forget_shown(domain, update->was.object, update->is.object);
        if (r >= 0)
                r = machine_check_monitor(domain, error);
        if (r >= 0)
                r = status_plan(domain, update->candidate, error);
        if (r < 0)
                return r;
        r = tell(update, error);
        machine_of(domain)->plan = NULL;
        there = check_there(update, error);
        r = MIN(r, there);
        if (r < 0) {
                (void)status_save(domain, NULL); /* what was planned is done by the next daemon, no more */
                return r;
        }
        put(update, &update->is);
        return status_save(domain, error);
}

typedef struct Search {
        const DomainDefinition *was;
        Update *update;
} Search;

static int find_changed(const Device *device, void *data)
{
        Search *search = data;
        Device was;
        _cleanup_(freep) char *path = NULL;

        if (!device->info->alias || device_find_alias(search->was, device->info->alias, &was, NULL) < 0 ||
            was.kind != device->kind)
                return 0; /* it was to be plugged in: recover.c */
        path = struct_difference(device_kind_type(was.kind), was.object, device->object, false);
        if (!path)
                return 0;
        search->update->was = was;
        search->update->is = *device;
        return 1;
}

/* Returns 1 if it is what it was to become, 0 if it is what it was. */
static int recover(Update *update, Error *error) AWAITS
{
        const DomainDisk *was = update->was.object, *is = update->is.object;
        int r;

        if (update->is.kind == DEVICE_DISK && !is_same_medium(was, is))
                return medium_recover(update->domain, was, is, error);
        r = tell(update, error);
        return r < 0 ? r : 1;
}

void update_recover(Domain *domain)
{
        _cleanup_(domain_definition_freep) DomainDefinition *before = TAKE_PTR(machine_of(domain)->was);
        _cleanup_(domain_definition_freep) DomainDefinition *candidate = NULL;
        Update update = { .domain = domain,
                          .run = machine_of(domain)->run,
                          .deadline_usec = deadline_after_usec(QMP_TIMEOUT_USEC) };
        Search search = { before, &update };
        _cleanup_(error_clear) Error error = {};

        if (!before || !domain->live)
                return;
        update.candidate = candidate = domain_definition_copy(domain->live);
        if (device_foreach(candidate, find_changed, &search) > 0) {
                int r = recover(&update, &error);

                if (r < 0)
                        log_warning(domain->object.path, "device %s of machine %s stays as it was: %s",
                                    update.was.info->alias, domain->object.name, error.message);
                if (check_there(&update, NULL) < 0)
                        return;
                put(&update, r > 0 ? &update.is : &update.was);
        }
        status_save_soon(domain);
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
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL;
        _cleanup_(device_element_clear) DeviceElement element = {};
        Update update = { .domain = domain,
                          .force = flags & UPDATE_FORCE,
                          .deadline_usec = MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC)) };
        int r = impact_choose(domain, "UpdateDevice", UPDATE_FORCE, &flags, error);

        if (r >= 0)
                r = device_element_parse(xml, DEFINITION_INACTIVE, &element, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = update_config(domain, &element, &changed, error);
        if (r >= 0 && changed)
                r = impact_begin(domain, changed, error);
        if (r < 0)
                return r;
        if (flags & AFFECT_LIVE)
                r = update_live(&update, &element, error);
        return changed ? impact_end(domain, &changed, r) : r;
}
