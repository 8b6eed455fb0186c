/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the model understands and this driver does not do yet, or never will: refused by name rather than
 * forgotten. Whoever teaches the driver one of these removes its line. */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"
#include <string.h>

static int refuse(const char *element, Error *error)
{
        return device_unsupported(error, "The QEMU driver has no <%s>", element);
}

static int check_devices(const DomainDevices *devices, Error *error)
{
        if (devices->leases.count > 0)
                return refuse("lease", error);              /* there is no lock manager */
        return devices->nvram ? refuse("nvram", error) : 0; /* of boards that are not x86 */
}

static int check_features(const DomainFeatures *features, Error *error)
{
        const struct {
                const char *element;
                bool is_given;
        } refusals[] = {
                { "privnet", features->privnet },
                { "hap", features->hap == OFF },
                { "hpt", features->hpt_resizing != HPT_RESIZING_ABSENT || features->has_hpt_maxpagesize },
                { "htm", features->htm != ON_OFF_ABSENT },
                { "nested-hv", features->nested_hv != ON_OFF_ABSENT },
                { "ccf-assist", features->ccf_assist != ON_OFF_ABSENT },
                { "async-teardown", features->async_teardown == ON },
                { "cfpc", features->cfpc != SAFE_CACHE_ABSENT },
                { "sbbc", features->sbbc != SAFE_CACHE_ABSENT },
                { "ibs", features->ibs != SAFE_INDIRECT_ABSENT },
                { "msrs", features->msrs_unknown != NULL },
                { "xen", features->xen != NULL },
                { "capabilities", features->capabilities != NULL ||
                                          features->capabilities_policy != CAPABILITIES_POLICY_ABSENT },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
                if (refusals[i].is_given)
                        return refuse(refusals[i].element, error);
        }
        return 0;
}

/* What the host would have to grant. */
static int check_tuning(const DomainDefinition *definition, Error *error)
{
        const CpuTune *tune = definition->cpu_tune;
        const struct {
                const char *element;
                bool is_given;
        } refusals[] = {
                { "cachetune", tune && tune->cachetunes.count > 0 },
                { "memorytune", tune && tune->memorytunes.count > 0 },
                { "numatune memory placement='auto'",
                  definition->numatune && definition->numatune->memory &&
                          definition->numatune->memory->placement == PLACEMENT_AUTO },
                { "vcpu placement='auto'", definition->vcpu_placement == PLACEMENT_AUTO },
                { "resource",
                  (definition->resource_partition &&
                   strcmp(definition->resource_partition, "/machine") != 0) || /* the usual one */
                          definition->fibrechannel_appid },
                { "idmap", definition->idmap_uids.count > 0 || definition->idmap_gids.count > 0 },
                { "on_lockfailure", definition->on_lockfailure != LOCK_FAILURE_DEFAULT },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
                if (refusals[i].is_given)
                        return refuse(refusals[i].element, error);
        }
        return 0;
}

static int check_labels(const DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (label, definition->seclabels) {
                /* "dynamic" leaves the choice to the driver. */
                if (label->type && strcmp(label->type, "none") != 0 && strcmp(label->type, "dynamic") != 0)
                        return device_unsupported(error, "The QEMU driver has no <seclabel type='%s'>",
                                                  label->type);
        }
        return 0;
}

int command_check(const DomainDefinition *definition, Error *error)
{
        const struct {
                const char *element;
                bool is_given;
        } refusals[] = {
                { "bootloader", definition->bootloader != NULL },
                { "keywrap", definition->keywrap_ciphers.count > 0 },
                { "init", definition->os.init != NULL },
                { "root", definition->os.root != NULL },
        };
        int r;

        if (definition->os.type != OS_TYPE_HVM)
                return device_unsupported(error, "The QEMU driver has no <os> of type '%s'",
                                          os_type_to_string(definition->os.type));
        for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
                if (refusals[i].is_given)
                        return refuse(refusals[i].element, error);
        }
        r = check_features(&definition->features, error);
        return r < 0 ? r : check_devices(&definition->devices, error);
}

int command_check_run(const DomainDefinition *definition, Error *error)
{
        int r = check_tuning(definition, error);

        return r < 0 ? r : check_labels(definition, error);
}
