/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the devices of each kind stand in DomainDevices, and where each keeps its DeviceInfo. Completion and
 * validation walk over all devices through this. */

#include "model/device-list.h"
#include <errno.h>

typedef struct DeviceKindRow {
        const char *name;
        const StructType *type;
        uint32_t offset, info_offset;
        bool is_single; /* a pointer instead of a list */
} DeviceKindRow;

#define MANY(kind, element, member, Type)                                                                   \
        [kind] = { .name = #element,                                                                        \
                   .type = &domain_##element##_type,                                                        \
                   .offset = offsetof(DomainDevices, member),                                               \
                   .info_offset = offsetof(Type, info) }
#define ONE(kind, element, member, Type)                                                                    \
        [kind] = { .name = #element,                                                                        \
                   .type = &domain_##element##_type,                                                        \
                   .offset = offsetof(DomainDevices, member),                                               \
                   .info_offset = offsetof(Type, info),                                                     \
                   .is_single = true }

static const DeviceKindRow kinds[_DEVICE_KIND_MAX] = {
        MANY(DEVICE_DISK, disk, disks, DomainDisk),
        MANY(DEVICE_INTERFACE, interface, interfaces, DomainInterface),
        MANY(DEVICE_SOUND, sound, sounds, DomainSound),
        MANY(DEVICE_HOSTDEV, hostdev, hostdevs, DomainHostdev),
        MANY(DEVICE_FILESYSTEM, filesystem, filesystems, DomainFilesystem),
        MANY(DEVICE_CONTROLLER, controller, controllers, DomainController),
        MANY(DEVICE_SMARTCARD, smartcard, smartcards, DomainSmartcard),
        MANY(DEVICE_SERIAL, serial, serials, DomainSerial),
        MANY(DEVICE_PARALLEL, parallel, parallels, DomainParallel),
        MANY(DEVICE_CHANNEL, channel, channels, DomainChannel),
        MANY(DEVICE_CONSOLE, console, consoles, DomainConsole),
        MANY(DEVICE_INPUT, input, inputs, DomainInput),
        MANY(DEVICE_WATCHDOG, watchdog, watchdogs, DomainWatchdog),
        ONE(DEVICE_MEMBALLOON, memballoon, memballoon, DomainMemballoon),
        MANY(DEVICE_RNG, rng, rngs, DomainRng),
        ONE(DEVICE_NVRAM, nvram, nvram, DomainNvram),
        MANY(DEVICE_HUB, hub, hubs, DomainHub),
        MANY(DEVICE_SHMEM, shmem, shmems, DomainShmem),
        MANY(DEVICE_TPM, tpm, tpms, DomainTpm),
        MANY(DEVICE_PANIC, panic, panics, DomainPanic),
        MANY(DEVICE_REDIRDEV, redirdev, redirdevs, DomainRedirdev),
        MANY(DEVICE_VIDEO, video, videos, DomainVideo),
        MANY(DEVICE_MEMORY, memory, memories, DomainMemory),
        MANY(DEVICE_IOMMU, iommu, iommus, DomainIommu),
        ONE(DEVICE_VSOCK, vsock, vsock, DomainVsock),
        MANY(DEVICE_CRYPTO, crypto, cryptos, DomainCrypto),
        MANY(DEVICE_GRAPHICS, graphics, graphics, DomainGraphics),
};

const char *device_kind_to_string(DeviceKind kind)
{
        return kind < _DEVICE_KIND_MAX ? kinds[kind].name : NULL;
}

static int visit(DeviceKind kind, uint32_t position, void *object, DeviceVisitor visitor, void *userdata)
{
        const Device device = {
                .kind = kind,
                .position = position,
                .object = object,
                .info = (DeviceInfo *)((char *)object + kinds[kind].info_offset),
        };
        return visitor(&device, userdata);
}

int device_foreach_of(DomainDefinition *definition, DeviceKind kind, DeviceVisitor visitor, void *userdata)
{
        void *member = (char *)&definition->devices + kinds[kind].offset;

        if (kinds[kind].is_single) {
                void *object = *(void **)member;
                return object ? visit(kind, 0, object, visitor, userdata) : 0;
        }

        AnyList *list = member;
        for (uint32_t i = 0; i < list->count; i++) {
                int r = visit(kind, i, list->items[i], visitor, userdata);
                if (r != 0)
                        return r;
        }
        return 0;
}

static void *member_of(const DomainDefinition *definition, DeviceKind kind)
{
        return (char *)&definition->devices + kinds[kind].offset;
}

const StructType *device_kind_type(DeviceKind kind)
{
        return kinds[kind].type;
}

int device_kind_from_string(const char *name)
{
        for (DeviceKind kind = 0; kind < _DEVICE_KIND_MAX; kind++)
                if (g_str_equal(kinds[kind].name, name))
                        return (int)kind;
        return -EINVAL;
}

bool device_kind_is_single(DeviceKind kind)
{
        return kinds[kind].is_single;
}

DeviceInfo *device_info_of(DeviceKind kind, const void *object)
{
        return (DeviceInfo *)((char *)object + kinds[kind].info_offset);
}

uint32_t device_count(const DomainDefinition *definition, DeviceKind kind)
{
        const void *member = member_of(definition, kind);

        return kinds[kind].is_single ? *(void *const *)member != NULL : ((const AnyList *)member)->count;
}

Device device_at(const DomainDefinition *definition, DeviceKind kind, uint32_t position)
{
        const void *member = member_of(definition, kind);
        void *object =
                kinds[kind].is_single ? *(void *const *)member : ((const AnyList *)member)->items[position];

        return (Device){
                .kind = kind, .position = position, .object = object, .info = device_info_of(kind, object)
        };
}

void device_insert(DomainDefinition *definition, DeviceKind kind, uint32_t position, void *object)
{
        void *member = member_of(definition, kind);

        if (kinds[kind].is_single)
                *(void **)member = object;
        else
                list_insert(member, position, object);
}

void *device_take(DomainDefinition *definition, DeviceKind kind, uint32_t position)
{
        void *member = member_of(definition, kind);
        void *object;

        if (!kinds[kind].is_single)
                return list_remove(member, position);
        object = *(void **)member;
        *(void **)member = NULL;
        return object;
}

int device_foreach(DomainDefinition *definition, DeviceVisitor visitor, void *userdata)
{
        for (DeviceKind kind = 0; kind < _DEVICE_KIND_MAX; kind++) {
                int r = device_foreach_of(definition, kind, visitor, userdata);
                if (r != 0)
                        return r;
        }
        return 0;
}
