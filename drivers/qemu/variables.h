/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The firmware's variables (<nvram>): a file that begins as the copy of a template. */

#include "drivers/qemu/firmware.h"
#include "drivers/qemu/machine.h"
#include "drivers/qemu/user.h"

#define VARIABLES_MAX (64u * 1024 * 1024)

/* Where the driver keeps the variables of a machine whose definition does not say; the caller frees. */
char *variables_path(const Driver *driver, const DomainDefinition *definition);

/* A machine that was renamed has its variables under its old name until this was called. */
int variables_take_renamed(const Domain *domain, const DomainDefinition *definition, Error *error);

/* What there is already that a firmware has to go on with which is chosen for this start; nothing, if none
 * is chosen. */
int variables_look(const Domain *domain, const DomainDefinition *live, FirmwareVariables *ret_variables,
                   Error *error) AWAITS;

/* Makes the file that the definition of the run names if it is not there, or anew with `is_reset`. The
 * rights are the owner's. */
int variables_make(const Domain *domain, const RunUser *user, bool is_reset, Error *error) AWAITS;

/* False: surely there are none. */
bool variables_are_possible(const Domain *domain);
/* Whether the machine has variables: those that the driver keeps, or a file that the definition names. */
int variables_find(const Domain *domain, bool *ret_found, Error *error) AWAITS;
/* Where they are; NULL if there are none. The caller frees. */
int variables_find_path(const Domain *domain, char **ret_path, Error *error) AWAITS;
int variables_remove(const Domain *domain, Error *error) AWAITS;
