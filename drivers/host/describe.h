/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a device of the kernel is, as a definition. It reads /sys and what udev knows, so that it runs on a
 * worker. */

#include "model/node-device.h"
#include <systemd/sd-device.h>

/* The subsystems whose devices are looked at; NULL-terminated. */
extern const char *const describe_subsystems[];

/* NULL: it is none that is shown. */
NodeDeviceDefinition *describe_device(sd_device *device);
/* The root of all: "computer". */
NodeDeviceDefinition *describe_computer(void);

/* describe-pci.c */
void describe_pci(sd_device *device, NodeCapability *capability);
/* describe-storage.c: SCSI and what is on it. */
void describe_scsi_host(sd_device *device, NodeCapability *capability);
void describe_scsi_target(sd_device *device, NodeCapability *capability);
void describe_scsi(sd_device *device, NodeCapability *capability);
void describe_storage(sd_device *device, NodeCapability *capability);
/* Whether a block device is more than memory or a file: has hardware behind it. */
bool describe_is_storage(sd_device *device);
/* What distinguishes it from others of its model; NULL if nothing does. */
char *describe_serial(sd_device *device);
/* describe-value.c: pieces that several need. */
const char *describe_path(sd_device *device);
/* From udev or, where it does not run, from the same data base; to be freed. */
char *describe_from_database(sd_device *device, const char *property);
NodeFeature *describe_add_feature(NodeCapability *capability, NodeFeatureType type);
bool describe_read_address(const char *text, DeviceAddress *ret_address);
IommuGroup *describe_iommu_group(sd_device *device);
void describe_mdev_types(sd_device *device, NodeCapability *capability);
