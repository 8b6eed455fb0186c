/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A guest's interface right on a device of the host: a macvtap, known by its alias "virtbus:TAG". Unlike a
 * tap it stays until it is removed. */

#include "core/error.h"
#include "model/domain/interface.h"

typedef struct MacvtapOptions {
        const char *name;  /* NULL: the first that is free, "macvtap0" ... */
        const char *lower; /* the host's device */
        const char *mac;   /* of the guest */
        const char *tag;   /* of the run of a machine */
        MacvtapMode mode;
        uint32_t mtu; /* 0: the device's */
        bool has_header;
} MacvtapOptions;

/* As tap_open(). */
int macvtap_open(const MacvtapOptions *options, int *fds, size_t n_queues, char **ret_name,
                 Error *error) AWAITS;

/* Removes those whose run has ended: is_kept(tag, data), on the loop, says of each whether it goes on. */
typedef bool (*MacvtapKept)(const char *tag, void *data);
int macvtap_sweep(MacvtapKept is_kept, void *data, Error *error) AWAITS;

/* Removes that one of a run; 0 also if there is none. */
int macvtap_remove(const char *name, const char *tag, Error *error) AWAITS;

/* The device on which it is; NULL if there is none of that name. The caller frees. */
char *macvtap_lower(const char *name) AWAITS;
