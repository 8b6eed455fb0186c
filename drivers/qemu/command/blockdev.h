/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* QEMU's block nodes: a stack of them, from the file at the bottom to what the device sees at the top. */

#include "drivers/qemu/command/line.h"

/* Adds the nodes of a disk that has a medium. *ret_node is the name of the topmost one; the caller frees. */
int blockdev_disk(CommandLine *line, const DomainDisk *disk, char **ret_node, Error *error);

/* Adds the nodes of firmware in flash memory; *ret_node as above. `format` may be absent: raw. */
int blockdev_flash(CommandLine *line, const char *name, const char *path, const char *format,
                   bool is_readonly, char **ret_node, Error *error);
