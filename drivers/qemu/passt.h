/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* passt: user networking by a program of its own, one for an interface. */

#include "drivers/qemu/machine.h"
#include "drivers/qemu/user.h"

bool passt_is_installed(void);

/* Starts one as the machine's user. It ends when the descriptor is closed that it gives, QEMU's end. */
int passt_start(const Domain *domain, const DomainInterface *interface, const RunUser *user, int *ret_fd,
                Error *error) AWAITS;
