/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Filters on devices of guests. Each device has its chains in one table of the kernel, `bridge virtbus`; one
 * transaction adds, replaces or removes them. */

#include "driver.h"
#include "model/domain/interface.h"
#include "objects/network.h"

typedef struct FilterPortOptions {
        const char *device; /* name on the host, where it is there already */
        const char *mac;    /* of the guest */
        const FilterReference *reference;
        Object *machine;
        const GPtrArray *leases; /* NetworkLease: what the network knows of the guest; NULL: nothing */
} FilterPortOptions;

/* The filter holds when this returns, in the place of what the device had before; after a failure that holds
 * still. Not root, a filter or a variable that is missing, and what nftables or
 * the kernel cannot do, are errors. */
int filter_port_open(Driver *driver, const FilterPortOptions *options, Error *error) AWAITS;
/* After a restart of the daemon: the device of a machine that runs has a filter; filter_ports_take_back()
 * sees to it. */
int filter_port_resume(Driver *driver, const FilterPortOptions *options, Error *error);
/* What the kernel holds for devices that were resumed stays, or is
 * replaced where the filters say something else by now; everything else of ours is removed. */
int filter_ports_take_back(Driver *driver, Error *error) AWAITS;
/* Sets again what somebody else has removed from the kernel's table, or changed there. */
int filter_ports_restore(Driver *driver, Error *error) AWAITS;
/* The machine's devices are gone, or about to go. What the kernel holds for them is removed soon. `device`:
 * the one of that name alone; NULL: all. */
void filter_ports_close(Driver *driver, const Object *machine, const char *device);

/* Gives all devices that use it the changed filter, whole or not at all. With the lock taken. */
int filter_ports_change(Driver *driver, const FilterDefinition *definition, uid_t owner,
                        Error *error) AWAITS;
bool filter_ports_are_there(const Driver *driver);
/* Forgets all devices; what the kernel holds stays. */
void filter_ports_release(Driver *driver);
