/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* DHCP and DNS of a network: one dnsmasq, which outlives the daemon. */

#include "core/child.h"
#include "model/network.h"

/* What dnsmasq is told. The texts are free of what would end a word or a line of its files early:
 * ERROR_CONFIG_UNSUPPORTED names what is not. */
typedef struct DnsmasqFiles {
        GString *config; /* without the names of the other two */
        GString *hosts;  /* of DHCP, by hardware address */
        GString *names;  /* of DNS, as /etc/hosts */
} DnsmasqFiles;
void dnsmasq_files_clear(DnsmasqFiles *files);
int dnsmasq_files_make(const NetworkDefinition *definition, DnsmasqFiles *ret_files, Error *error);

/* Whether there is anything for it to do. */
bool dnsmasq_is_needed(const NetworkDefinition *definition);

/* Files are FOLDER/UUID.conf and what that names, in FOLDER/UUID; the leases LEASES_FOLDER/UUID.leases. */
typedef struct DnsmasqPlaces {
        const char *folder, *leases_folder;
        const char *user; /* whom it runs as; NULL: it chooses */
        uid_t uid;        /* of that user */
        const char *hook; /* run for every lease, by that user; NULL: none */
} DnsmasqPlaces;
/* Returns when it listens, with the process, which is watched. */
int dnsmasq_start(const NetworkDefinition *definition, const DnsmasqPlaces *places, Child **ret_child,
                  Error *error) AWAITS;
/* Ends one that was left, or whose start was cut off, and of which nothing is known but the file that it was
 * started with, and that it is a dnsmasq of root's or that user's: others may have any words in their
 * command line. */
void dnsmasq_end_unknown(const char *uuid, const char *folder, uid_t user) AWAITS;
/* The same of all networks that `is_kept` does not know. */
void dnsmasq_end_others(const char *folder, uid_t user, bool (*is_kept)(const char *uuid, void *data),
                        void *data) AWAITS;
/* Ends it and waits. */
void dnsmasq_stop(Child *child) AWAITS;
void dnsmasq_remove_files(const NetworkDefinition *definition, const char *folder);
