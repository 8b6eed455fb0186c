/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/command/line.h"

/* Fills the line with everything from the binary's name on. The definition is completed, its devices have
 * aliases, its machine type is one of the binary's. What it says and this driver cannot do is
 * ERROR_CONFIG_UNSUPPORTED, and the message names the element. */
int command_build(CommandLine *line, Error *error);
