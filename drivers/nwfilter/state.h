/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of this folder share: the filters of a driver, and the devices to which some are applied.
 * Definitions, devices and the kernel's table change together: whoever changes one takes the lock. */

#include "core/await.h"
#include "driver.h"
#include "drivers/nwfilter/learn.h"
#include "drivers/nwfilter/translate.h"
#include "drivers/stored/stored.h"
#include "objects/nwfilter.h"

typedef struct StoredFilter {
        NWFilter filter;
        FilterDefinition *definition;
} StoredFilter;

struct FilterState {
        Driver *driver;
        StoredFolder folder;
        bool is_locked;
        Condition unlocked;
        GPtrArray *ports; /* FilterPort */
        FilterKernel kernel;
        bool knows_kernel;
        bool is_marked;      /* what is in the kernel is looked for by the next daemon */
        unsigned n_restored; /* in a row: what somebody else took out of the kernel */
        char *listing; /* of what the table has besides devices, as nft lists it; NULL: it was not asked */
        bool is_table_lost;   /* somebody else has changed that */
        bool cannot_rehearse; /* the log has it */
};

/* An address that was learnt. */
typedef struct PortAddress {
        char *address;
        uint64_t until_usec; /* DEADLINE_NEVER: for ever */
} PortAddress;

/* A device of a guest to which a filter is applied. Whoever waits holds a reference. */
typedef struct FilterPort {
        unsigned n_references;
        struct FilterState *state;
        unsigned device; /* index on the host */
        char *name;      /* of the device */
        char *mac, *filter;
        Object *machine; /* counted */
        GHashTable *variables;
        FilterText text;      /* as it is in the kernel */
        char *listing;        /* as nft lists it; NULL: it was not asked */
        GHashTable *parts;    /* set of names: the filters that it consists of */
        GPtrArray *addresses; /* PortAddress */
        Learner *learner;     /* NULL: nothing is to be learnt */
        LearnMode mode;
        bool is_gone; /* the device is the machine's no more */
        bool is_told; /* a fiber is about to tell the kernel of new addresses */
        bool is_lost; /* somebody else has changed what the kernel has of it */
} FilterPort;

FilterPort *port_new(struct FilterState *state, unsigned device, const char *name, const char *mac,
                     const char *filter, Object *machine);
FilterPort *port_ref(FilterPort *port);
FilterPort *port_unref(FilterPort *port);
DEFINE_CLEANUP(FilterPort, port_unref)
void port_release(void *data); /* for arrays */
/* Those that are there now, each counted: they may go while the kernel is asked. */
GPtrArray *ports_copy(const struct FilterState *state);

/* Takes what the interface says of variables: the guest's own address besides, and IP as what is to be
 * learnt unless it is given. ERROR_CONFIG_UNSUPPORTED for a CTRL_IP_LEARNING that is none. */
int port_set_variables(FilterPort *port, const FilterReference *reference, Error *error);
/* `changed` (may be NULL) is looked at instead of the stored filter of its name. */
int port_translate(const FilterPort *port, const FilterDefinition *changed, FilterText *ret, Error *error);
/* Takes the text over, and notes of which filters it was made. */
void port_set_text(FilterPort *port, const FilterDefinition *changed, FilterText *text);
void port_add_address(FilterPort *port, const char *address, uint32_t seconds, bool replaces);
/* What puts the addresses that are known into the kernel's set; empty if there are none, or no set. */
char *port_addresses_text(const FilterPort *port, bool uses_learnt);

/* applied.c: what the kernel's table holds, by its names. */
typedef struct AppliedPort {
        unsigned device; /* 0: what belongs to none, and was not set here */
        GPtrArray *objects;
        char *version;      /* NULL: it is not whole */
        bool has_addresses; /* it has a set of what was learnt */
} AppliedPort;
/* An array of AppliedPort, which it frees. */
int applied_list(GPtrArray **ret_ports, Error *error) AWAITS;
/* Looks for what the kernel has not got any more, or has besides, and marks those ports. 1: there is some.
 */
int applied_find_lost(struct FilterState *state, Error *error) AWAITS;
/* Adds the addresses that the kernel knows for the port. */
int applied_read_addresses(FilterPort *port, Error *error) AWAITS;

static inline int filter_lock(struct FilterState *state, uint64_t deadline_usec, Error *error)
{
        while (state->is_locked)
                if (condition_wait(&state->unlocked, deadline_usec) < 0)
                        return error_set(error, ERROR_BUSY,
                                         "Another change of network filters does not come to an end");
        state->is_locked = true;
        return 0;
}

static inline void filter_unlock(struct FilterState *state)
{
        state->is_locked = false;
        condition_wake_all(&state->unlocked);
}
