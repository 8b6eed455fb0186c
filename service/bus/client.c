/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who has called us and is still there. A bus does not tell who listens to signals, so on the bus of all
 * users a signal about somebody's machine goes to those that have called and may see it (bus/signals.c asks
 * here), never to everybody. */

#include "bus/client.h"
#include "core/fiber.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Fibers that unprivileged callers leave for root, so that a flood of theirs keeps nobody from ending it. */
#define FIBERS_RESERVED 512
/* A message brings up to 253 descriptors, on the private socket, which are open as long as its call runs.
 * Once three quarters of what the daemon may have are, whoever has more calls in flight than this is
 * refused. */
#define CALLS_WHEN_SHORT 16

static GHashTable *clients; /* Caller * -> Client * */
static GHashTable *n_calls_of_uid;

static void client_free(void *data)
{
        Client *client = data;

        caller_unwatch(client->caller, client->watch);
        caller_unref(client->caller);
        g_free(client);
}

static void client_gone(Caller *caller, void *data)
{
        (void)data; /* the table finds it by caller */
        g_hash_table_remove(clients, caller);
}

Client *client_of(Caller *caller)
{
        Client *client;

        if (!clients)
                clients = g_hash_table_new_full(NULL, NULL, NULL, client_free);
        client = g_hash_table_lookup(clients, caller);
        if (client || caller->is_gone)
                return client;
        client = g_new0(Client, 1);
        client->caller = caller_ref(caller);
        client->watch = caller_watch(caller, client_gone, NULL);
        g_hash_table_insert(clients, caller, client);
        return client;
}

void clients_clear(void)
{
        g_clear_pointer(&clients, g_hash_table_unref);
        g_clear_pointer(&n_calls_of_uid, g_hash_table_unref);
}

static unsigned uid_count(uid_t uid, int change)
{
        unsigned count;

        if (!n_calls_of_uid)
                n_calls_of_uid = g_hash_table_new(NULL, NULL);
        count = GPOINTER_TO_UINT(g_hash_table_lookup(n_calls_of_uid, GUINT_TO_POINTER(uid)));
        if (change == 0)
                return count;
        count = change > 0 ? count + 1 : count - 1;
        if (count > 0)
                g_hash_table_insert(n_calls_of_uid, GUINT_TO_POINTER(uid), GUINT_TO_POINTER(count));
        else
                g_hash_table_remove(n_calls_of_uid, GUINT_TO_POINTER(uid));
        return count;
}

/* The kernel gives out the lowest number that is free: all below are open. */
static bool is_short_of_descriptors(void)
{
        struct rlimit limit;
        _cleanup_(closep) int lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

        return (lowest < 0 && errno == EMFILE) || (lowest >= 0 && getrlimit(RLIMIT_NOFILE, &limit) >= 0 &&
                                                   (rlim_t)lowest >= limit.rlim_cur / 4 * 3);
}

int client_call_begin(Caller *caller, Error *error)
{
        Client *client = client_of(caller);

        if (!client)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        if (client->n_calls >= CALLS_PER_CALLER_MAX)
                return error_set(error, ERROR_LIMITS_EXCEEDED,
                                 "This caller has %u calls in flight, which is the most", client->n_calls);
        if (!caller->is_root && uid_count(caller->uid, 0) >= CALLS_PER_USER_MAX)
                return error_set(error, ERROR_LIMITS_EXCEEDED,
                                 "User %u has %u calls in flight, which is the most", caller->uid,
                                 CALLS_PER_USER_MAX);
        if (!caller->is_root && fiber_count() > FIBERS_MAX - FIBERS_RESERVED)
                return error_set(error, ERROR_LIMITS_EXCEEDED, "Too many calls of all users are in flight");
        if (!caller->is_root && uid_count(caller->uid, 0) >= CALLS_WHEN_SHORT && is_short_of_descriptors())
                return error_set(error, ERROR_LIMITS_EXCEEDED,
                                 "User %u has %u calls in flight, and the daemon is short of descriptors",
                                 caller->uid, uid_count(caller->uid, 0));
        client->n_calls++;
        (void)uid_count(caller->uid, +1);
        return 0;
}

void client_call_end(Caller *caller)
{
        Client *client = clients ? g_hash_table_lookup(clients, caller) : NULL;

        if (client)
                client->n_calls--;
        if (n_calls_of_uid && uid_count(caller->uid, 0) > 0)
                (void)uid_count(caller->uid, -1);
}

void clients_visit(ClientVisit visit, void *data)
{
        GHashTableIter iterator;
        void *client;

        if (!clients)
                return;
        g_hash_table_iter_init(&iterator, clients);
        while (g_hash_table_iter_next(&iterator, NULL, &client))
                visit(((Client *)client)->caller, data);
}

unsigned clients_count(void)
{
        return clients ? g_hash_table_size(clients) : 0;
}
