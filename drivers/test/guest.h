/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a guest would do and tell: it has a name, a clock and two file systems. */

#include "driver.h"

int test_domain_fs_freeze(Call *call, Domain *domain, const char *const *mountpoints, uint32_t flags,
                          uint32_t *ret_frozen, Error *error);
int test_domain_fs_thaw(Call *call, Domain *domain, const char *const *mountpoints, uint32_t flags,
                        uint32_t *ret_thawed, Error *error);
int test_domain_fs_trim(Call *call, Domain *domain, const char *mountpoint, uint64_t minimum, uint32_t flags,
                        Error *error);
int test_domain_get_fs_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info, Error *error);
int test_domain_get_hostname(Call *call, Domain *domain, uint32_t flags, char **ret_hostname, Error *error);
int test_domain_get_time(Call *call, Domain *domain, uint32_t flags, GVariant **ret_time, Error *error);
int test_domain_inject_nmi(Call *call, Domain *domain, uint32_t flags, Error *error);
int test_domain_send_key(Call *call, Domain *domain, uint32_t codeset, uint32_t hold_msec,
                         GVariant *keycodes, uint32_t flags, Error *error);
int test_domain_set_time(Call *call, Domain *domain, uint64_t seconds, uint32_t nanoseconds, uint32_t flags,
                         Error *error);
int test_domain_set_user_password(Call *call, Domain *domain, const char *user, const char *password,
                                  uint32_t flags, Error *error);
int test_domain_get_guest_vcpus(Call *call, Domain *domain, uint32_t flags, GVariant **ret_vcpus,
                                Error *error);
int test_domain_set_guest_vcpus(Call *call, Domain *domain, GVariant *map, int32_t state, uint32_t flags,
                                Error *error);
