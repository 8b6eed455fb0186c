/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/command/line.h"
#include "model/device-list.h"

/* Fills the line with everything from the binary's name on. The definition is completed, its devices have
 * aliases, its machine type is one of the binary's. What it says and this driver cannot do is
 * ERROR_CONFIG_UNSUPPORTED, and the message names the element. */
int command_build(CommandLine *line, Error *error);

/* Only what one device of the definition needs, for a machine that runs. */
int command_device(CommandLine *line, DeviceKind kind, uint32_t position, Error *error);
/* Only what is behind a disk, which has a medium; *ret_node is what the drive is given. The caller frees. */
int command_medium(CommandLine *line, uint32_t position, char **ret_node, Error *error);
