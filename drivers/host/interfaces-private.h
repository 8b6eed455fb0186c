/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What interfaces.c and interface-change.c know of the host's interfaces. */

#include "drivers/host/host-manager.h"
#include "drivers/host/interface-store.h"
#include "drivers/host/interfaces.h"
#include "drivers/host/links.h"

struct InterfaceState {
        Driver *driver;
        Links *links; /* NULL: nobody tells of any */
        InterfaceStore store;
        GHashTable *by_index; /* index -> Managed, borrowed from the driver's table */
        bool is_changing;     /* one at a time changes what is stored, or what is up */
        Condition changed;
        Condition news; /* something of a device is not what it was */
};

typedef struct Managed {
        HostInterface interface;
        int index;  /* 0: the kernel has none */
        bool is_up; /* of a driver in memory, whose interfaces are states */
        HostInterfaceDefinition *definition;
        const HostManager *manager; /* has the definition; NULL: nobody but us */
} Managed;

/* Borrowed; NULL. */
static inline Managed *interfaces_find(const struct InterfaceState *state, const char *name)
{
        return (Managed *)object_table_by_name(state->driver->objects, OBJECT_INTERFACE, name, 0);
}

/* Waits until nobody else changes what is stored; interfaces_changing_end() must follow. */
int interfaces_changing_begin(const Call *call, Error *error) AWAITS;
void interfaces_changing_end(struct InterfaceState *state);

/* Takes the definition over, also after a failure. */
int interfaces_store(struct InterfaceState *state, HostInterfaceDefinition *definition,
                     const HostManager *manager, uint64_t deadline_usec, Managed **ret_managed,
                     Error *error) AWAITS;
int interfaces_forget(struct InterfaceState *state, Managed *managed, uint64_t deadline_usec,
                      Error *error) AWAITS;

int interfaces_bring_up(struct InterfaceState *state, Managed *managed, uint64_t deadline_usec,
                        Error *error) AWAITS;
int interfaces_take_down(struct InterfaceState *state, Managed *managed, uint64_t deadline_usec,
                         Error *error) AWAITS;
