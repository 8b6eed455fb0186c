/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The devices with so little to say that a file for each would be longer than they: inputs, the balloon,
 * random numbers, watchdogs, hubs, panic notifiers, IOMMUs, sockets to the host, leases, crypto. */

#include "model/domain/misc.h"

DEFINE_ENUM(input_type, INPUT_TYPES);
DEFINE_ENUM(input_bus, INPUT_BUSES);
DEFINE_ENUM(input_grab, INPUT_GRABS);
DEFINE_ENUM(input_grab_toggle, INPUT_GRAB_TOGGLES);
DEFINE_ENUM(virtio_model, VIRTIO_MODELS);
DEFINE_ENUM(memballoon_model, MEMBALLOON_MODELS);
DEFINE_ENUM(rng_backend, RNG_BACKENDS);
DEFINE_ENUM(watchdog_model, WATCHDOG_MODELS);
DEFINE_ENUM(watchdog_action, WATCHDOG_ACTIONS);
DEFINE_ENUM(panic_model, PANIC_MODELS);
DEFINE_ENUM(iommu_model, IOMMU_MODELS);
DEFINE_ENUM(crypto_backend, CRYPTO_BACKENDS);

#define THIS DomainInput
static const Field domain_input_fields[] = {
        ENUM("@type", type, input_type, .flags = FIELD_REQUIRED),
        ENUM("@bus", bus, input_bus),
        ENUM("@model", model, virtio_model),
        INLINE("driver", virtio, virtio_options),
        STRING("source/@evdev", evdev, WHEN(type, BIT(INPUT_TYPE_PASSTHROUGH))),
        STRING("source/@dev", dev, WHEN(type, BIT(INPUT_TYPE_EVDEV))),
        ENUM("source/@grab", grab, input_grab, WHEN(type, BIT(INPUT_TYPE_EVDEV))),
        ENUM("source/@grabToggle", grab_toggle, input_grab_toggle, WHEN(type, BIT(INPUT_TYPE_EVDEV))),
        ONOFF("source/@repeat", repeat, WHEN(type, BIT(INPUT_TYPE_EVDEV))),
        INLINE("", info, device_info),
};
#undef THIS

static int check_input(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        const DomainInput *input = object;

        if (input->bus == INPUT_BUS_PS2 && input->type != INPUT_TYPE_MOUSE &&
            input->type != INPUT_TYPE_KEYBOARD)
                return error_set(error, ERROR_INVALID_XML, "There is no input device '%s' at the bus 'ps2'",
                                 input_type_to_string(input->type));
        if (input->type == INPUT_TYPE_PASSTHROUGH && (input->bus != INPUT_BUS_VIRTIO || !input->evdev))
                return error_set(error, ERROR_INVALID_XML,
                                 "An input device 'passthrough' needs the bus 'virtio' and source/@evdev");
        if (input->type == INPUT_TYPE_EVDEV && !input->dev)
                return error_set(error, ERROR_INVALID_XML, "An input device 'evdev' needs source/@dev");
        if (input->model != VIRTIO_MODEL_ABSENT && input->bus != INPUT_BUS_VIRTIO)
                return error_set(error, ERROR_INVALID_XML,
                                 "Only input devices at the bus 'virtio' have a model '%s'",
                                 virtio_model_to_string(input->model));
        if (input->model > VIRTIO_MODEL_VIRTIO && input->type != INPUT_TYPE_PASSTHROUGH)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "An input device '%s' has no model '%s'",
                                 input_type_to_string(input->type), virtio_model_to_string(input->model));
        return 0;
}
DEFINE_STRUCT(domain_input, DomainInput, .check = check_input);

#define THIS DomainMemballoon
static const Field domain_memballoon_fields[] = {
        ENUM("@model", model, memballoon_model, .flags = FIELD_REQUIRED),
        ONOFF("@autodeflate", autodeflate),
        ONOFF("@freePageReporting", free_page_reporting),
        UNSIGNED("stats/@period", stats_period_sec, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        INLINE("driver", virtio, virtio_options),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_memballoon, DomainMemballoon);

#define THIS DomainRng
static const Field domain_rng_fields[] = {
        ENUM("@model", model, virtio_model, .flags = FIELD_REQUIRED),
        UNSIGNED("rate/@bytes", rate_bytes, .flags = FIELD_NO_ABI),
        UNSIGNED("rate/@period", rate_period_msec, .flags = FIELD_NO_ABI),
        ENUM("backend/@model", backend, rng_backend, .flags = FIELD_NO_ABI | FIELD_REQUIRED),
        INLINE("backend", source, chardev_source, WHEN(backend, BIT(RNG_EGD)), .flags = FIELD_NO_ABI),
        STRING("backend/.", device, WHEN(backend, BIT(RNG_RANDOM)), .flags = FIELD_NO_ABI),
        INLINE("driver", virtio, virtio_options),
        INLINE("", info, device_info),
};
#undef THIS

static int check_rng(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        DomainRng *rng = object;

        if (rng->rate_period_msec > 0 && rng->rate_bytes == 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "The rate of a random number generator lacks its bytes");
        if (rng->backend == RNG_EGD && rng->source.type == CHARDEV_TYPE_ABSENT)
                return error_set(
                        error, ERROR_INVALID_XML,
                        "A random number generator with the backend 'egd' needs the backend's type");
        if (rng->backend == RNG_EGD && rng->source.type == CHARDEV_TYPE_UNIX && !rng->source.path)
                return error_set(error, ERROR_INVALID_XML,
                                 "A random number generator with a socket needs the socket's path");
        if (rng->backend == RNG_RANDOM && !rng->device)
                rng->device = g_strdup("/dev/random");
        return 0;
}
DEFINE_STRUCT(domain_rng, DomainRng, .check = check_rng);

#define THIS DomainWatchdog
static const Field domain_watchdog_fields[] = {
        ENUM("@model", model, watchdog_model, .flags = FIELD_REQUIRED),
        ENUM("@action", action, watchdog_action, .initial = WATCHDOG_RESET,
             .flags = FIELD_NO_ABI | FIELD_ALWAYS),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_watchdog, DomainWatchdog);

#define THIS DomainHub
static const Field domain_hub_fields[] = {
        STRING("@type", type, .flags = FIELD_REQUIRED),
        INLINE("", info, device_info),
};
#undef THIS

static int check_hub(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        const DomainHub *hub = object;

        if (!g_str_equal(hub->type, "usb"))
                return error_set(error, ERROR_INVALID_XML, "There are no hubs of type '%s', only of 'usb'",
                                 hub->type);
        return 0;
}
DEFINE_STRUCT(domain_hub, DomainHub, .check = check_hub);

#define THIS DomainPanic
static const Field domain_panic_fields[] = {
        ENUM("@model", model, panic_model),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_panic, DomainPanic);

#define THIS DomainIommu
static const Field domain_iommu_fields[] = {
        ENUM("@model", model, iommu_model, .flags = FIELD_REQUIRED),
        ONOFF("driver/@intremap", intremap),
        ONOFF("driver/@caching_mode", caching_mode),
        ONOFF("driver/@eim", eim),
        ONOFF("driver/@iotlb", iotlb),
        UNSIGNED("driver/@aw_bits", aw_bits),
        INLINE("", info, device_info),
};
#undef THIS

static int check_iommu(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        const DomainIommu *iommu = object;
        bool has_driver = iommu->intremap != ON_OFF_ABSENT || iommu->caching_mode != ON_OFF_ABSENT ||
                          iommu->eim != ON_OFF_ABSENT || iommu->iotlb != ON_OFF_ABSENT || iommu->aw_bits > 0;

        if (has_driver && iommu->model != IOMMU_INTEL)
                return error_set(error, ERROR_INVALID_XML, "An IOMMU of model '%s' has no driver options",
                                 iommu_model_to_string(iommu->model));
        if (iommu->model != IOMMU_VIRTIO && iommu->info.address.type != ADDRESS_NONE)
                return error_set(error, ERROR_INVALID_XML, "An IOMMU of model '%s' has no address",
                                 iommu_model_to_string(iommu->model));
        return 0;
}
DEFINE_STRUCT(domain_iommu, DomainIommu, .check = check_iommu);

#define THIS DomainVsock
static const Field domain_vsock_fields[] = {
        ENUM("@model", model, virtio_model), YESNO("cid/@auto", cid_auto),
        UNSIGNED("cid/@address", cid),       INLINE("driver", virtio, virtio_options),
        INLINE("", info, device_info),
};
#undef THIS

static int check_vsock(void *object, const XmlNode *node _unused_, unsigned flags, Error *error)
{
        DomainVsock *vsock = object;

        /* 0 to 2 are the hypervisor's, reserved and the host's. */
        if (vsock->cid > 0 && vsock->cid < 3)
                return error_set(error, ERROR_INVALID_XML, "The address %u of a vsock is not for guests",
                                 vsock->cid);
        if (vsock->cid_auto == YES_NO_ABSENT)
                vsock->cid_auto = vsock->cid > 0 ? NO : YES;
        if (vsock->cid_auto == NO && vsock->cid == 0)
                return error_set(error, ERROR_INVALID_XML, "A vsock needs an address, or cid/@auto='yes'");
        if (vsock->cid_auto == YES && (flags & DEFINITION_INACTIVE) != 0)
                vsock->cid = 0;
        return 0;
}
DEFINE_STRUCT(domain_vsock, DomainVsock, .check = check_vsock);

#define THIS DomainNvram
static const Field domain_nvram_fields[] = {
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_nvram, DomainNvram);

#define THIS DomainLease
static const Field domain_lease_fields[] = {
        STRING("lockspace", lockspace),
        STRING("key", key, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        STRING("target/@path", target_path, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        UNSIGNED("target/@offset", target_offset),
};
#undef THIS
DEFINE_STRUCT(domain_lease, DomainLease);

#define THIS DomainCrypto
static const Field domain_crypto_fields[] = {
        ENUM("@model", model, virtio_model, .flags = FIELD_REQUIRED),
        STRING("@type", type, .flags = FIELD_REQUIRED),
        ENUM("backend/@model", backend, crypto_backend, .flags = FIELD_REQUIRED),
        UNSIGNED("backend/@queues", queues),
        INLINE("driver", virtio, virtio_options),
        INLINE("", info, device_info),
};
#undef THIS

static int check_crypto(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        const DomainCrypto *crypto = object;

        if (!g_str_equal(crypto->type, "qemu"))
                return error_set(error, ERROR_INVALID_XML,
                                 "There are no crypto devices of type '%s', only of 'qemu'", crypto->type);
        return 0;
}
DEFINE_STRUCT(domain_crypto, DomainCrypto, .check = check_crypto);
