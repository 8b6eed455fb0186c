/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asking a QEMU binary what it can do. */

#include "core/error.h"
#include <jansson.h>
#include <sys/types.h>

#define PROBE_TIMEOUT_USEC (60 * G_USEC_PER_SEC)

/* As whom the binary runs. It is somebody's program: never with rights that its owner lacks. */
typedef struct ProbeUser {
        bool set_user; /* otherwise as the daemon itself */
        uid_t uid;
        gid_t gid;
        const gid_t *groups;
        size_t n_groups;
} ProbeUser;

/* Starts it without a machine, asks, and ends it. *ret_document is what capabilities_new() reads:
 * {"version": 7002022, "package": "...", "arch": "x86_64", "kvm": true, "machines": [...], "kvm-cpus":
 * [...], "tcg-cpus": [...], "types": ["VGA", ...], "commands": [...], "options": ["sandbox",
 * "sandbox.spawn", ...]}. The caller releases it by json_decref(). */
int probe_run(const char *binary, const ProbeUser *user, uint64_t deadline_usec, json_t **ret_document,
              Error *error) AWAITS;
