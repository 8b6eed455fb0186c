/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Definitions that whatever manages the host's network has (host-manager.h). */

#include "drivers/host/interfaces-private.h"

/* Until a device is up that its manager was asked for, or down: it is the manager's fault if not. */
#define MANAGER_USEC (30 * G_TIME_SPAN_SECOND)

/* Who is to have a definition of that name; `managed` may be NULL. NULL in *ret_manager: nobody but us. */
int interface_managed_find(const struct InterfaceState *state, const Managed *managed, const char *name,
                           uint64_t deadline_usec, const HostManager **ret_manager, Error *error) AWAITS;
/* Whether it may be changed: who has the definition is still the one, and what has none is nobody's. */
int interface_managed_check(const struct InterfaceState *state, const Managed *managed,
                            uint64_t deadline_usec, Error *error) AWAITS;
/* Whether the manager can have the definition. */
int interface_managed_check_definition(const struct InterfaceState *state, const HostManager *manager,
                                       const HostInterfaceDefinition *definition, uint64_t deadline_usec,
                                       Error *error) AWAITS;
/* Whether there is nothing to bring up. */
bool interface_managed_is_up(const struct InterfaceState *state, const Managed *managed);
/* Return when the kernel says that it is up as defined, or down; a start that fails is undone. */
int interface_managed_start(struct InterfaceState *state, const Managed *managed, uint64_t deadline_usec,
                            Error *error) AWAITS;
int interface_managed_stop(struct InterfaceState *state, const Managed *managed, uint64_t deadline_usec,
                           Error *error) AWAITS;
/* Removes what a crash left of ours in the configuration of a manager. */
void interface_managed_settle(const struct InterfaceState *state, const GPtrArray *interfaces) AWAITS;
