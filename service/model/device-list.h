/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All devices of a machine, whatever their kind, in one fixed order: for rules that care only about what
 * devices share (addresses, aliases, boot order). */

#include "model/domain.h"

typedef enum DeviceKind {
        DEVICE_DISK,
        DEVICE_INTERFACE,
        DEVICE_SOUND,
        DEVICE_HOSTDEV,
        DEVICE_FILESYSTEM,
        DEVICE_CONTROLLER,
        DEVICE_SMARTCARD,
        DEVICE_SERIAL,
        DEVICE_PARALLEL,
        DEVICE_CHANNEL,
        DEVICE_CONSOLE,
        DEVICE_INPUT,
        DEVICE_WATCHDOG,
        DEVICE_MEMBALLOON,
        DEVICE_RNG,
        DEVICE_NVRAM,
        DEVICE_HUB,
        DEVICE_SHMEM,
        DEVICE_TPM,
        DEVICE_PANIC,
        DEVICE_REDIRDEV,
        DEVICE_VIDEO,
        DEVICE_MEMORY,
        DEVICE_IOMMU,
        DEVICE_VSOCK,
        DEVICE_CRYPTO,
        DEVICE_GRAPHICS,
        _DEVICE_KIND_MAX,
} DeviceKind;

typedef struct Device {
        DeviceKind kind;
        uint32_t position; /* among those of its kind */
        void *object;      /* DomainDisk, DomainInterface ... */
        DeviceInfo *info;
} Device;

/* The name of the element: "disk". */
const char *device_kind_to_string(DeviceKind kind);
int device_kind_from_string(const char *name); /* -EINVAL: there is no such element */
const StructType *device_kind_type(DeviceKind kind);
bool device_kind_is_single(DeviceKind kind); /* a machine has at most one */
DeviceInfo *device_info_of(DeviceKind kind, const void *object);

uint32_t device_count(const DomainDefinition *definition, DeviceKind kind);
Device device_at(const DomainDefinition *definition, DeviceKind kind, uint32_t position);
/* Takes the object over, which must be the only one if the kind is single. */
void device_insert(DomainDefinition *definition, DeviceKind kind, uint32_t position, void *object);
/* Takes it out without releasing it. */
void *device_take(DomainDefinition *definition, DeviceKind kind, uint32_t position);

/* Calls for each device, until one call returns something else than 0, which is returned. The visitor may
 * change the device but not the lists. */
typedef int (*DeviceVisitor)(const Device *device, void *userdata);
int device_foreach(DomainDefinition *definition, DeviceVisitor visitor, void *userdata);
/* The same for one kind only. */
int device_foreach_of(DomainDefinition *definition, DeviceKind kind, DeviceVisitor visitor, void *userdata);
