/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which machine has which device of the host. Devices go by names: "0000:01:00.0" (PCI), a UUID (mediated),
 * "usb 1:2" (bus and device), "scsi 3:0:0:0". One that a machine no longer has and the host has not yet is
 * leaving: whoever wants it waits. */

#include "driver.h"

void given_open(Driver *driver);
void given_close(Driver *driver);

/* ERROR_OPERATION_INVALID tells who has it, if not the host. */
int given_check_free(const Driver *driver, const char *device, Error *error);
/* Returns 1 if the machine has it already, ERROR_OPERATION_INVALID if another has. */
int given_take(Domain *domain, const char *device, uint64_t deadline_usec, Error *error) AWAITS;
/* It is chosen for the machine, which takes it later: given_take() returns 0 once more then. */
int given_reserve(Domain *domain, const char *device, uint64_t deadline_usec, Error *error) AWAITS;
/* Until one becomes free, whichever: look again. The error is of the device named, which is leaving. */
int given_wait(const Driver *driver, const char *device, uint64_t deadline_usec, Error *error) AWAITS;
/* given_take() without waiting, for a machine that is taken back. */
void given_note(Domain *domain, const char *device);
/* Nobody knows who has it, but nobody gets it. */
void given_hold(Driver *driver, const char *device);
/* It is on its way back, from whoever has it, if anybody. */
void given_leave(Driver *driver, const char *device);
/* Nobody has it. */
void given_drop(Driver *driver, const char *device);

/* Borrowed; NULL: no machine has it, also if one had it and it is leaving. */
const Domain *given_find(const Driver *driver, const char *device);
/* It is nobody's, and not on its way either. */
bool given_is_free(const Driver *driver, const char *device);
bool given_is_held(const Driver *driver, const char *device);
bool given_is_leaving(const Driver *driver, const char *device);
/* Those that the machine has; the caller unrefs the array of char *. */
GPtrArray *given_list(const Domain *domain);
