/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the guest's agent tells and does beyond shutting down: file systems, clock, name, passwords,
 * processors. Whatever it says is a guest's word. */

#include "drivers/qemu/machine.h"

int qemu_domain_fs_freeze(Call *call, Domain *domain, const char *const *mountpoints, uint32_t flags,
                          uint32_t *ret_frozen, Error *error) AWAITS;
int qemu_domain_fs_thaw(Call *call, Domain *domain, const char *const *mountpoints, uint32_t flags,
                        uint32_t *ret_thawed, Error *error) AWAITS;
int qemu_domain_fs_trim(Call *call, Domain *domain, const char *mountpoint, uint64_t minimum, uint32_t flags,
                        Error *error) AWAITS;
int qemu_domain_get_fs_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                            Error *error) AWAITS;
int qemu_domain_get_hostname(Call *call, Domain *domain, uint32_t flags, char **ret_hostname,
                             Error *error) AWAITS;
int qemu_domain_get_time(Call *call, Domain *domain, uint32_t flags, GVariant **ret_time,
                         Error *error) AWAITS;
int qemu_domain_set_time(Call *call, Domain *domain, uint64_t seconds, uint32_t nanoseconds, uint32_t flags,
                         Error *error) AWAITS;
int qemu_domain_set_user_password(Call *call, Domain *domain, const char *user, const char *password,
                                  uint32_t flags, Error *error) AWAITS;
/* How many processors the guest uses, as its agent tells; and that it uses so many, the first ones. */
int guest_count_vcpus(Call *call, Domain *domain, uint32_t *ret_count, Error *error) AWAITS;
int guest_use_vcpus(Call *call, Domain *domain, uint32_t count, Error *error) AWAITS;

int qemu_domain_get_guest_vcpus(Call *call, Domain *domain, uint32_t flags, GVariant **ret_vcpus,
                                Error *error) AWAITS;
int qemu_domain_set_guest_vcpus(Call *call, Domain *domain, GVariant *map, int32_t state, uint32_t flags,
                                Error *error) AWAITS;
