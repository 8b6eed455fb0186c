/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whatever manages the host's network, as far as a definition of ours is put into its configuration. What is
 * put there has a tag, by which it is found again; what has none is somebody else's and never touched. The
 * store (interface-store.h) says what is defined: what a crash left in a manager follows it. */

#include "driver.h"
#include "model/host-interface.h"

typedef struct HostManager {
        const char *name;     /* also in stored definitions: never changed */
        bool removes_devices; /* stop() ends with what start() made gone; else the caller removes it */
        bool changes_parents; /* a VLAN is a part of the configuration of what it is on, too */
        bool keeps_cards_up;  /* a card that it has taken down may be up, without anything */
        bool knows_hotplug;   /* <start mode='hotplug'> */
        /* 1: it manages the host's network, and the device if the kernel `has` one of that name. */
        int (*manages)(const Driver *driver, const char *device, bool has_device, uint64_t deadline_usec,
                       Error *error) AWAITS;
        /* An error that names it if the device has a configuration that is not ours. */
        int (*check_free)(const Driver *driver, const char *device, bool has_device, uint64_t deadline_usec,
                          Error *error) AWAITS;
        /* An error for what cannot be said in its configuration. */
        int (*check)(const HostInterfaceDefinition *definition, Error *error);
        /* Puts `definition` where it finds it, in place of what was there of that name; NULL: removes that.
         * The device is as it was. */
        int (*store)(const Driver *driver, const char *name, const HostInterfaceDefinition *definition,
                     bool is_up, uint64_t deadline_usec, Error *error) AWAITS;
        /* Has it bring up what is defined: the device may need some time after that. */
        int (*start)(const Driver *driver, const HostInterfaceDefinition *definition, uint64_t deadline_usec,
                     Error *error) AWAITS;
        /* The opposite; good also if nothing was started. */
        int (*stop)(const Driver *driver, const HostInterfaceDefinition *definition, uint64_t deadline_usec,
                    Error *error) AWAITS;
        /* The names (name -> HostInterfaceDefinition, borrowed) are all that it should have of ours: what a
         * crash left is made so. */
        int (*settle)(const Driver *driver, GHashTable *definitions, uint64_t deadline_usec,
                      Error *error) AWAITS;
} HostManager;

extern const HostManager network_manager, networkd_manager, ifupdown_manager;

/* In the order in which they are asked; ends with NULL. */
extern const HostManager *const host_managers[];

/* NULL in *ret_manager: nobody manages the device. */
int host_manager_find(const Driver *driver, const char *device, bool has_device, uint64_t deadline_usec,
                      const HostManager **ret_manager, Error *error) AWAITS;
const HostManager *host_manager_by_name(const char *name);

/* Names become parts of files, which have languages of their own. */
int host_manager_check_names(const HostInterfaceDefinition *definition, Error *error);
