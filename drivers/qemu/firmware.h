/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* <os firmware='efi'>: the image is chosen by the descriptions that packages install for QEMU
 * (docs/interop/firmware.json there), and the machine's variables begin as the copy of a template. */

#include "drivers/qemu/machine.h"

/* Where descriptions are, the weakest folder first: of two with the same name the later one counts, and an
 * empty one hides the others. */
extern const char *const firmware_folders[];

/* Fills in loader, template and what the image needs of the machine; a definition that names its loader gets
 * the template that belongs to it, if one is known. Blocks for the disk. */
int firmware_choose(DomainDefinition *live, const char *const *folders, Error *error);

/* The same, on a worker; variables that have no place get that of `path`. */
int firmware_prepare(DomainDefinition *live, const char *path, Error *error) AWAITS;

/* What there is for an architecture and a machine type, by the same descriptions. */
typedef struct FirmwareList {
        char **images; /* EFI code in flash, in the order of preference */
        bool has_efi, has_secure;
} FirmwareList;
/* On a worker. An empty list is an answer; a host that is too busy to look gives one too. */
void firmware_list(const char *arch, const char *machine, uint64_t deadline_usec,
                   FirmwareList *ret_list) AWAITS;
void firmware_list_clear(FirmwareList *list);
