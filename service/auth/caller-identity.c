/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is behind a name or a connection, for auth/caller.c. Only two are believed: the bus driver, which
 * knows the uid and groups that a name connected with, and the kernel about the other end of a socket. What
 * a uid is called and which gid the group of administrators has may be a network's to say, so a worker looks
 * it up. */

#include "auth/caller-identity.h"
#include "core/await.h"
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
#define GROUPS_FIRST            64
#define LOOKUP_SIZE_FIRST       ((size_t)16384)
#define LOOKUP_SIZE_MAX         ((size_t)16 * 1024 * 1024)

static int peer_read_groups(Caller *caller, int fd, gid_t primary)
{
        _cleanup_(freep) gid_t *groups = NULL;
        socklen_t size = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
                return -errno;
        groups = g_malloc(size + sizeof(gid_t));
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
                return -errno;
        caller->n_groups = size / sizeof(gid_t);
        groups[caller->n_groups++] = primary;
        caller->groups = TAKE_PTR(groups);
        return 0;
}

int identity_of_peer(Caller *caller, int fd)
{
        struct ucred credentials;
        socklen_t size = sizeof credentials;
        int pidfd;

        if (fd < 0)
                return fd;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
                return -errno;
        caller->uid = credentials.uid;
        size = sizeof pidfd;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
                caller->pidfd = pidfd; /* kernels before 6.5 have none */
        return peer_read_groups(caller, fd, credentials.gid);
}

/* What a worker looks up. */
typedef struct Lookup {
        uid_t uid;
        bool needs_groups;
        char *user;
        gid_t administrators;
        bool has_administrators;
        gid_t *groups;
        size_t n_groups;
} Lookup;

static void lookup_free(void *data)
{
        Lookup *lookup = data;

        g_free(lookup->user);
        g_free(lookup->groups);
        g_free(lookup);
}

/* A group with thousands of members is longer than any size one would begin with. */
static int lookup_administrators(Lookup *lookup)
{
        for (size_t size = LOOKUP_SIZE_FIRST; size <= LOOKUP_SIZE_MAX; size *= 4) {
                _cleanup_(freep) char *buffer = g_malloc(size);
                struct group group, *found = NULL;

                if (getgrnam_r(GROUP_OF_ADMINISTRATORS, &group, buffer, size, &found) == ERANGE)
                        continue;
                if (found) {
                        lookup->administrators = found->gr_gid;
                        lookup->has_administrators = true;
                }
                return 0; /* who cannot be looked up administrates nothing */
        }
        return -E2BIG;
}

static int lookup_groups(Lookup *lookup, const struct passwd *user)
{
        int n = GROUPS_FIRST;

        lookup->groups = g_new(gid_t, n);
        if (getgrouplist(user->pw_name, user->pw_gid, lookup->groups, &n) < 0) {
                lookup->groups = g_renew(gid_t, lookup->groups, n);
                if (getgrouplist(user->pw_name, user->pw_gid, lookup->groups, &n) < 0)
                        return -E2BIG;
        }
        lookup->n_groups = (size_t)n;
        return 0;
}

static int lookup_user(Lookup *lookup)
{
        for (size_t size = LOOKUP_SIZE_FIRST; size <= LOOKUP_SIZE_MAX; size *= 4) {
                _cleanup_(freep) char *buffer = g_malloc(size);
                struct passwd user, *found = NULL;

                if (getpwuid_r(lookup->uid, &user, buffer, size, &found) == ERANGE)
                        continue;
                lookup->user = found ? g_strdup(found->pw_name) : g_strdup_printf("%u", lookup->uid);
                return found && lookup->needs_groups ? lookup_groups(lookup, found) : 0;
        }
        return -E2BIG;
}

static int lookup_run(void *data)
{
        int r = lookup_administrators(data);

        return r < 0 ? r : lookup_user(data);
}

static bool has_group(const Caller *caller, gid_t gid)
{
        for (size_t i = 0; i < caller->n_groups; i++)
                if (caller->groups[i] == gid)
                        return true;
        return false;
}

int identity_complete(Caller *caller, uid_t root, uint64_t deadline_usec)
{
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
                        caller->n_groups = lookup->n_groups;
                }
                caller->user = TAKE_PTR(lookup->user);
                caller->is_root = caller->uid == 0 || caller->uid == root;
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

int identity_of_name(Caller *caller, uint64_t deadline_usec, Error *error)
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
