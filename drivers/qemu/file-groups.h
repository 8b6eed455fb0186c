/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images that a client opened itself: descriptors under a name, which <source fdgroup='NAME'> of a disk
 * means. They are kept as long as the machine is defined, by the service manager for the next daemon, too.
 */

#include "drivers/qemu/machine.h"

int qemu_domain_associate_files(Call *call, Domain *domain, const char *group, const int *files,
                                size_t n_files, Error *error);

/* The machine goes: nobody keeps its files any longer. */
void file_groups_forget(const Domain *domain);

/* A copy of the group's descriptor that is open in that way. */
int file_groups_open(const Domain *domain, const char *group, bool is_writable, Error *error);
