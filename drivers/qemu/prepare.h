/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a definition to what a start runs: machine type and emulator chosen, devices named, command line
 * built. Touches nothing. */

#include "drivers/qemu/command/command.h"
#include "drivers/qemu/machine.h"

/* The binary of a definition: its <emulator> or the distribution's for its architecture. The caller frees.
 */
char *prepare_binary(const Driver *driver, const DomainDefinition *definition);

/* What a new or changed definition gets from this host, as far as it is known without asking a QEMU:
 * emulator and the machine type's full name. Also completes it. */
int prepare_definition(const Driver *driver, DomainDefinition *definition, uid_t owner, Error *error);

typedef struct Prepared {
        DomainDefinition *live;
        QemuCapabilities *capabilities;
        CommandLine *line;
        char *binary;
} Prepared;

void prepared_clear(Prepared *prepared);
/* `folder` is that of the run. Waits until the binary is known. */
int prepare_start(const Driver *driver, const DomainDefinition *definition, uid_t owner, const char *folder,
                  bool passes_files, uint64_t deadline_usec, Prepared *ret_prepared, Error *error) AWAITS;
/* The same for a line that nobody starts: what this host lacks, or the start would do besides, is no reason
 * against it. */
int prepare_show(const Driver *driver, const DomainDefinition *definition, uid_t owner, const char *folder,
                 uint64_t deadline_usec, Prepared *ret_prepared, Error *error) AWAITS;
