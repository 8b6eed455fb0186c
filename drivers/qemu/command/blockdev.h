/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* QEMU's block nodes: a stack of them, from the file at the bottom to what the device sees at the top. */

#include "drivers/qemu/command/line.h"

/* Adds the nodes of a disk that has a medium. *ret_node is the name of the topmost one; the caller frees. */
int blockdev_disk(CommandLine *line, const DomainDisk *disk, char **ret_node, Error *error);

/* What is served by another host: sets the driver and its options, and adds objects for its certificates
 * and passwords if there must be some. */
int blockdev_set_network(CommandLine *line, const DomainDisk *disk, const DiskSource *source,
                         const DiskAuth *auth, const char *name, json_t *node, Error *error);
/* What the disk says of the host's page cache, or what follows: disks that machines share cannot use it. */
DiskCache blockdev_cache(const DomainDisk *disk);

/* Adds the nodes of firmware in flash memory; *ret_node as above. `format` may be absent: raw. */
int blockdev_flash(CommandLine *line, const char *name, const char *path, const char *format,
                   bool is_readonly, char **ret_node, Error *error);
