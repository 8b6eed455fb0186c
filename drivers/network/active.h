/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A network that is up: bridge, rules and dnsmasq. RUN/network/UUID.xml is there before the first of these
 * and until the last is gone, so that whatever a crash leaves is found again. */

#include "core/await.h"
#include "core/child.h"
#include "driver.h"
#include "drivers/stored/stored.h"
#include "model/network.h"
#include "objects/network.h"

struct NetworkState {
        StoredFolder defined, running;
        char *dnsmasq_path, *leases_path;
        const char *dnsmasq_user; /* whom dnsmasq, and so the hook, runs as */
        uid_t dnsmasq_uid;
        char *lease_hook;
        sd_event_source *lease_source; /* NULL: leases are not told */
        sd_event_source *health_source;
        bool is_health_due, looks_at_health;
        bool is_zone_due, sets_zones;
        GPtrArray *up;   /* VirtualNetwork, borrowed: those with `live` */
        bool sets_rules; /* one at a time: each sets those of all networks */
        Condition rules_set;
        char *rules;         /* that were set last; NULL: none were */
        char *rules_listing; /* of them, as nft lists it; NULL: it was not asked */
        unsigned n_rules_set,
                n_restored;   /* n_restored: in a row, what somebody else took out of the kernel */
        bool cannot_rehearse; /* the log has it */
};

typedef struct VirtualNetwork {
        Network network;
        NetworkDefinition *definition;
        NetworkDefinition *live;    /* NULL: it is down */
        NetworkDefinition *resumed; /* as it was when the daemon ended; NULL: it was down */
        char *resumed_process;      /* its dnsmasq then, "PID START-TIME"; or NULL */
        Child *dnsmasq;             /* NULL: it needs none, or it is about to be started again */
        unsigned n_failures;        /* of dnsmasq, one after the other */
        uint64_t n_lease_changes;   /* that were told */
        char *dnsmasq_problem, *zone_problem, *firewall_problem; /* NULL: none */
        bool is_in_zone;        /* of firewalld: we have put it there, or may have */
        bool firewall_has_lost; /* its rules, when they were looked at last */
} VirtualNetwork;

static inline VirtualNetwork *virtual_network(Network *network)
{
        return (VirtualNetwork *)network;
}

/* virConnectNetworkEventLifecycle. */
enum {
        EVENT_DEFINED = 0,
        EVENT_UNDEFINED = 1,
        EVENT_STARTED = 2,
        EVENT_STOPPED = 3,
};
void active_announce(Network *network, int event);

/* Brings it up, whole or not at all. What is left of it is used: of a daemon that ended, or of a start that
 * was cut off; that stays as it is if this fails. */
int active_start(VirtualNetwork *network, const NetworkDefinition *definition, Error *error) AWAITS;
/* Takes everything down; goes on after a failure and tells the first. */
int active_stop(VirtualNetwork *network, Error *error) AWAITS;
/* Gives one that is up another definition, with the same bridge and addresses: rules and dnsmasq follow. If
 * that fails, all is as it was. */
int active_change(VirtualNetwork *network, const NetworkDefinition *definition, Error *error) AWAITS;
/* Forgets that it was up, when it could not be brought up again. */
int active_forget(VirtualNetwork *network, Error *error) AWAITS;
/* The rules of all networks that are up now, as they should be. */
int active_set_rules(const Driver *driver, Error *error) AWAITS;
/* After a change of its problems. */
void active_show_health(VirtualNetwork *network);
/* After a change of what it is, or will be once it is up: what the bus shows follows. */
void active_show(VirtualNetwork *network);
/* Lets go of the processes without ending them. */
void active_release(VirtualNetwork *network);
