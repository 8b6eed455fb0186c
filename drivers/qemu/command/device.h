/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parts of a -device that all devices share: name, address, boot order, ROM, options of virtio; and one
 * function for each kind of device (disk.c, interface.c ...), which adds all that the device needs. */

#include "drivers/qemu/command/line.h"

/* {"driver": driver, "id": alias}. */
json_t *device_new(const char *driver, const DeviceInfo *info);
/* Address, boot order, ROM. Fails for an address that no such device can have. */
int device_set_info(const CommandLine *line, json_t *device, const DeviceInfo *info, Error *error);
/* The device's turn when the firmware looks for a system, from 1; 0: never. */
unsigned device_boot_index(const CommandLine *line, const DeviceInfo *info);
void device_set_virtio(json_t *device, const VirtioOptions *options);
/* Adds it, with what <qemu:override> changes in it. Takes it over. */
int device_add(CommandLine *line, json_t *device, Error *error);

/* The variant of a virtio device for its address and model: "virtio-blk-pci-transitional". The caller frees.
 */
char *device_virtio_driver(const char *base, const DeviceInfo *info, VirtioModel model);
/* The name under which QEMU knows the bus of a controller; the caller frees. NULL if there is no such
 * controller. */
char *device_bus(const CommandLine *line, ControllerType type, uint32_t index);
const DomainController *device_controller(const CommandLine *line, ControllerType type, uint32_t index);
bool machine_is_q35(const DomainDefinition *definition);
bool machine_is_x86(const DomainDefinition *definition);
bool machine_uses_kvm(const DomainDefinition *definition);

/* "The QEMU driver cannot ...": what a definition may say and this driver does not do. */
#define device_unsupported(error, ...) error_set((error), ERROR_CONFIG_UNSUPPORTED, __VA_ARGS__)

/* Where a SCSI device sits on the controller with that name. */
void device_set_scsi_address(const CommandLine *line, json_t *device, const char *controller,
                             const DeviceAddress *address);

int command_controller(CommandLine *line, const DomainController *controller, Error *error);
int command_disk(CommandLine *line, const DomainDisk *disk, Error *error);
/* Of type 'user': the back end, without its id. */
int command_user_network(CommandLine *line, json_t *netdev, const DomainInterface *interface, unsigned index,
                         Error *error);
int command_interface(CommandLine *line, const DomainInterface *interface, Error *error);
/* Whether the interface can have the bandwidth that it has. */
int interface_bandwidth_check(const DomainInterface *interface, Error *error);
int command_serial(CommandLine *line, const DomainSerial *serial, Error *error);
int command_parallel(CommandLine *line, const DomainParallel *parallel, Error *error);
int command_console(CommandLine *line, const DomainConsole *console, Error *error);
int command_channel(CommandLine *line, const DomainChannel *channel, Error *error);
int command_input(CommandLine *line, const DomainInput *input, Error *error);
int command_graphics(CommandLine *line, const DomainGraphics *graphics, Error *error);
int command_audio(CommandLine *line, const DomainAudio *audio, Error *error);
int command_sound(CommandLine *line, const DomainSound *sound, Error *error);
int command_video(CommandLine *line, const DomainVideo *video, bool is_first, Error *error);
int command_memballoon(CommandLine *line, const DomainMemballoon *balloon, Error *error);
int command_rng(CommandLine *line, const DomainRng *rng, Error *error);
int command_watchdog(CommandLine *line, const DomainWatchdog *watchdog, Error *error);
int command_hub(CommandLine *line, const DomainHub *hub, Error *error);
int command_redirdev(CommandLine *line, const DomainRedirdev *redirdev, Error *error);
int command_smartcard(CommandLine *line, const DomainSmartcard *smartcard, Error *error);
int command_filesystem(CommandLine *line, const DomainFilesystem *filesystem, Error *error);
int command_iommu(CommandLine *line, const DomainIommu *iommu, Error *error);
int command_tpm(CommandLine *line, const DomainTpm *tpm, Error *error);
int command_shmem(CommandLine *line, const DomainShmem *shmem, Error *error);
int command_vsock(CommandLine *line, const DomainVsock *vsock, Error *error);
int command_crypto(CommandLine *line, const DomainCrypto *crypto, Error *error);
int command_memory_device(CommandLine *line, const DomainMemory *memory, Error *error);
int command_hostdev(CommandLine *line, const DomainHostdev *hostdev, Error *error);
int command_panic(CommandLine *line, const DomainPanic *panic, Error *error);

/* "charserial0" for "serial0": what a device's other end is called. Adds its -chardev; the caller frees
 * *ret_id. */
int command_chardev(CommandLine *line, const ChardevSource *source, const char *alias, char **ret_id,
                    Error *error);
/* The same, with SPICE's name of the channel, which is "vdagent" above. */
int command_chardev_named(CommandLine *line, const ChardevSource *source, const char *alias,
                          const char *spice_name, char **ret_id, Error *error);
