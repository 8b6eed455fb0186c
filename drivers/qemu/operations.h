/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The operations of this driver, by the files that have them; operations.c is their table. */

#include "drivers/qemu/machine.h"

extern const DriverOperations qemu_operations;

/* start.c */
int qemu_domain_create(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
int qemu_domain_create_with_files(Call *call, Domain *domain, const int *files, size_t n_files,
                                  uint32_t flags, Error *error) AWAITS;

/* control.c */
int qemu_domain_destroy(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
int qemu_domain_inject_nmi(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
int qemu_domain_reboot(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
int qemu_domain_reset(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
int qemu_domain_resume(Call *call, Domain *domain, Error *error) AWAITS;
int qemu_domain_shutdown(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
int qemu_domain_suspend(Call *call, Domain *domain, Error *error) AWAITS;

/* define.c */
int qemu_define_domain(Call *call, Domain *existing, DomainDefinition *definition, Domain **ret_domain,
                       Error *error) AWAITS;
int qemu_create_domain(Call *call, Domain *existing, DomainDefinition *definition, uint32_t flags,
                       const int *fds, size_t n_fds, Domain **ret_domain, Error *error) AWAITS;
int qemu_domain_undefine(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;

/* edit.c */
int qemu_domain_rename(Call *call, Domain *domain, const char *name, uint32_t flags, Error *error) AWAITS;
int qemu_domain_set_autostart(Call *call, Domain *domain, bool is_autostart, Error *error) AWAITS;
int qemu_domain_set_metadata(Call *call, Domain *domain, int32_t type, const char *metadata, const char *key,
                             const char *uri, uint32_t flags, Error *error) AWAITS;

/* open.c */
int qemu_domain_open_console(Call *call, Domain *domain, const char *alias, int *ret_console,
                             Error *error) AWAITS;
int qemu_domain_open_graphics_fd(Call *call, Domain *domain, uint32_t idx, uint32_t flags, int *ret_fd,
                                 Error *error) AWAITS;

/* native.c */
int qemu_connect_domain_xml_to_native(Call *call, const char *format, const char *xml, uint32_t flags,
                                      char **ret_native, Error *error) AWAITS;
