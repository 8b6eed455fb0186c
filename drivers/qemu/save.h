/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Machines whose memory is kept in a file while they do not run. */

#include "drivers/qemu/machine.h"
#include "drivers/qemu/save-file.h"

/* Which machines have one of the daemon's own. */
void save_load(Driver *driver);
/* What was left unfinished is removed, if no machine that is taken back is about it. */
void save_sweep(Driver *driver) AWAITS;
/* Starts the machine: from its saved memory, which is gone before the guest runs, or anew. */
int save_start(Domain *domain, uint32_t flags, const Job *cause, uint64_t deadline_usec,
               Error *error) AWAITS;
/* From another file, which stays. */
int save_start_from(Domain *domain, const SaveFile *file, int fd, uint32_t flags, const Job *cause,
                    Error *error) AWAITS;
/* The definition to be put in place of the one that was saved: it may differ in what the guest does not see.
 * The caller frees the text. */
int save_check_xml(const DomainDefinition *saved, const char *xml, char **ret_xml, Error *error);
/* Removes it; 0 also if there is none. */
int save_remove(Domain *domain, Error *error);
/* For what changes the chains of images that the saved memory names: an error if there is such memory. */
int save_refuse(const Domain *domain, const char *what, Error *error);

int qemu_domain_create(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
int qemu_domain_create_with_files(Call *call, Domain *domain, const int *files, size_t n_files,
                                  uint32_t flags, Error *error) AWAITS;
int qemu_domain_managed_save(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
int qemu_domain_managed_save_remove(Call *call, Domain *domain, uint32_t flags, Error *error);
int qemu_domain_has_managed_save_image(Call *call, Domain *domain, uint32_t flags, bool *ret_has,
                                       Error *error);
int qemu_domain_save(Call *call, Domain *domain, const char *to, const char *xml, uint32_t flags,
                     Error *error) AWAITS;
