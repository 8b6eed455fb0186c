/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A device that comes or goes is completed together with all others, as at the definition of the machine:
 * what is there has its address and keeps it, what is new gets what is free. Which device is meant is asked
 * by what makes it different for its user, or else by comparing native values, where what is not written is
 * absent. */

#include "model/device-change.h"
#include "model/complete.h"
#include <errno.h>
#include <string.h>

void device_element_clear(DeviceElement *element)
{
        if (element->object)
                struct_free(device_kind_type(element->kind), element->object);
        element->object = NULL;
}

int device_element_parse(const char *xml, unsigned flags, DeviceElement *ret_element, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        const XmlNode *root;
        DeviceElement element = {};
        int kind, r = xml_parse(xml, strlen(xml), "device", &document, error);

        if (r < 0)
                return r;
        root = xml_document_root(document);
        kind = root->namespace_uri ? -EINVAL : device_kind_from_string(root->name);
        if (kind < 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "<%s> is no device: <disk>, <interface>, <controller> ... are", root->name);
        element.kind = (DeviceKind)kind;
        r = struct_parse(device_kind_type(element.kind), root, flags, &element.object, error);
        if (r >= 0)
                *ret_element = element;
        return r;
}

static bool says(GVariant *whole, GVariant *part);

static bool dictionary_says(GVariant *whole, GVariant *part)
{
        GVariantIter at;
        const char *key;
        GVariant *value;
        bool is_part = true;

        g_variant_iter_init(&at, part);
        while (is_part && g_variant_iter_next(&at, "{&sv}", &key, &value)) {
                GVariant *found = g_variant_lookup_value(whole, key, NULL);

                is_part = found && says(found, value);
                g_variant_unref(value);
                if (found)
                        g_variant_unref(found);
        }
        return is_part;
}

static bool list_says(GVariant *whole, GVariant *part)
{
        bool is_part = g_variant_n_children(whole) == g_variant_n_children(part);

        for (size_t i = 0; is_part && i < g_variant_n_children(part); i++) {
                GVariant *a = g_variant_get_child_value(whole, i), *b = g_variant_get_child_value(part, i);

                is_part = says(a, b);
                g_variant_unref(a);
                g_variant_unref(b);
        }
        return is_part;
}

/* Whether all that `part` says is true of `whole`. */
static bool says(GVariant *whole, GVariant *part)
{
        if (!g_variant_type_equal(g_variant_get_type(whole), g_variant_get_type(part)))
                return false;
        if (g_variant_is_of_type(part, G_VARIANT_TYPE_VARDICT))
                return dictionary_says(whole, part);
        if (g_variant_is_of_type(part, G_VARIANT_TYPE("aa{sv}")))
                return list_says(whole, part);
        return g_variant_equal(whole, part);
}

static bool is_described(const Device *device, const DeviceElement *element)
{
        const StructType *type = device_kind_type(device->kind);
        GVariant *whole = g_variant_ref_sink(struct_to_variant(type, device->object));
        GVariant *part = g_variant_ref_sink(struct_to_variant(type, element->object));
        bool is_part = says(whole, part);

        g_variant_unref(whole);
        g_variant_unref(part);
        return is_part;
}

/* Alias and address, where both say one. */
static bool is_at_its_place(const DeviceInfo *info, const DeviceInfo *wanted)
{
        const DeviceAddress *a = &info->address, *b = &wanted->address;

        if (wanted->alias && g_strcmp0(info->alias, wanted->alias) != 0)
                return false;
        if (!device_address_is_assigned(b))
                return true;
        _cleanup_(freep) char *is = device_address_to_string(a), *should = device_address_to_string(b);

        return a->type == b->type && g_strcmp0(is, should) == 0;
}

static bool is_channel(const DomainChannel *channel, const DomainChannel *wanted)
{
        return channel->target == wanted->target && g_strcmp0(channel->name, wanted->name) == 0 &&
               g_strcmp0(channel->address, wanted->address) == 0 &&
               g_strcmp0(channel->port, wanted->port) == 0;
}

/* How much of it is asked for, and is there, does not tell it from others. */
static bool is_memory(const Device *device, const DeviceElement *element)
{
        const DomainMemory *memory = device->object;
        DomainMemory *same = struct_copy(&domain_memory_type, element->object);
        const DeviceElement wanted = { DEVICE_MEMORY, same };
        bool is_it;

        same->requested_kib = memory->requested_kib;
        same->current_kib = memory->current_kib;
        is_it = is_described(device, &wanted);
        (void)struct_free(&domain_memory_type, same);
        return is_it;
}

static bool is_meant(const Device *device, const DeviceElement *element)
{
        const void *object = device->object, *wanted = element->object;

        switch (device->kind) {
        case DEVICE_DISK:
                return g_strcmp0(((const DomainDisk *)object)->target,
                                 ((const DomainDisk *)wanted)->target) == 0;
        case DEVICE_INTERFACE:
                if (!((const DomainInterface *)wanted)->mac[0])
                        return is_described(device, element);
                return g_str_equal(((const DomainInterface *)object)->mac,
                                   ((const DomainInterface *)wanted)->mac);
        case DEVICE_CONTROLLER:
                return ((const DomainController *)object)->type ==
                               ((const DomainController *)wanted)->type &&
                       ((const DomainController *)object)->index ==
                               ((const DomainController *)wanted)->index;
        case DEVICE_GRAPHICS:
                return ((const DomainGraphics *)object)->type == ((const DomainGraphics *)wanted)->type;
        case DEVICE_FILESYSTEM:
                return g_strcmp0(((const DomainFilesystem *)object)->target,
                                 ((const DomainFilesystem *)wanted)->target) == 0;
        case DEVICE_CHANNEL:
                return ((const DomainChannel *)wanted)->name ? is_channel(object, wanted)
                                                             : is_described(device, element);
        case DEVICE_MEMORY:
                return is_memory(device, element);
        default:
                return device_kind_is_single(device->kind) || is_described(device, element);
        }
}

/* The words that tell the device from others; the caller frees. */
static char *describe(const DeviceElement *element)
{
        const char *name = device_kind_to_string(element->kind);

        switch (element->kind) {
        case DEVICE_DISK:
                return g_strdup_printf("disk '%s'", ((const DomainDisk *)element->object)->target);
        case DEVICE_INTERFACE: {
                const char *mac = ((const DomainInterface *)element->object)->mac;

                return mac[0] ? g_strdup_printf("interface with the address %s", mac)
                              : g_strdup("interface like that");
        }
        case DEVICE_CONTROLLER: {
                const DomainController *controller = element->object;

                return g_strdup_printf("controller %u of type '%s'", controller->index,
                                       controller_type_to_string(controller->type));
        }
        default:
                return g_strdup_printf("<%s> like that", name);
        }
}

int device_find(const DomainDefinition *definition, const DeviceElement *element, Device *ret_device,
                Error *error)
{
        const DeviceInfo *wanted = device_info_of(element->kind, element->object);
        _cleanup_(freep) char *what = NULL;
        unsigned n_found = 0;

        for (uint32_t i = 0; i < device_count(definition, element->kind); i++) {
                const Device device = device_at(definition, element->kind, i);

                if (!is_meant(&device, element) || !is_at_its_place(device.info, wanted))
                        continue;
                *ret_device = device;
                n_found++;
        }
        if (n_found == 1)
                return 0;
        what = describe(element);
        if (n_found > 1)
                return error_set(
                        error, ERROR_INVALID_ARGUMENT,
                        "Domain '%s' has %u of that description: %s; its alias or address says which",
                        definition->name, n_found, what);
        return error_set(error, ERROR_NO_DEVICE,
                         "No such device: the configuration of domain '%s' has no %s%s", definition->name,
                         what,
                         wanted->alias || device_address_is_assigned(&wanted->address)
                                 ? " with that alias and address"
                                 : "");
}

typedef struct AliasSearch {
        const char *alias;
        Device device;
} AliasSearch;

static int has_alias(const Device *device, void *data)
{
        AliasSearch *search = data;

        search->device = *device;
        return g_strcmp0(device->info->alias, search->alias) == 0;
}

int device_find_alias(const DomainDefinition *definition, const char *alias, Device *ret_device,
                      Error *error)
{
        AliasSearch search = { .alias = alias };

        if (device_foreach((DomainDefinition *)definition, has_alias, &search) == 0)
                return error_set(error, ERROR_NO_DEVICE, "Domain '%s' has no device with the alias '%s'",
                                 definition->name, alias);
        *ret_device = search.device;
        return 0;
}

static int check_free(const DomainDefinition *definition, const DeviceElement *element, Error *error)
{
        const DeviceInfo *info = device_info_of(element->kind, element->object);
        Device other;

        if (info->alias && device_find_alias(definition, info->alias, &other, NULL) >= 0)
                return error_set(error, ERROR_EXISTS, "Domain '%s' has a device with the alias '%s' already",
                                 definition->name, info->alias);
        if (device_kind_is_single(element->kind) && device_count(definition, element->kind) > 0)
                return error_set(error, ERROR_EXISTS, "Domain '%s' has its only <%s> already",
                                 definition->name, device_kind_to_string(element->kind));
        for (uint32_t i = 0; i < device_count(definition, element->kind); i++) {
                bool has_name =
                        element->kind == DEVICE_DISK || element->kind == DEVICE_INTERFACE ||
                        element->kind == DEVICE_FILESYSTEM ||
                        (element->kind == DEVICE_CONTROLLER &&
                         ((DomainController *)element->object)->has_index) ||
                        (element->kind == DEVICE_CHANNEL && ((DomainChannel *)element->object)->name);
                _cleanup_(freep) char *what = NULL;

                other = device_at(definition, element->kind, i);
                if (!has_name || !is_meant(&other, element) ||
                    (element->kind == DEVICE_INTERFACE && !((DomainInterface *)element->object)->mac[0]))
                        continue;
                what = describe(element);
                return error_set(error, ERROR_EXISTS, "Domain '%s' has a %s already", definition->name,
                                 what);
        }
        return 0;
}

/* Where there are no cells, nobody else counts. */
static void count_memory(DomainDefinition *definition, const DomainMemory *memory, bool is_added)
{
        bool is_all = definition->current_memory_kib == definition->memory_kib;
        uint64_t size_kib = memory->size_kib;

        definition->memory_kib += is_added ? size_kib : -MIN(size_kib, definition->memory_kib);
        if (is_all || definition->current_memory_kib > definition->memory_kib)
                definition->current_memory_kib = definition->memory_kib;
}

int definition_add_device(DomainDefinition *definition, DeviceElement *element, Device *ret_device,
                          Error *error)
{
        DeviceKind kind = element->kind;
        void *object = element->object;
        int r = check_free(definition, element, error);

        if (r < 0)
                return r;
        device_insert(definition, kind, device_count(definition, kind), TAKE_PTR(element->object));
        if (kind == DEVICE_MEMORY)
                count_memory(definition, object, true);
        r = domain_definition_complete(definition, error);
        for (uint32_t i = 0; r >= 0 && i < device_count(definition, kind); i++) {
                const Device device = device_at(definition, kind, i);

                if (device.object == object && ret_device)
                        *ret_device = device;
        }
        return r;
}

typedef struct Dependency {
        const DomainController *controller;
        const Device *user;
        Device found;
} Dependency;

/* Which type of controller an address is on. */
static ControllerType bus_of(const Device *device)
{
        switch (device->info->address.type) {
        case ADDRESS_PCI:
                return CONTROLLER_TYPE_PCI;
        case ADDRESS_VIRTIO_SERIAL:
                return CONTROLLER_TYPE_VIRTIO_SERIAL;
        case ADDRESS_CCID:
                return CONTROLLER_TYPE_CCID;
        case ADDRESS_USB:
                return CONTROLLER_TYPE_USB;
        case ADDRESS_DRIVE:
                if (device->kind != DEVICE_DISK)
                        return CONTROLLER_TYPE_SCSI;
                switch (((const DomainDisk *)device->object)->bus) {
                case DISK_BUS_IDE:
                        return CONTROLLER_TYPE_IDE;
                case DISK_BUS_SATA:
                        return CONTROLLER_TYPE_SATA;
                case DISK_BUS_FDC:
                        return CONTROLLER_TYPE_FDC;
                default:
                        return CONTROLLER_TYPE_SCSI;
                }
        default:
                return CONTROLLER_TYPE_ABSENT;
        }
}

static int sits_on(const Device *device, void *data)
{
        Dependency *dependency = data;
        const DeviceAddress *address = &device->info->address;
        uint32_t index = address->type == ADDRESS_PCI || address->type == ADDRESS_USB ? address->bus
                                                                                      : address->controller;

        if (device->object == dependency->controller || bus_of(device) != dependency->controller->type ||
            index != dependency->controller->index)
                return 0;
        dependency->found = *device;
        return 1;
}

int definition_remove_device(DomainDefinition *definition, const Device *device, Error *error)
{
        Dependency dependency = { .controller = device->object };
        void *object;

        if (device->kind == DEVICE_CONTROLLER && device_foreach(definition, sits_on, &dependency) > 0)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "Controller %u of type '%s' is in use: a <%s> is on it",
                                 dependency.controller->index,
                                 controller_type_to_string(dependency.controller->type),
                                 device_kind_to_string(dependency.found.kind));
        object = device_take(definition, device->kind, device->position);
        if (device->kind == DEVICE_MEMORY)
                count_memory(definition, object, false);
        struct_free(device_kind_type(device->kind), object);
        return 0;
}

/* Names and places of the old one, for what the new one does not say. */
static void inherit(DeviceInfo *info, const DeviceInfo *old)
{
        if (!info->alias)
                info->alias = g_strdup(old->alias);
        if (!device_address_is_assigned(&info->address)) {
                g_free(info->address.port);
                info->address = old->address;
                info->address.port = g_strdup(old->address.port);
        }
}

int definition_replace_device(DomainDefinition *definition, const Device *device, DeviceElement *element,
                              Error *error)
{
        void *old = device_take(definition, device->kind, device->position);

        if (device->kind == DEVICE_DISK && ((DomainDisk *)element->object)->bus == DISK_BUS_ABSENT)
                ((DomainDisk *)element->object)->bus = ((DomainDisk *)old)->bus;
        if (device->kind != DEVICE_DISK || ((DomainDisk *)element->object)->bus == ((DomainDisk *)old)->bus)
                inherit(device_info_of(element->kind, element->object), device->info);
        if (device->kind == DEVICE_MEMORY) {
                count_memory(definition, old, false);
                count_memory(definition, element->object, true);
        }
        struct_free(device_kind_type(device->kind), old);
        device_insert(definition, device->kind, device->position, TAKE_PTR(element->object));
        return domain_definition_complete(definition, error);
}
