/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who calls. On a bus a caller is a unique name, whose uid and groups only the bus driver can tell (asked
 * once, asynchronously, forgotten when the name leaves); on the private socket it is the peer of the
 * connection, known by the kernel. A pid is never an identity. */

#include "core/error.h"
#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct CallerTable CallerTable;

typedef struct Caller {
        unsigned refs;
        CallerTable *table;
        sd_bus *bus; /* the connection it calls by; borrowed, NULL when that is closed */
        char *name;  /* unique name; "peer" on a private socket */
        bool is_peer;
        int pidfd; /* of a private socket's peer where the kernel gives one, else -EBADF */
        uid_t uid;
        char *user;    /* the name of uid, or its number if it has none */
        gid_t *groups; /* with the primary one */
        size_t n_groups;
        bool is_root;         /* root, or the session's own user in session mode: needs no question */
        bool is_shared;       /* root or member of group libvirt: what it defines belongs to uid 0 */
        bool is_gone;         /* left: what it asked for need not be answered, its questions are cancelled */
        unsigned n_questions; /* out at polkit or queued */
        GHashTable *answers;  /* remembered answers, see auth/authority.c */
} Caller;

/* `is_session`: the daemon serves one user (`uid`), who is then root here. */
CallerTable *caller_table_new(bool is_session, uid_t uid);
CallerTable *caller_table_free(CallerTable *table);
DEFINE_CLEANUP(CallerTable, caller_table_free)

/* Watches a bus for names that leave (one match for all). `is_peer`: the connection is a private socket's.
 */
int caller_table_add_bus(CallerTable *table, sd_bus *bus, bool is_peer, Error *error);
void caller_table_remove_bus(CallerTable *table, sd_bus *bus);

/* The caller that sent the message; a counted reference. Waits only for the first message of a caller. */
int caller_of_message(CallerTable *table, sd_bus_message *message, uint64_t deadline_usec,
                      Caller **ret_caller, Error *error) AWAITS;
Caller *caller_ref(Caller *caller);
Caller *caller_unref(Caller *caller);
DEFINE_CLEANUP(Caller, caller_unref)

/* Calls back when the caller leaves; for ending its fibers. Returns an id for caller_unwatch(). */
typedef void (*CallerGone)(Caller *caller, void *data);
unsigned caller_watch(Caller *caller, CallerGone gone, void *data);
void caller_unwatch(Caller *caller, unsigned id);
