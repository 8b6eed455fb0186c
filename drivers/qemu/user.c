/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The user database, asked for all that a process of that user needs. */

#include "drivers/qemu/user.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>

#define ENTRY_MAX  (1024 * 1024)
#define GROUPS_MAX 65536

/* Asks with more and more room for the strings. 0 with *ret_found NULL: there is no such user. */
static int ask(const char *name, uid_t uid, struct passwd *entry, char **ret_strings,
               struct passwd **ret_found)
{
        for (size_t size = 1024; size <= ENTRY_MAX; size *= 4) {
                _cleanup_(freep) char *strings = g_malloc(size);
                int r = name ? getpwnam_r(name, entry, strings, size, ret_found)
                             : getpwuid_r(uid, entry, strings, size, ret_found);

                if (r == ERANGE)
                        continue;
                *ret_strings = TAKE_PTR(strings);
                return -r;
        }
        return -ERANGE;
}

static int find_groups(const struct passwd *entry, RunUser *user)
{
        int count = 64;

        while (count <= GROUPS_MAX) {
                int room = count;

                user->groups = g_renew(gid_t, user->groups, (size_t)room);
                if (getgrouplist(entry->pw_name, entry->pw_gid, user->groups, &count) >= 0) {
                        user->n_groups = (size_t)count;
                        return 0;
                }
                count = MAX(count, room * 2);
        }
        return -ERANGE;
}

int run_user_find(const char *name, uid_t uid, RunUser *ret_user, Error *error)
{
        _cleanup_(run_user_clear) RunUser user = { 0 };
        _cleanup_(freep) char *strings = NULL, *text = name ? g_strdup(name) : g_strdup_printf("%u", uid);
        struct passwd entry, *found = NULL;
        int r;

        r = ask(name, uid, &entry, &strings, &found);
        if (r < 0)
                return error_set_errno(error, r, "Cannot look up user %s", text);
        if (!found)
                return error_set(error, ERROR_OPERATION_FAILED, "There is no user %s on this host", text);
        user.uid = entry.pw_uid;
        user.gid = entry.pw_gid;
        user.name = g_strdup(entry.pw_name);
        user.home = g_strdup(entry.pw_dir);
        r = find_groups(&entry, &user);
        if (r < 0)
                return error_set_errno(error, r, "Cannot look up the groups of user %s", text);
        *ret_user = user;
        user = (RunUser){ 0 };
        return 0;
}

void run_user_become(ChildOptions *options, const RunUser *user)
{
        options->set_user = user->is_other;
        options->uid = user->uid;
        options->gid = user->gid;
        options->groups = user->groups;
        options->n_groups = user->n_groups;
}

void run_user_clear(RunUser *user)
{
        g_free(user->groups);
        g_free(user->name);
        g_free(user->home);
        *user = (RunUser){ 0 };
}
