/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Devices are read once, and again when something happens to them: one fiber at a time takes all that
 * happened meanwhile to a worker, and changes the objects by what comes back. */

#include "drivers/host/devices.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/worker.h"
#include "drivers/host/given.h"
#include "drivers/host/pci-bind.h"
#include "drivers/host/scan.h"
#include "drivers/host/sysfs.h"
#include "model/identity.h"
#include <string.h>

/* virConnectNodeDeviceEventLifecycle. */
enum {
        EVENT_CREATED = 0,
        EVENT_DELETED = 1,
};

#define FLAG_ACTIVE (UINT32_C(1) << 31)

struct DeviceState {
        Driver *driver;
        DeviceWatch *watch;
        GHashTable *by_path; /* in /sys, or name in memory -> Known, borrowed from the driver's table */
        GHashTable *pending; /* set of paths that something happened to */
        bool is_reading;
        bool is_open;
        Condition changed;
};

typedef struct Known {
        NodeDevice device;
        NodeDeviceDefinition *definition;
} Known;

static void known_free(Object *object)
{
        Known *known = (Known *)object;

        node_device_free(known->definition);
        g_free(known->device.parent);
        g_free(known->device.system_path);
        g_free(known->device.driver);
        g_free(known->device.wwnn);
        g_free(known->device.wwpn);
        g_strfreev(known->device.capabilities);
        object_done(object);
        g_free(known);
}

static NodeCapability *capability_of(const Known *known)
{
        return known->definition->capabilities.items[0]; /* describe.c gives each one */
}

/* virConnectListAllNodeDeviceFlags; both in the order of the types. */
static uint32_t flags_of(const NodeCapability *capability)
{
        static const uint8_t of_capability[] = {
                [NODE_SYSTEM] = 0,    [NODE_PCI] = 1,           [NODE_USB_DEVICE] = 2,  [NODE_USB] = 3,
                [NODE_NET] = 4,       [NODE_SCSI_HOST] = 5,     [NODE_SCSI_TARGET] = 6, [NODE_SCSI] = 7,
                [NODE_STORAGE] = 8,   [NODE_SCSI_GENERIC] = 11, [NODE_DRM] = 12,        [NODE_MDEV] = 14,
                [NODE_CCW] = 15,      [NODE_CSS] = 16,          [NODE_VDPA] = 17,       [NODE_AP_CARD] = 18,
                [NODE_AP_QUEUE] = 19, [NODE_AP_MATRIX] = 20,
        };
        uint32_t flags = FLAG_ACTIVE | UINT32_C(1) << of_capability[capability->type];

        LIST_FOREACH (feature, capability->features) {
                flags |= feature->type == FEATURE_FC_HOST      ? 1u << 9
                         : feature->type == FEATURE_VPORT_OPS  ? 1u << 10
                         : feature->type == FEATURE_MDEV_TYPES ? 1u << 13
                         : feature->type == FEATURE_VPD        ? 1u << 21
                                                               : 0;
        }
        return flags;
}

static char **capabilities_of(const NodeCapability *capability)
{
        char **names = g_new0(char *, capability->features.count + 2);
        unsigned n = 0;

        names[n++] = g_strdup(node_capability_type_to_string(capability->type));
        LIST_FOREACH (feature, capability->features)
                names[n++] = g_strdup(node_feature_type_to_string(feature->type));
        return names;
}

static bool set_text(char **member, const char *value)
{
        if (g_strcmp0(*member, value) == 0)
                return false;
        g_free(*member);
        *member = g_strdup(value);
        return true;
}

/* Takes the definition over. */
static void set_definition(Known *known, NodeDeviceDefinition *definition)
{
        NodeDevice *device = &known->device;
        char **capabilities = capabilities_of(definition->capabilities.items[0]);

        node_device_free(known->definition);
        known->definition = definition;
        device->flags = flags_of(capability_of(known));
        LIST_FOREACH (feature, capability_of(known)->features) {
                if (feature->type == FEATURE_FC_HOST) {
                        (void)set_text(&device->wwnn, feature->wwnn); /* no properties */
                        (void)set_text(&device->wwpn, feature->wwpn);
                }
        }
        if (set_text(&device->parent, definition->parent))
                object_changed(&device->object, "Parent");
        if (set_text(&device->driver, definition->driver ? definition->driver : ""))
                object_changed(&device->object, "Driver");
        if (!device->capabilities ||
            !g_strv_equal((const char *const *)device->capabilities, (const char *const *)capabilities)) {
                g_strfreev(device->capabilities);
                device->capabilities = TAKE_PTR(capabilities);
                object_changed(&device->object, "Capabilities");
        }
        g_strfreev(capabilities);
}

static void announce(const struct DeviceState *state, Object *object, int event)
{
        GVariant *arguments;

        if (!state->is_open)
                return;
        arguments = g_variant_ref_sink(g_variant_new("(ii)", event, 0));
        event_raise(
                state->driver->events, EVENT_RESOURCE_EVENT,
                &(ResourceEvent){ .object = object, .member = "NodeDeviceEvent", .arguments = arguments });
        g_variant_unref(arguments);
}

static void lose(struct DeviceState *state, const char *path)
{
        Known *known = g_hash_table_lookup(state->by_path, path);
        Object *object = &known->device.object;

        announce(state, object, EVENT_DELETED);
        object_ref(object);
        (void)g_hash_table_remove(state->by_path, path); /* it was found in it */
        object_table_remove(state->driver->objects, object);
        object_unref(object);
}

/* Takes the definition over. */
static void gain(struct DeviceState *state, const char *path, NodeDeviceDefinition *definition)
{
        Known *known = g_new0(Known, 1);
        Object *object = &known->device.object;

        object_init(object, OBJECT_NODE_DEVICE, state->driver, definition->name, definition->name, NULL, 0,
                    known_free);
        if (!state->driver->type->is_in_memory)
                known->device.system_path = g_strdup(*path ? path : NULL);
        set_definition(known, definition);
        if (object_table_add(state->driver->objects, object) < 0) {
                log_warning(object->path, "Two of the host's devices have one name: %s is left out", path);
        } else {
                g_hash_table_insert(state->by_path, g_strdup(path), known);
                announce(state, object, EVENT_CREATED);
        }
        object_unref(object);
}

static void apply(struct DeviceState *state, Found *found)
{
        Known *known = g_hash_table_lookup(state->by_path, found->path);

        /* One that is called otherwise now, a network device with another address, is another one. */
        if (known && (!found->definition || strcmp(known->definition->name, found->definition->name) != 0)) {
                lose(state, found->path);
                known = NULL;
        }
        if (!found->definition)
                return;
        if (known)
                set_definition(known, TAKE_PTR(found->definition));
        else
                gain(state, found->path, TAKE_PTR(found->definition));
}

static void read_pending(void *data)
{
        struct DeviceState *state = data;

        while (g_hash_table_size(state->pending) > 0 && !fiber_is_cancelled(fiber_current())) {
                _cleanup_(g_hash_table_unrefp) GHashTable *paths = state->pending;
                _cleanup_(g_ptr_array_unrefp) GPtrArray *found = NULL;

                state->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
                found = scan_paths(paths);
                for (unsigned i = 0; i < found->len; i++)
                        apply(state, found->pdata[i]);
                condition_wake_all(&state->changed);
        }
        state->is_reading = false;
}

/* Neighbours whose own description says something of it: the parent that has one mediated device more, the
 * physical function beside its virtual ones. */
static void mark_related(struct DeviceState *state, const char *path)
{
        _cleanup_(freep) char *folder = g_path_get_dirname(path);
        GHashTableIter at;
        void *other;

        if (g_hash_table_contains(state->by_path, folder))
                g_hash_table_add(state->pending, g_strdup(folder));
        g_hash_table_iter_init(&at, state->by_path);
        while (g_hash_table_iter_next(&at, &other, NULL)) {
                const Known *known = g_hash_table_lookup(state->by_path, other);

                if (capability_of(known)->type == NODE_PCI && g_str_has_prefix(other, folder) &&
                    !strchr((const char *)other + strlen(folder) + 1, '/'))
                        g_hash_table_add(state->pending, g_strdup(other));
        }
}

static void something_happened(const char *path, const char *action, void *data)
{
        struct DeviceState *state = data;
        bool is_pci = strstr(path, "/pci") != NULL;

        g_hash_table_add(state->pending, g_strdup(path));
        if (is_pci && (strcmp(action, "add") == 0 || strcmp(action, "remove") == 0))
                mark_related(state, path);
        if (state->is_reading || !state->is_open)
                return;
        state->is_reading = true;
        if (fiber_start("devices", read_pending, state) < 0) {
                state->is_reading = false; /* the next event tries again */
                log_warning(path, "Too much is going on to look at the device");
        }
}

static struct DeviceState *state_new(Driver *driver)
{
        struct DeviceState *state = g_new0(struct DeviceState, 1);

        state->driver = driver;
        state->by_path = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        state->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        driver->devices = state;
        return state;
}

int devices_open_in_memory(Driver *driver, const char *const *definitions, Error *error)
{
        struct DeviceState *state = state_new(driver);

        for (; *definitions; definitions++) {
                NodeDeviceDefinition *definition;
                int r = node_device_parse(*definitions, strlen(*definitions), &definition, error);

                if (r < 0)
                        return r;
                gain(state, definition->name, definition);
        }
        state->is_open = true;
        return 0;
}

void devices_open(Driver *driver)
{
        struct DeviceState *state = state_new(driver);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *found = NULL;
        _cleanup_(error_clear) Error deaf = {};

        /* Before they are read, so that nothing is lost between; machines run without it, too. */
        if (device_watch_open(something_happened, state, &state->watch, &deaf) < 0)
                log_error(NULL, "%s", deaf.message);
        found = scan_all();
        for (unsigned i = 0; i < found->len; i++)
                apply(state, found->pdata[i]);
        state->is_open = true;
}

void devices_close(Driver *driver)
{
        struct DeviceState *state = driver->devices;

        if (!state)
                return;
        device_watch_free(state->watch);
        g_hash_table_unref(state->by_path);
        g_hash_table_unref(state->pending);
        condition_clear(&state->changed);
        g_free(state);
        driver->devices = NULL;
}

int devices_get_xml_desc(Call *call, NodeDevice *device, uint32_t flags, char **ret_xml, Error *error)
{
        int r = error_check_flags(error, "GetXMLDesc", flags, 0);

        (void)call;
        if (r >= 0)
                *ret_xml = node_device_format(((Known *)device)->definition);
        return r;
}

int devices_describe(Call *call, NodeDevice *device, uint32_t flags, GVariant **ret_device, Error *error)
{
        int r = error_check_flags(error, "Describe", flags, 0);

        (void)call;
        if (r >= 0)
                *ret_device = g_variant_ref_sink(
                        struct_to_variant(&node_device_definition_type, ((Known *)device)->definition));
        return r;
}

int devices_list_caps(Call *call, NodeDevice *device, char ***ret_names, Error *error)
{
        (void)call, (void)error;
        *ret_names = g_strdupv(device->capabilities);
        return 0;
}

static Known *find_by_wwn(const struct DeviceState *state, const char *wwnn, const char *wwpn)
{
        GHashTableIter at;
        void *data;

        g_hash_table_iter_init(&at, state->by_path);
        while (g_hash_table_iter_next(&at, NULL, &data)) {
                Known *known = data;

                if (known->device.wwnn && known->device.wwpn &&
                    g_ascii_strcasecmp(known->device.wwnn, wwnn) == 0 &&
                    g_ascii_strcasecmp(known->device.wwpn, wwpn) == 0)
                        return known;
        }
        return NULL;
}

int devices_lookup_by_wwn(Call *call, const char *wwnn, const char *wwpn, uint32_t flags,
                          NodeDevice **ret_device, Error *error)
{
        int r = error_check_flags(error, "NodeDeviceLookupSCSIHostByWWN", flags, 0);
        Known *known = r < 0 ? NULL : find_by_wwn(call->driver->devices, wwnn, wwpn);

        if (r < 0)
                return r;
        if (!known)
                return error_set(error, ERROR_NO_NODE_DEVICE,
                                 "Node device not found: no fibre channel host with WWNN '%s' and WWPN '%s'",
                                 wwnn, wwpn);
        object_ref(&known->device.object);
        *ret_device = &known->device;
        return 0;
}

static int check_unused(const Driver *driver, const Known *known, Error *error)
{
        const NodeCapability *capability = capability_of(known);
        _cleanup_(freep) char *name =
                capability->type == NODE_MDEV
                        ? g_strdup(capability->uuid)
                        : device_address_to_string(&(DeviceAddress){ .type = ADDRESS_PCI,
                                                                     .domain = capability->domain,
                                                                     .bus = capability->bus,
                                                                     .slot = capability->slot,
                                                                     .function = capability->function });

        return given_check_free(driver, name, error);
}

static int check_pci(const Driver *driver, const Known *known, const char *what, Error *error)
{
        if (driver->type->is_in_memory)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "%s is a state in memory: no driver of the host has it, and it is not %s",
                                 known->device.object.name, what);
        if (capability_of(known)->type != NODE_PCI)
                return error_set(error, ERROR_NOT_SUPPORTED, "%s is no PCI device: only those are %s",
                                 known->device.object.name, what);
        return check_unused(driver, known, error);
}

static int check_driver_name(const char *name, Error *error)
{
        for (const char *c = name; *c; c++)
                if (!g_ascii_isalnum(*c) && *c != '-' && *c != '_')
                        return error_set(error, ERROR_INVALID_ARGUMENT, "'%s' is no name of a driver", name);
        return 0;
}

int devices_detach(Call *call, NodeDevice *device, const char *driver, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "Detach", flags, 0);

        if (!driver || !*driver || strcmp(driver, "vfio") == 0)
                driver = "vfio-pci";
        if (r >= 0)
                r = check_driver_name(driver, error);
        if (r >= 0)
                r = check_pci(call->driver, (Known *)device, "detached", error);
        if (r < 0)
                return r;
        r = pci_bind(device->system_path, driver, error);
        something_happened(device->system_path, "bind", call->driver->devices);
        return r;
}

int devices_re_attach(Call *call, NodeDevice *device, Error *error)
{
        int r = check_pci(call->driver, (Known *)device, "attached again", error);

        if (r < 0)
                return r;
        r = pci_release(device->system_path, error);
        something_happened(device->system_path, "bind", call->driver->devices);
        return r;
}

int devices_reset(Call *call, NodeDevice *device, Error *error)
{
        int r = check_pci(call->driver, (Known *)device, "reset", error);

        return r < 0 ? r : pci_reset(device->system_path, error);
}

/* One value for one file of /sys, written by a worker. */
typedef struct Writing {
        const char *folder, *file, *value;
} Writing;

static int write_step(void *data)
{
        const Writing *writing = data;

        return sysfs_write(writing->folder, writing->file, writing->value);
}

static int write_value(const char *folder, const char *file, const char *value, Error *error) AWAITS
{
        Writing writing = { folder, file, value };
        int r = worker_finish(write_step, &writing);

        return r < 0 ? error_set_errno(error, r, "Cannot write '%s' to %s/%s", value, folder, file) : 0;
}

static bool has_mdev_type(const Known *parent, const char *id)
{
        LIST_FOREACH (feature, capability_of(parent)->features) {
                LIST_FOREACH (type, feature->mdev_types) {
                        if (g_strcmp0(type->id, id) == 0)
                                return true;
                }
        }
        return false;
}

/* The device of that path, when it has come. */
static int await_path(Call *call, const char *path, Known **ret_known, Error *error) AWAITS
{
        struct DeviceState *state = call->driver->devices;
        Known *known;

        something_happened(path, "add", state);
        while (!(known = g_hash_table_lookup(state->by_path, path)))
                if (condition_wait(&state->changed, call->deadline_usec) < 0)
                        return error_set(error, ERROR_TIMED_OUT, "%s was made and does not come", path);
        *ret_known = known;
        return 0;
}

static int check_attributes(const NodeCapability *capability, Error *error)
{
        LIST_FOREACH (attribute, capability->attributes) {
                for (const char *c = attribute->name; *c; c++)
                        if (!g_ascii_isalnum(*c) && *c != '_' && *c != '-')
                                return error_set(
                                        error, ERROR_INVALID_XML,
                                        "<attr name='%s'>: letters, digits, '_' and '-' make a name",
                                        attribute->name);
        }
        return 0;
}

static int create_mdev(Call *call, const Known *parent, NodeCapability *capability, Known **ret_known,
                       Error *error) AWAITS
{
        _cleanup_(freep) char *parent_path = g_strdup(parent->device.system_path), *folder = NULL,
                              *path = NULL;
        int r = check_attributes(capability, error);

        if (r < 0)
                return r;
        if (!capability->mdev_type || !has_mdev_type(parent, capability->mdev_type))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "%s has no mediated devices of type '%s'",
                                 parent->device.object.name,
                                 capability->mdev_type ? capability->mdev_type : "");
        if (!capability->uuid[0])
                identity_make_uuid(capability->uuid);
        folder = g_build_filename(parent_path, "mdev_supported_types", capability->mdev_type, NULL);
        path = g_build_filename(parent_path, capability->uuid, NULL);
        r = write_value(folder, "create", capability->uuid, error);
        if (r < 0)
                return r;
        LIST_FOREACH (attribute, capability->attributes) {
                if (r >= 0)
                        r = write_value(path, attribute->name, attribute->value, error);
        }
        if (r < 0) {
                (void)write_value(path, "remove", "1", NULL); /* the failure is told */
                return r;
        }
        return await_path(call, path, ret_known, error);
}

static bool is_wwn(const char *text)
{
        return text && strlen(text) == 16 && strspn(text, "0123456789abcdefABCDEF") == 16;
}

/* In memory the kernel's part is ours: the number, and the name that follows from it. */
static Known *gain_vport(struct DeviceState *state, const Known *parent, NodeDeviceDefinition *definition)
{
        NodeCapability *capability = definition->capabilities.items[0];
        GHashTableIter at;
        void *data;

        capability->host = 0;
        g_hash_table_iter_init(&at, state->by_path);
        while (g_hash_table_iter_next(&at, NULL, &data))
                if (capability_of(data)->type == NODE_SCSI_HOST)
                        capability->host = MAX(capability->host, capability_of(data)->host + 1);
        g_free(definition->name);
        definition->name = g_strdup_printf("scsi_host%" PRIu32, capability->host);
        if (!definition->parent)
                definition->parent = g_strdup(parent->device.object.name);
        gain(state, definition->name, definition);
        return g_hash_table_lookup(state->by_path, definition->name);
}

static const char *fibre_folder(const Known *known, char **ret_folder)
{
        _cleanup_(freep) char *name = g_path_get_basename(known->device.system_path);

        *ret_folder = g_build_filename(known->device.system_path, "fc_host", name, NULL);
        return *ret_folder;
}

/* Takes the definition over if it uses it up. */
static int create_vport(Call *call, const Known *parent, NodeDeviceDefinition **definition,
                        Known **ret_known, Error *error) AWAITS
{
        struct DeviceState *state = call->driver->devices;
        const NodeCapability *capability = (*definition)->capabilities.items[0];
        const NodeFeature *fibre = capability->features.count > 0 ? capability->features.items[0] : NULL;
        _cleanup_(freep) char *folder = NULL, *names = NULL;
        int r;

        if (!fibre || fibre->type != FEATURE_FC_HOST || !is_wwn(fibre->wwnn) || !is_wwn(fibre->wwpn))
                return error_set(
                        error, ERROR_INVALID_XML,
                        "A virtual port needs <capability type='fc_host'> with <wwnn> and <wwpn> of "
                        "16 hexadecimal digits each");
        if (!(parent->device.flags & 1u << 10))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "%s can have no virtual ports",
                                 parent->device.object.name);
        if (find_by_wwn(state, fibre->wwnn, fibre->wwpn))
                return error_set(error, ERROR_EXISTS, "There is a host with WWPN '%s' already", fibre->wwpn);
        if (call->driver->type->is_in_memory) {
                *ret_known = gain_vport(state, parent, TAKE_PTR(*definition));
                return 0;
        }
        names = g_strdup_printf("%s:%s", fibre->wwpn, fibre->wwnn);
        r = write_value(fibre_folder(parent, &folder), "vport_create", names, error);
        while (r >= 0 && !(*ret_known = find_by_wwn(state, fibre->wwnn, fibre->wwpn)))
                if (condition_wait(&state->changed, call->deadline_usec) < 0)
                        return error_set(error, ERROR_TIMED_OUT,
                                         "The virtual port was made and does not come");
        return r;
}

static Known *find_parent(const Driver *driver, const NodeDeviceDefinition *definition)
{
        if (definition->parent)
                return (Known *)object_table_by_name(driver->objects, OBJECT_NODE_DEVICE, definition->parent,
                                                     0);
        if (definition->parent_wwnn && definition->parent_wwpn)
                return find_by_wwn(driver->devices, definition->parent_wwnn, definition->parent_wwpn);
        return NULL;
}

int devices_create_xml(Call *call, const char *xml, uint32_t flags, NodeDevice **ret_device, Error *error)
{
        _cleanup_(node_device_freep) NodeDeviceDefinition *definition = NULL;
        NodeCapability *capability;
        Known *parent, *known = NULL;
        int r = error_check_flags(error, "NodeDeviceCreateXML", flags, 0);

        if (r >= 0)
                r = node_device_parse(xml, strlen(xml), &definition, error);
        if (r < 0)
                return r;
        capability = definition->capabilities.items[0];
        if (capability->type != NODE_MDEV && capability->type != NODE_SCSI_HOST)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "A device of type '%s' cannot be made: mdev and scsi_host can",
                                 node_capability_type_to_string(capability->type));
        parent = find_parent(call->driver, definition);
        if (!parent || (!parent->device.system_path && !call->driver->type->is_in_memory))
                return error_set(error, ERROR_NO_NODE_DEVICE,
                                 "Node device not found: no parent '%s' that something could be made on",
                                 definition->parent ? definition->parent : "");
        r = capability->type == NODE_MDEV ? create_mdev(call, parent, capability, &known, error)
                                          : create_vport(call, parent, &definition, &known, error);
        if (r < 0)
                return r;
        object_ref(&known->device.object);
        *ret_device = &known->device;
        return 0;
}

static int destroy_vport(Call *call, const Known *known, Error *error) AWAITS
{
        const Known *parent = find_parent(call->driver, known->definition);
        _cleanup_(freep) char *folder = NULL, *names = NULL;

        /* A port of its own hangs on a card, a virtual one on a port. */
        if (!parent || !(parent->device.flags & 1u << 10) || !known->device.wwnn || !known->device.wwpn)
                return error_set(error, ERROR_OPERATION_INVALID, "%s is no virtual port",
                                 known->device.object.name);
        if (call->driver->type->is_in_memory) {
                lose(call->driver->devices, known->device.object.name);
                return 0;
        }
        names = g_strdup_printf("%s:%s", known->device.wwpn, known->device.wwnn);
        return write_value(fibre_folder(parent, &folder), "vport_delete", names, error);
}

int devices_destroy(Call *call, NodeDevice *device, Error *error)
{
        const Known *known = (Known *)device;
        NodeCapabilityType type = capability_of(known)->type;
        int r;

        if (type == NODE_SCSI_HOST)
                return destroy_vport(call, known, error);
        if (type != NODE_MDEV)
                return error_set(error, ERROR_OPERATION_INVALID, "%s is a real device: it cannot be removed",
                                 device->object.name);
        r = check_unused(call->driver, known, error);
        if (r >= 0)
                r = write_value(device->system_path, "remove", "1", error);
        if (r >= 0)
                something_happened(device->system_path, "remove", call->driver->devices);
        return r;
}
