/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callers, one for each unique name of a bus and one for each connection to the private socket. The first
 * message of a caller has its identity found out (auth/caller-identity.c); messages that come meanwhile wait
 * for the same answer. A caller is told of as gone when its name leaves the bus or its connection ends. */

#include "auth/caller-identity.h"
#include "core/await.h"
#include <errno.h>

#define PEER_NAME "peer"

typedef struct Watch {
        unsigned id;
        CallerGone gone;
        void *data;
} Watch;

/* A caller with what only this file knows of it. */
typedef struct Entry {
        Caller caller;
        bool is_known, is_asked;
        Condition known;
        GArray *watches; /* of Watch */
        unsigned last_watch;
} Entry;

typedef struct Connection {
        CallerTable *table;
        sd_bus *bus;
        bool is_peer;
        sd_bus_slot *slot;
        GHashTable *callers; /* name -> Entry */
} Connection;

struct CallerTable {
        bool is_session;
        uid_t uid;
        GHashTable *connections; /* sd_bus * -> Connection */
};

Caller *caller_ref(Caller *caller)
{
        caller->refs++;
        return caller;
}

Caller *caller_unref(Caller *caller)
{
        Entry *entry = (Entry *)caller;

        if (!caller || --caller->refs > 0)
                return NULL;
        g_free(caller->name);
        g_free(caller->user);
        g_free(caller->groups);
        closep(&caller->pidfd);
        if (caller->answers)
                g_hash_table_unref(caller->answers);
        g_array_unref(entry->watches);
        condition_clear(&entry->known);
        g_free(entry);
        return NULL;
}

static Entry *entry_new(Connection *connection, const char *name)
{
        Entry *entry = g_new0(Entry, 1);

        entry->caller = (Caller){
                .refs = 1,
                .table = connection->table,
                .bus = connection->bus,
                .name = g_strdup(name),
                .is_peer = connection->is_peer,
                .pidfd = -EBADF,
                .uid = (uid_t)-1,
        };
        entry->watches = g_array_new(FALSE, FALSE, sizeof(Watch));
        g_hash_table_insert(connection->callers, entry->caller.name, entry);
        return entry;
}

unsigned caller_watch(Caller *caller, CallerGone gone, void *data)
{
        Entry *entry = (Entry *)caller;
        Watch watch = { ++entry->last_watch, gone, data };

        g_array_append_val(entry->watches, watch);
        return watch.id;
}

void caller_unwatch(Caller *caller, unsigned id)
{
        Entry *entry = (Entry *)caller;

        for (unsigned i = 0; i < entry->watches->len; i++) {
                if (g_array_index(entry->watches, Watch, i).id != id)
                        continue;
                g_array_remove_index(entry->watches, i);
                return;
        }
}

/* Takes the table's reference: tells those who watch, each once, and lets go. */
static void entry_leave(Entry *entry)
{
        entry->caller.is_gone = true;
        entry->caller.bus = NULL;
        entry->caller.table = NULL;
        while (entry->watches->len > 0) {
                Watch watch = g_array_index(entry->watches, Watch, 0);

                g_array_remove_index(entry->watches, 0);
                watch.gone(&entry->caller, watch.data);
        }
        condition_wake_all(&entry->known);
        caller_unref(&entry->caller);
}

static void connection_free(void *data)
{
        Connection *connection = data;
        GList *entries = g_hash_table_get_values(connection->callers);

        sd_bus_slot_unref(connection->slot);
        g_hash_table_remove_all(connection->callers); /* who watches may look, and shall find nobody */
        for (GList *at = entries; at; at = at->next)
                entry_leave(at->data);
        g_list_free(entries);
        g_hash_table_unref(connection->callers);
        g_free(connection);
}

CallerTable *caller_table_new(bool is_session, uid_t uid)
{
        CallerTable *table = g_new0(CallerTable, 1);

        table->is_session = is_session;
        table->uid = uid;
        table->connections = g_hash_table_new_full(NULL, NULL, NULL, connection_free);
        return table;
}

CallerTable *caller_table_free(CallerTable *table)
{
        if (!table)
                return NULL;
        g_hash_table_unref(table->connections);
        g_free(table);
        return NULL;
}

static int name_left(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        Connection *connection = data;
        const char *name, *old_owner, *new_owner;
        Entry *entry;

        (void)ret_error; /* a signal has no reply */
        /* Anybody may send a signal to us alone, which no match holds back, and sd-bus takes any unique name
         * for one that might be the sender's. The sender itself is the bus's word. */
        if (g_strcmp0(sd_bus_message_get_sender(message), "org.freedesktop.DBus") != 0)
                return 0;
        if (sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner) < 0 || *new_owner)
                return 0;
        entry = g_hash_table_lookup(connection->callers, name);
        if (!entry)
                return 0;
        g_hash_table_remove(connection->callers, name);
        entry_leave(entry);
        return 0;
}

int caller_table_add_bus(CallerTable *table, sd_bus *bus, bool is_peer, Error *error)
{
        Connection *connection = g_new0(Connection, 1);
        int r;

        connection->table = table;
        connection->bus = bus;
        connection->is_peer = is_peer;
        connection->callers = g_hash_table_new(g_str_hash, g_str_equal);
        g_hash_table_insert(table->connections, bus, connection);
        if (is_peer)
                r = identity_of_peer(&entry_new(connection, PEER_NAME)->caller, sd_bus_get_fd(bus));
        else
                r = sd_bus_add_match_async(bus, &connection->slot,
                                           "type='signal',sender='org.freedesktop.DBus',"
                                           "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                           "arg2=''",
                                           name_left, NULL, connection);
        if (r < 0) {
                g_hash_table_remove(table->connections, bus);
                return error_set_errno(error, r, "Cannot watch who calls");
        }
        return 0;
}

void caller_table_remove_bus(CallerTable *table, sd_bus *bus)
{
        if (table)
                g_hash_table_remove(table->connections, bus);
}

static int entry_identify(Entry *entry, uint64_t deadline_usec, Error *error) AWAITS
{
        Caller *caller = &entry->caller;
        const CallerTable *table = caller->table;
        const uid_t root = table->is_session ? table->uid : 0;
        int r = 0;

        entry->is_asked = true;
        if (!caller->is_peer)
                r = identity_of_name(caller, deadline_usec, error);
        if (r >= 0)
                r = identity_complete(caller, root, deadline_usec);
        entry->is_asked = false;
        entry->is_known = r >= 0;
        condition_wake_all(&entry->known); /* after a failure the next one asks again */
        return r;
}

int caller_of_message(CallerTable *table, sd_bus_message *message, uint64_t deadline_usec,
                      Caller **ret_caller, Error *error)
{
        Connection *connection = g_hash_table_lookup(table->connections, sd_bus_message_get_bus(message));
        const char *name = sd_bus_message_get_sender(message);
        _cleanup_(caller_unrefp) Caller *caller = NULL;
        _cleanup_(error_clear) Error failure = {};
        Entry *entry;
        int r = 0;

        if (!connection || (!connection->is_peer && !name))
                return error_set(error, ERROR_ACCESS_DENIED, "The message has no sender");
        name = connection->is_peer ? PEER_NAME : name;
        entry = g_hash_table_lookup(connection->callers, name);
        if (!entry && connection->is_peer)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        if (!entry)
                entry = entry_new(connection, name);
        caller = caller_ref(&entry->caller);
        while (r >= 0 && !entry->is_known && !caller->is_gone)
                r = entry->is_asked ? condition_wait(&entry->known, deadline_usec)
                                    : entry_identify(entry, deadline_usec, &failure);
        if (caller->is_gone)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        if (r < 0 && !connection->is_peer &&
            caller->refs == 2) { /* the table's and ours: nobody else asks for it */
                g_hash_table_remove(connection->callers, name);
                entry_leave(entry);
        }
        if (r < 0) {
                if (!error_is_set(&failure))
                        return error_set_errno(error, r, "Cannot tell who calls");
                error_prefix(&failure, "Cannot tell who calls");
                error_move(error, &failure);
                return r;
        }
        *ret_caller = TAKE_PTR(caller);
        return 0;
}
