/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What open-iscsi's records of a target say of logging in. iscsiadm would take a password as an argument,
 * which everybody on the host can read; the records are root's alone. They have it for the moment of the
 * login. */

#include "drivers/storage/target.h"

/* Writes it to all records of the target; an empty login takes it out again. */
int chap_write(const char *target, const TargetLogin *login, Error *error) AWAITS;
