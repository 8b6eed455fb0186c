/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PCI: what the kernel says in single files, and from the configuration space the kind of header and the
 * link of PCI express, of which unprivileged readers get the first 64 bytes only. */

#include "drivers/host/describe.h"
#include "drivers/host/sysfs.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <string.h>

#define CAPABILITIES_MAX 48 /* more do not fit; a circle ends here */

typedef struct Config {
        uint8_t bytes[256];
        size_t size;
} Config;

static void config_read(const char *path, Config *config)
{
        _cleanup_(freep) char *file = g_build_filename(path, "config", NULL);
        _cleanup_(closep) int fd = open(file, O_RDONLY | O_CLOEXEC);
        ssize_t size = fd < 0 ? 0 : read(fd, config->bytes, sizeof config->bytes);

        config->size = size < 0 ? 0 : (size_t)size;
}

static unsigned config_byte(const Config *config, size_t at)
{
        return at < config->size ? config->bytes[at] : 0;
}

static uint32_t config_long(const Config *config, size_t at)
{
        return config_byte(config, at) | config_byte(config, at + 1) << 8 |
               config_byte(config, at + 2) << 16 | (uint32_t)config_byte(config, at + 3) << 24;
}

/* 0: the device is none of PCI express. */
static size_t find_express(const Config *config)
{
        size_t at = config_byte(config, PCI_CAPABILITY_LIST) & ~3u;

        if (!(config_byte(config, PCI_STATUS) & PCI_STATUS_CAP_LIST))
                return 0;
        for (unsigned i = 0; at != 0 && i < CAPABILITIES_MAX; i++) {
                if (config_byte(config, at + PCI_CAP_LIST_ID) == PCI_CAP_ID_EXP)
                        return at;
                at = config_byte(config, at + PCI_CAP_LIST_NEXT) & ~3u;
        }
        return 0;
}

static PciLink *link_new(const char *validity, unsigned speed, unsigned width)
{
        static const char *const speeds[] = { NULL, "2.5", "5", "8", "16", "32", "64" };
        PciLink *link = g_new0(PciLink, 1);

        link->validity = g_strdup(validity);
        link->has_width = true;
        link->width = width;
        if (width > 0 && speed < G_N_ELEMENTS(speeds))
                link->speed = g_strdup(speeds[speed]);
        return link;
}

static void describe_express(const Config *config, NodeCapability *capability)
{
        size_t at = find_express(config);
        uint32_t link, status;
        PciLink *possible;

        if (at == 0)
                return;
        capability->express = g_new0(PciExpress, 1);
        link = config_long(config, at + PCI_EXP_LNKCAP);
        status = config_long(config, at + PCI_EXP_LNKCTL) >> 16;
        if ((link & PCI_EXP_LNKCAP_MLW) == 0)
                return; /* a part of the root complex has no link */
        possible = link_new("cap", link & PCI_EXP_LNKCAP_SLS, (link & PCI_EXP_LNKCAP_MLW) >> 4);
        possible->has_port = true;
        possible->port = link >> 24;
        list_append(&capability->express->links, possible);
        list_append(&capability->express->links,
                    link_new("sta", status & PCI_EXP_LNKSTA_CLS,
                             (status & PCI_EXP_LNKSTA_NLW) >> PCI_EXP_LNKSTA_NLW_SHIFT));
}

static void add_function(NodeFeature *feature, const char *path, const char *name)
{
        _cleanup_(freep) char *target = sysfs_read_link_name(path, name);
        DeviceAddress address;

        if (target && describe_read_address(target, &address))
                list_append(&feature->addresses, g_memdup2(&address, sizeof address));
}

static void describe_functions(const char *path, NodeCapability *capability)
{
        _cleanup_(freep) char *physical = sysfs_read_link_name(path, "physfn");
        uint64_t total = 0, present = 0;
        NodeFeature *feature;

        if (physical)
                add_function(describe_add_feature(capability, FEATURE_PHYS_FUNCTION), path, "physfn");
        if (!sysfs_read_number(path, "sriov_totalvfs", 10, &total) || total == 0)
                return;
        feature = describe_add_feature(capability, FEATURE_VIRT_FUNCTIONS);
        feature->max_count = (uint32_t)total;
        (void)sysfs_read_number(path, "sriov_numvfs", 10, &present); /* 0 without */
        for (uint64_t i = 0; i < MIN(present, total); i++) {
                char name[32];

                g_snprintf(name, sizeof name, "virtfn%u", (unsigned)i);
                add_function(feature, path, name);
        }
}

void describe_pci(sd_device *device, NodeCapability *capability)
{
        const char *path = describe_path(device), *name;
        _cleanup_(freep) char *numa = sysfs_read(path, "numa_node");
        DeviceAddress address = {};
        uint64_t value = 0;
        Config config;

        if (sd_device_get_sysname(device, &name) >= 0)
                (void)describe_read_address(name, &address); /* all 0 if it has an unknown form */
        capability->domain = address.domain;
        capability->bus = address.bus;
        capability->slot = address.slot;
        capability->function = address.function;
        capability->has_class = sysfs_read_number(path, "class", 16, &value);
        capability->pci_class = (uint32_t)value;
        capability->has_product_id = sysfs_read_number(path, "device", 16, &value);
        capability->product_id = (uint32_t)value;
        capability->has_vendor_id = sysfs_read_number(path, "vendor", 16, &value);
        capability->vendor_id = (uint32_t)value;
        capability->product = describe_from_database(device, "ID_MODEL_FROM_DATABASE");
        capability->vendor_name = describe_from_database(device, "ID_VENDOR_FROM_DATABASE");
        describe_functions(path, capability);
        config_read(path, &config);
        switch (config_byte(&config, PCI_HEADER_TYPE) & 0x7f) {
        case PCI_HEADER_TYPE_BRIDGE:
                (void)describe_add_feature(capability, FEATURE_PCI_BRIDGE);
                break;
        case PCI_HEADER_TYPE_CARDBUS:
                (void)describe_add_feature(capability, FEATURE_CARDBUS_BRIDGE);
                break;
        }
        describe_mdev_types(device, capability);
        capability->iommu_group = describe_iommu_group(device);
        if (numa && *numa != '-' && g_ascii_isdigit(*numa)) {
                capability->has_numa = true;
                capability->numa_node = (uint32_t)g_ascii_strtoull(numa, NULL, 10);
        }
        describe_express(&config, capability);
}
