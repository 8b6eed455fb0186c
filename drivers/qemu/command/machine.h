/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parts of the command line that are about the machine as a whole, one file each. */

#include "drivers/qemu/command/line.h"

/* Refuses what the model understands and this driver does not do. */
int command_check(const DomainDefinition *definition, Error *error);
/* Refuses what is no argument of QEMU's, but which the start would have to do on the host. */
int command_check_run(const DomainDefinition *definition, Error *error);

/* -machine and -accel, with what <features> says of the board; `options` are further ones of -machine, from
 * the memory and the firmware. */
int command_machine(CommandLine *line, const char *options, Error *error);
int command_cpu(CommandLine *line, Error *error);
/* -m, -object memory-backend-..., -numa. Appends to the options of -machine. */
int command_memory(CommandLine *line, GString *machine_options, Error *error);
/* -smp and the iothreads. */
int command_vcpus(CommandLine *line, Error *error);
/* The firmware's images. Appends to the options of -machine. */
int command_firmware(CommandLine *line, GString *machine_options, Error *error);
/* -kernel and its like, -boot, and which devices <boot dev=.../> means (line->boots). */
int command_boot(CommandLine *line, Error *error);
/* -smbios, -fw_cfg, -acpitable. */
int command_sysinfo(CommandLine *line, Error *error);
/* The object of <launchSecurity>. Appends to the options of -machine. */
int command_security(CommandLine *line, GString *machine_options, Error *error);
int command_clock(CommandLine *line, Error *error);

/* The timer of that name, or NULL. */
const ClockTimer *clock_timer(const DomainDefinition *definition, TimerName name);
