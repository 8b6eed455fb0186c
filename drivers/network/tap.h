/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A tap: the host's end of a guest's interface. It is gone when its last descriptor is closed. */

#include "core/error.h"
#include "model/domain/interface.h"

typedef struct TapOptions {
        const char *name;   /* NULL: the kernel chooses, "vnet0" ... */
        const char *bridge; /* that it is plugged into; NULL: tap_plug() will do that */
        const char *mac;    /* of the guest */
        uint32_t mtu;       /* 0: the bridge's */
        bool is_isolated;   /* reaches no other isolated port of the bridge */
        bool was_isolated;  /* tap_plug(): it may have been so until now */
        const Vlan *vlan;   /* that it is in; NULL: the bridge decides */
        bool had_vlan;      /* tap_plug(): it may have been in others until now */
        bool has_header;    /* packets begin with virtio's header */
        bool is_there;      /* somebody made it, and set it up: it is only opened */
} TapOptions;

/* Opens n_queues descriptors, which are the caller's, and brings the tap up. *ret_name is freed by the
 * caller. */
int tap_open(const TapOptions *options, int *fds, size_t n_queues, char **ret_name, Error *error) AWAITS;
/* Plugs one that is there (`name`) into the bridge, perhaps again. */
int tap_plug(const TapOptions *options, Error *error) AWAITS;
