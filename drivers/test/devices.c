/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes or goes is found, completed and checked by the same code as the QEMU driver's
 * (model/device-change.h). A guest that is none lets go at once, and sees no difference that would have to
 * be refused. */

#include "drivers/test/devices.h"
#include "drivers/test/addresses.h"
#include "drivers/test/change.h"
#include "drivers/test/machine.h"
#include "model/device-change.h"
#include <string.h>

enum { UPDATE_FORCE = 1 << 2 }; /* virDomainDeviceModifyFlags */

typedef struct DeviceChange {
        const char *operation, *signal; /* which tells of the running machine's device; NULL: nothing does */
        uint32_t known;                 /* flags of its own */
        unsigned parse_flags;
        /* Takes the object out of the element if the definition gets it. `ret_device` is where it is now, or
         * is not set. */
        int (*apply)(DomainDefinition *definition, DeviceElement *element, Device *ret_device, Error *error);
} DeviceChange;

static int detach(DomainDefinition *definition, DeviceElement *element, Device *ret_device, Error *error)
{
        int r = device_find(definition, element, ret_device, error);

        return r < 0 ? r : definition_remove_device(definition, ret_device, error);
}

static int replace(DomainDefinition *definition, DeviceElement *element, Device *ret_device, Error *error)
{
        int r = device_find(definition, element, ret_device, error);

        return r < 0 ? r : definition_replace_device(definition, ret_device, element, error);
}

static const DeviceChange attaching = {
        .operation = "AttachDevice",
        .signal = "DeviceAdded",
        .parse_flags = DEFINITION_INACTIVE,
        .apply = definition_add_device,
};
static const DeviceChange detaching = {
        .operation = "DetachDevice",
        .signal = "DeviceRemoved",
        .parse_flags = DEFINITION_WANTED,
        .apply = detach,
};
static const DeviceChange updating = {
        .operation = "UpdateDevice",
        .known = UPDATE_FORCE,
        .parse_flags = DEFINITION_INACTIVE,
        .apply = replace,
};

/* Both get one MAC address, also if nobody has said which. */
static void share_identity(const Device *device, DeviceElement *element)
{
        if (device->kind == DEVICE_INTERFACE)
                memcpy(((DomainInterface *)element->object)->mac, ((DomainInterface *)device->object)->mac,
                       sizeof((DomainInterface *)NULL)->mac);
}

static int apply_kept(const DeviceChange *what, DomainDefinition *kept, const char *xml, DeviceElement *live,
                      Error *error)
{
        _cleanup_(device_element_clear) DeviceElement element = {};
        Device device;
        int r = device_element_parse(xml, what->parse_flags | DEFINITION_INACTIVE, &element, error);

        if (r >= 0)
                r = what->apply(kept, &element, &device, error);
        if (r >= 0 && what == &attaching)
                share_identity(&device, live);
        return r;
}

/* The alias is what the signal names; the caller frees. */
static int apply_live(const DeviceChange *what, const Domain *domain, DomainDefinition *live,
                      DeviceElement *element, char **ret_alias, Error *error)
{
        Device device;
        int r;

        if (what != &attaching) {
                r = device_find(domain->live, element, &device, error);
                if (r >= 0)
                        *ret_alias = g_strdup(device.info->alias);
                return r < 0 ? r : what->apply(live, element, &device, error);
        }
        r = what->apply(live, element, &device, error);
        if (r < 0)
                return r;
        domain_definition_assign_aliases(live);
        *ret_alias = g_strdup(device.info->alias);
        return 0;
}

static int change_device(Domain *domain, const DeviceChange *what, const char *xml, uint32_t flags,
                         Error *error)
{
        _cleanup_(device_element_clear) DeviceElement element = {};
        _cleanup_(change_clear) Change change = {};
        _cleanup_(freep) char *alias = NULL;
        int r = change_begin(&change, domain, what->operation, &flags, what->known, error);

        if (r >= 0)
                r = device_element_parse(xml, what->parse_flags, &element, error);
        if (r >= 0 && change.kept)
                r = apply_kept(what, change.kept, xml, &element, error);
        if (r >= 0 && change.live)
                r = apply_live(what, domain, change.live, &element, &alias, error);
        if (r < 0)
                return r;
        change_apply(&change, domain, "MemoryKiB", false); /* which memory devices change */
        if (domain_is_active(domain))
                addresses_follow(domain);
        if (what->signal && alias)
                machine_signal(domain, what->signal, g_variant_new("(s)", alias));
        return 0;
}

int test_domain_attach_device(Call *call, Domain *domain, const char *xml, uint32_t flags, Error *error)
{
        (void)call;
        return change_device(domain, &attaching, xml, flags, error);
}

int test_domain_detach_device(Call *call, Domain *domain, const char *xml, uint32_t flags, Error *error)
{
        (void)call;
        return change_device(domain, &detaching, xml, flags, error);
}

int test_domain_update_device(Call *call, Domain *domain, const char *xml, uint32_t flags, Error *error)
{
        (void)call;
        return change_device(domain, &updating, xml, flags, error);
}

int test_domain_set_link(Call *call, Domain *domain, const char *alias, bool is_up, Error *error)
{
        Device device;
        int r = domain_check_active(domain, error);

        (void)call;
        if (r >= 0)
                r = device_find_alias(domain->live, alias, &device, error);
        if (r >= 0 && device.kind != DEVICE_INTERFACE)
                r = error_set(error, ERROR_NO_DEVICE, "The %s has no network interface with alias '%s'",
                              object_describe(&domain->object), alias);
        if (r >= 0)
                ((DomainInterface *)device.object)->link = is_up ? LINK_UP : LINK_DOWN;
        return r;
}
