/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known of the binaries of this host: in memory, and in files of the cache folder that hold as long
 * as their stamp does. Nobody is kept waiting for a binary that nobody asked for: whoever only wants to know
 * what is known uses capabilities_get(), whoever cannot go on without uses capabilities_wait(). */

#include "config.h"
#include "drivers/qemu/capabilities.h"

typedef struct CapabilitiesCache CapabilitiesCache;

/* `folder` is where the distribution's binaries are; NULL: /usr/bin. `config` must stay. */
CapabilitiesCache *capabilities_cache_new(const Config *config, const char *folder);
/* Probes that run are cancelled; they end in later turns of the loop. */
CapabilitiesCache *capabilities_cache_free(CapabilitiesCache *cache);
DEFINE_CLEANUP(CapabilitiesCache, capabilities_cache_free)

/* Looks for binaries and asks each that is not known yet, one after the other. What fails is logged. */
void capabilities_probe_all(CapabilitiesCache *cache) AWAITS;

/* `owner` is the owner of the machine: a binary that is not the distribution's runs as its owner even to be
 * asked. Borrowed until the next await; NULL until probed. */
QemuCapabilities *capabilities_get(CapabilitiesCache *cache, const char *binary, uid_t owner);
/* Waits until it is known, and sees to it that it still holds. The caller unrefs *ret_capabilities. */
int capabilities_wait(CapabilitiesCache *cache, const char *binary, uid_t owner, uint64_t deadline_usec,
                      QemuCapabilities **ret_capabilities, Error *error) AWAITS;

/* The distribution's binary for "x86_64"; the caller frees. It need not exist. */
char *capabilities_binary_for(const CapabilitiesCache *cache, const char *arch);
/* Calls `function` for everything that is known of the distribution's binaries. */
typedef void (*CapabilitiesVisit)(QemuCapabilities *capabilities, void *data);
void capabilities_foreach(CapabilitiesCache *cache, CapabilitiesVisit function, void *data);

/* "GenuineIntel"; NULL if not known. */
const char *capabilities_cpu_vendor(const CapabilitiesCache *cache);
