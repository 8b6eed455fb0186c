/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callers, one for each unique name of a bus and one for each connection to the private socket. The first
 * message of a caller makes one question to the bus driver; messages that come meanwhile wait for the same
 * answer. What a uid is called and which groups it has may be a network's to say, so a worker looks it up.
 */

#include "auth/caller.h"
#include "core/await.h"
#include "core/fiber.h"
#include "core/worker.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define GROUP_OF_ADMINISTRATORS "libvirt"
#define GROUPS_MAX              1024
#define LOOKUP_BUFFER_SIZE      16384

typedef struct Watch {
        unsigned id;
        CallerGone gone;
        void *data;
} Watch;

/* A caller with what only this file knows of it. */
typedef struct Entry {
        Caller caller;
        bool is_known, is_asked;
        int failure; /* why it could not be found out */
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
        if (sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner) < 0 || *new_owner)
                return 0;
        entry = g_hash_table_lookup(connection->callers, name);
        if (!entry)
                return 0;
        g_hash_table_remove(connection->callers, name);
        entry_leave(entry);
        return 0;
}

static int peer_identify(Caller *caller, int fd)
{
        struct ucred credentials;
        socklen_t size = sizeof credentials, groups_size = GROUPS_MAX * sizeof(gid_t);
        _cleanup_(freep) gid_t *groups = g_new(gid_t, GROUPS_MAX + 1);
        int pidfd;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
                return -errno;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_size) < 0)
                return -errno;
        size = sizeof pidfd;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
                caller->pidfd = pidfd; /* kernels before 6.5 have none */
        caller->uid = credentials.uid;
        caller->n_groups = groups_size / sizeof(gid_t);
        groups[caller->n_groups++] = credentials.gid;
        caller->groups = TAKE_PTR(groups);
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
                r = peer_identify(&entry_new(connection, "peer")->caller, sd_bus_get_fd(bus));
        else
                r = sd_bus_add_match(bus, &connection->slot,
                                     "type='signal',sender='org.freedesktop.DBus',"
                                     "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''",
                                     name_left, connection);
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

/* What a worker looks up. */
typedef struct Lookup {
        uid_t uid;
        bool needs_groups;
        char *user;
        gid_t administrators;
        bool has_administrators;
        gid_t *groups;
        int n_groups;
} Lookup;

static void lookup_free(void *data)
{
        Lookup *lookup = data;

        g_free(lookup->user);
        g_free(lookup->groups);
        g_free(lookup);
}

static int lookup_run(void *data)
{
        _cleanup_(freep) char *buffer = g_malloc(LOOKUP_BUFFER_SIZE);
        Lookup *lookup = data;
        struct passwd user, *found_user = NULL;
        struct group group, *found_group = NULL;

        (void)getgrnam_r(GROUP_OF_ADMINISTRATORS, &group, buffer, LOOKUP_BUFFER_SIZE, &found_group);
        if (found_group) {
                lookup->administrators = found_group->gr_gid;
                lookup->has_administrators = true;
        }
        (void)getpwuid_r(lookup->uid, &user, buffer, LOOKUP_BUFFER_SIZE, &found_user);
        if (!found_user) {
                lookup->user = g_strdup_printf("%u", lookup->uid);
                return 0;
        }
        lookup->user = g_strdup(found_user->pw_name);
        if (!lookup->needs_groups)
                return 0;
        lookup->n_groups = GROUPS_MAX;
        lookup->groups = g_new(gid_t, GROUPS_MAX);
        return getgrouplist(found_user->pw_name, found_user->pw_gid, lookup->groups, &lookup->n_groups) < 0
                       ? -E2BIG
                       : 0;
}

static bool has_group(const Caller *caller, gid_t gid)
{
        for (size_t i = 0; i < caller->n_groups; i++)
                if (caller->groups[i] == gid)
                        return true;
        return false;
}

static int identity_complete(Caller *caller, uint64_t deadline_usec) AWAITS
{
        const CallerTable *table = caller->table;
        Lookup *lookup = g_new0(Lookup, 1);
        int r;

        lookup->uid = caller->uid;
        lookup->needs_groups = !caller->groups;
        r = worker_run(lookup_run, lookup, lookup_free, deadline_usec);
        if (r == -ETIMEDOUT || r == -ECANCELED)
                return r; /* the worker frees its data */
        if (r >= 0) {
                if (lookup->needs_groups) {
                        caller->groups = TAKE_PTR(lookup->groups);
                        caller->n_groups = (size_t)lookup->n_groups;
                }
                caller->user = TAKE_PTR(lookup->user);
                caller->is_root = caller->uid == 0 || (table->is_session && caller->uid == table->uid);
                caller->is_shared = caller->uid == 0 || (lookup->has_administrators &&
                                                         has_group(caller, lookup->administrators));
        }
        lookup_free(lookup);
        return r;
}

static int read_groups(sd_bus_message *message, Caller *caller)
{
        const void *groups;
        size_t size;
        int r;

        r = sd_bus_message_enter_container(message, 'v', "au");
        if (r >= 0)
                r = sd_bus_message_read_array(message, 'u', &groups, &size);
        if (r < 0)
                return r;
        g_free(caller->groups);
        caller->groups = g_memdup2(groups, size);
        caller->n_groups = size / sizeof(uint32_t);
        return sd_bus_message_exit_container(message);
}

/* The bus driver's answer: it alone is believed. */
static int credentials_read(sd_bus_message *message, Caller *caller)
{
        bool has_uid = false;
        uint32_t uid = 0;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read_basic(message, 's', &key);
                if (r < 0)
                        break;
                if (strcmp(key, "UnixUserID") == 0) {
                        r = sd_bus_message_read(message, "v", "u", &uid);
                        has_uid = r >= 0;
                } else if (strcmp(key, "UnixGroupIDs") == 0) {
                        r = read_groups(message, caller);
                } else {
                        r = sd_bus_message_skip(message, "v");
                }
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        if (r < 0)
                return r;
        if (!has_uid)
                return -ENODATA;
        caller->uid = uid;
        return 0;
}

static int ask_bus(Caller *caller, uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL, *answer = NULL;
        int r;

        r = sd_bus_message_new_method_call(caller->bus, &question, "org.freedesktop.DBus",
                                           "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                           "GetConnectionCredentials");
        if (r >= 0)
                r = sd_bus_message_append_basic(question, 's', caller->name);
        if (r >= 0)
                r = await_bus_call(caller->bus, question, deadline_usec, &answer, error);
        return r < 0 ? r : credentials_read(answer, caller);
}

static void entry_identify(Entry *entry, uint64_t deadline_usec) AWAITS
{
        Caller *caller = &entry->caller;
        int r = 0;

        entry->is_asked = true;
        if (!caller->is_peer)
                r = ask_bus(caller, deadline_usec, NULL);
        if (r >= 0)
                r = identity_complete(caller, deadline_usec);
        entry->failure = r < 0 ? r : 0;
        entry->is_known = r >= 0;
        entry->is_asked = false; /* after a failure the next message asks again */
        condition_wake_all(&entry->known);
}

int caller_of_message(CallerTable *table, sd_bus_message *message, uint64_t deadline_usec,
                      Caller **ret_caller, Error *error)
{
        Connection *connection = g_hash_table_lookup(table->connections, sd_bus_message_get_bus(message));
        const char *name = sd_bus_message_get_sender(message);
        _cleanup_(caller_unrefp) Caller *caller = NULL;
        Entry *entry;
        int r = 0;

        if (!connection || (!connection->is_peer && !name))
                return error_set(error, ERROR_ACCESS_DENIED, "The message has no sender");
        name = connection->is_peer ? "peer" : name;
        entry = g_hash_table_lookup(connection->callers, name);
        if (!entry)
                entry = entry_new(connection, name);
        caller = caller_ref(&entry->caller);
        if (!entry->is_known && !entry->is_asked)
                entry_identify(entry, deadline_usec);
        while (r >= 0 && entry->is_asked && !caller->is_gone)
                r = condition_wait(&entry->known, deadline_usec);
        if (caller->is_gone)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        if (r < 0 || !entry->is_known)
                return error_set_errno(error, r < 0 ? r : entry->failure, "Cannot tell who calls");
        *ret_caller = TAKE_PTR(caller);
        return 0;
}
