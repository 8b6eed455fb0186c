/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How fast guests may receive and send (<bandwidth>): queues with a rate (htb) on devices of the host. */

#include "core/error.h"
#include "model/domain.h"

/* What is kept for one guest of what leaves a bridge. */
typedef struct ShaperShare {
        const char *mac;
        uint64_t floor; /* KiB/s */
} ShaperShare;

typedef struct ShaperOptions {
        const char *device;
        const Bandwidth *bandwidth; /* NULL, or a direction without average: no limit */
        bool is_guests_end;         /* what leaves the device was sent by the guest, as of a macvtap */
        const ShaperShare *shares;  /* of the inbound average, which they do not exceed */
        unsigned n_shares;
} ShaperOptions;

/* The limits become these, whatever they were. If that fails the old ones may be gone: the caller sets them
 * again, or removes the device. */
int shaper_set(const ShaperOptions *options, Error *error) AWAITS;
/* Removes what limited devices that are gone. */
int shaper_sweep(Error *error) AWAITS;

/* Whether the kernel could be told so. `what` begins the error: "interface 52:54:..." */
int shaper_check(const Bandwidth *bandwidth, const char *what, Error *error);
