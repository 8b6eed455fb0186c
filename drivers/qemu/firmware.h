/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* <os firmware='efi'>: the image is chosen by the descriptions that packages install for QEMU
 * (docs/interop/firmware.json there), and the machine's variables begin as the copy of a template. */

#include "drivers/qemu/machine.h"

/* Where descriptions are, the weakest folder first: of two with the same name the later one counts, and an
 * empty one hides the others. */
extern const char *const firmware_folders[];

/* What the machine's variables look like that are there already. What is in a raw file its guest has
 * written: that it looks like an image makes none of it, where the firmware's template is raw. */
typedef struct FirmwareVariables {
        char *path;          /* NULL: there are none */
        uint64_t file_size;  /* bytes */
        uint64_t qcow2_size; /* of the guest's flash, bytes; 0: it is no qcow2 image that stands alone */
} FirmwareVariables;
void firmware_variables_clear(FirmwareVariables *variables);

/* Fills in loader, template and what the image needs of the machine; a definition that names its loader gets
 * the template that belongs to it, if one is known. Another image than the last time may be the first that
 * fits; where there are variables it is one whose template has their format and size, or none. Blocks for
 * the disk. */
int firmware_choose(DomainDefinition *live, const char *const *folders, const FirmwareVariables *variables,
                    Error *error);

/* The same, on a worker; variables that have no place get that of `path`. */
int firmware_prepare(DomainDefinition *live, const char *path, const FirmwareVariables *variables,
                     Error *error) AWAITS;

/* What there is for an architecture and a machine type, by the same descriptions. */
typedef struct FirmwareList {
        char **images; /* EFI code in flash, in the order of preference */
        bool has_efi, has_secure;
} FirmwareList;
/* On a worker. An empty list is an answer; a host that is too busy to look gives one too. */
void firmware_list(const char *arch, const char *machine, uint64_t deadline_usec,
                   FirmwareList *ret_list) AWAITS;
void firmware_list_clear(FirmwareList *list);
