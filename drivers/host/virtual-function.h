/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Virtual functions of network cards (SR-IOV): PCI devices of their own, whose hardware address and VLAN the
 * card sets. */

#include "core/error.h"
#include <net/if.h>

/* Which one it is: the network device of the whole card, and the function's number there. */
typedef struct VirtualFunction {
        char card[IF_NAMESIZE];
        unsigned number;
} VirtualFunction;

/* By its name ("0000:01:10.0") and the folder of all, "/sys/bus/pci/devices". A PCI device that is none, or
 * none of a network card's, is an error that says so. */
int virtual_function_find(const char *devices, const char *name, VirtualFunction *ret_function,
                          Error *error);
/* The names of all that the network device has, in its order; `devices` is "/sys/class/net". The caller
 * unrefs the array of char *. */
int virtual_function_list(const char *devices, const char *card, GPtrArray **ret_names, Error *error);

/* What the card does for one. */
typedef struct FunctionSettings {
        char mac[18];  /* all zero: the function chooses */
        uint16_t vlan; /* 0: none */
        uint8_t priority;
} FunctionSettings;

/* A card that is down is an error: nothing would reach the function. */
int virtual_function_read(const VirtualFunction *function, FunctionSettings *ret_settings,
                          Error *error) AWAITS;
int virtual_function_set(const VirtualFunction *function, const FunctionSettings *settings,
                         Error *error) AWAITS;
