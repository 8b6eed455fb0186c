/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Definitions on disk: CONFIG/qemu/UUID.xml, with what else must survive about a machine: its owner, whether
 * it starts by itself, when it was first defined, and whose call changed it last. */

#include "drivers/qemu/machine.h"

/* Reads all of them into the driver's table. A file that cannot be read is logged and left alone: one bad
 * file hides no other. */
int definitions_load(Driver *driver, Error *error) AWAITS;

/* Writes `definition` as that of the machine, with `is_autostart` and what else is kept. On the disk when it
 * returns; after a failure the old file is as it was. The machine itself is not changed. */
int definitions_save(const Domain *domain, const DomainDefinition *definition, bool is_autostart,
                     Error *error) AWAITS;
int definitions_remove(const Domain *domain, Error *error) AWAITS;

/* The text of such a file, and the way back, for tests; the caller frees. */
char *definitions_format(const DomainDefinition *definition, uid_t owner, bool is_autostart,
                         uint64_t created_usec, uid_t changed_by);

typedef struct StoredDefinition {
        DomainDefinition *definition;
        uid_t owner, changed_by;
        bool is_autostart;
        uint64_t created_usec;
} StoredDefinition;

int definitions_parse(const char *text, size_t size, StoredDefinition *ret, Error *error);
