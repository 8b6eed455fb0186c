/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Devices against the machine type: what no QEMU could build together, whichever version it is. */

#include "model/board.h"
#include "model/complete.h"
#include "model/device-list.h"

static int check_controllers(const DomainDefinition *definition, Error *error)
{
        BoardFamily family = board_family(definition);

        LIST_FOREACH (controller, definition->devices.controllers) {
                if (controller->type == CONTROLLER_TYPE_IDE && family == BOARD_Q35)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "Machines of type 'q35' have no IDE: use SATA");
                if (controller->type == CONTROLLER_TYPE_IDE && family == BOARD_I440FX &&
                    controller->index > 0)
                        return error_set(
                                error, ERROR_CONFIG_UNSUPPORTED,
                                "Machines of type 'pc' have one IDE controller, 0, with four places");
                if (controller->type == CONTROLLER_TYPE_FDC && controller->index > 0)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "A machine has one floppy controller, 0, with two drives");
                if (controller->type == CONTROLLER_TYPE_USB && controller->has_ports &&
                    controller->ports > 15)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "USB controllers have up to 15 ports, not %u", controller->ports);
        }
        return 0;
}

static bool has_graphics(const DomainDefinition *definition, uint64_t types)
{
        LIST_FOREACH (graphics, definition->devices.graphics)
                if ((BIT(graphics->type) & types) != 0)
                        return true;
        return false;
}

static int check_graphics(const DomainDefinition *definition, Error *error)
{
        const uint64_t remote = BIT(GRAPHICS_TYPE_VNC) | BIT(GRAPHICS_TYPE_SPICE);
        unsigned n_gl = 0;

        LIST_FOREACH (graphics, definition->devices.graphics)
                n_gl += graphics->gl == YES || graphics->type == GRAPHICS_TYPE_EGL_HEADLESS;
        if (has_graphics(definition, BIT(GRAPHICS_TYPE_EGL_HEADLESS)) && !has_graphics(definition, remote))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Graphics of type 'egl-headless' shows nothing without 'vnc' or 'spice'");
        if (n_gl > 1)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "Only one graphics can use OpenGL");
        LIST_FOREACH (hostdev, definition->devices.hostdevs)
                if (hostdev->display == ON && definition->devices.graphics.count == 0)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "A host device with display='on' needs a graphics element");
        return 0;
}

static int check_iommu(const DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (iommu, definition->devices.iommus) {
                if (iommu->model == IOMMU_INTEL && board_family(definition) != BOARD_Q35)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "Only machines of type 'q35' have an IOMMU of model 'intel'");
                if (iommu->model == IOMMU_SMMUV3 && board_family(definition) != BOARD_VIRT)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "Only machines of type 'virt' have an IOMMU of model 'smmuv3'");
                if (iommu->model == IOMMU_VIRTIO && !definition->features.acpi)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "An IOMMU of model 'virtio' needs ACPI");
                if (iommu->eim == ON && iommu->intremap != ON)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED, "eim of an IOMMU needs intremap");
        }
        return 0;
}

static int check_serials(const DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (serial, definition->devices.serials) {
                bool is_foreign = serial->target == SERIAL_TARGET_SPAPR_VIO ||
                                  serial->target == SERIAL_TARGET_SCLP ||
                                  serial->target == SERIAL_TARGET_SYSTEM;
                if (board_is_x86(definition) && is_foreign)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "Machines of this architecture have no serial ports '%s'",
                                         serial_target_to_string(serial->target));
        }
        return 0;
}

/* What happens when one of them bites is the machine's, not its own. */
static int check_watchdogs(const DomainDefinition *definition, Error *error)
{
        const DomainWatchdog *first =
                definition->devices.watchdogs.count > 0 ? definition->devices.watchdogs.items[0] : NULL;

        LIST_FOREACH (watchdog, definition->devices.watchdogs)
                if (watchdog->action != first->action)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "All watchdogs of a machine have one action: '%s' and '%s' are two",
                                         watchdog_action_to_string(first->action),
                                         watchdog_action_to_string(watchdog->action));
        return 0;
}

static int has_zpci(const Device *device, void *userdata _unused_)
{
        return device->info->address.has_zpci_uid || device->info->address.has_zpci_fid;
}

static int check_zpci(const DomainDefinition *definition, Error *error)
{
        bool is_s390 = g_strcmp0(definition->os.arch, "s390x") == 0;

        /* The visitor only reads. */
        if (!is_s390 && device_foreach((DomainDefinition *)definition, has_zpci, NULL) > 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Only machines of the architecture 's390x' have zPCI addresses");
        return 0;
}

int domain_definition_validate_machine(const DomainDefinition *definition, Error *error)
{
        static int (*const checks[])(const DomainDefinition *, Error *) = {
                check_controllers, check_graphics, check_iommu, check_serials, check_watchdogs, check_zpci,
        };

        if (!board_is_qemu(definition))
                return 0;
        for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++) {
                int r = checks[i](definition, error);
                if (r < 0)
                        return r;
        }
        return 0;
}
