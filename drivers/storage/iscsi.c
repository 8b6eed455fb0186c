/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of type iscsi: the units of a target, which open-iscsi's iscsiadm logs in to. */

#include "drivers/storage/chap.h"
#include "drivers/storage/command.h"
#include "drivers/storage/look.h"
#include "drivers/storage/luns.h"
#include "drivers/storage/target.h"
#include <stdio.h>
#include <string.h>

#define PURPOSE         "which logs in to iSCSI targets"
#define TIMEOUT_USEC    (60 * G_USEC_PER_SEC)
#define SESSIONS_FOLDER "/sys/class/iscsi_session"
#define ISCSIADM(...)                                                                                       \
        ((Command){ .name = "iscsiadm",                                                                     \
                    .purpose = PURPOSE,                                                                     \
                    .arguments = COMMAND_ARGUMENTS(__VA_ARGS__),                                            \
                    .timeout_usec = TIMEOUT_USEC })

static int check(const StoragePoolDefinition *pool, Error *error)
{
        return pool->source.initiator
                       ? error_set(error, ERROR_NOT_SUPPORTED,
                                   "pool '%s': an <initiator> other than the host's is not supported",
                                   pool->name)
                       : 0;
}

static char *session_target(const char *session)
{
        _cleanup_(freep) char *path = g_build_filename(SESSIONS_FOLDER, session, "targetname", NULL);
        char *text = NULL;

        return g_file_get_contents(path, &text, NULL, NULL) ? g_strchomp(text) : NULL;
}

/* The SCSI host of the session with the target: 1, 0 if there is none. */
static int session_find(const char *target, unsigned *ret_host)
{
        GDir *folder = g_dir_open(SESSIONS_FOLDER, 0, NULL);
        const char *session;
        int found = 0;

        while (folder && !found && (session = g_dir_read_name(folder))) {
                _cleanup_(freep) char *name = session_target(session),
                                      *link = g_build_filename(SESSIONS_FOLDER, session, NULL),
                                      *device = NULL;
                const char *host;

                if (g_strcmp0(name, target) != 0)
                        continue;
                device = realpath(link,
                                  NULL); /* /sys/devices/platform/host2/session1/iscsi_session/session1 */
                host = device ? strstr(device, "/host") : NULL;
                found = host && sscanf(host, "/host%u", ret_host) == 1;
        }
        if (folder)
                g_dir_close(folder);
        return found;
}

/* The password is on the disk while it logs in, and not longer. */
static int log_in(const StoragePoolDefinition *pool, const char *portal, const char *target,
                  Error *error) AWAITS
{
        _cleanup_(target_login_clear) TargetLogin login = {};
        int r = target_login(pool, &login, error), removed;

        if (r >= 0 && login.password)
                r = chap_write(target, &login, error);
        if (r >= 0)
                r = command_run(
                        &ISCSIADM("--mode", "node", "--portal", portal, "--targetname", target, "--login"),
                        NULL, error);
        if (!login.password)
                return r;
        removed = chap_write(target, &(TargetLogin){}, r < 0 ? NULL : error);
        return r < 0 ? r : removed;
}

static int iscsi_start(const StoragePoolDefinition *pool, bool is_resumed, Error *error) AWAITS
{
        _cleanup_(freep) char *portal = NULL;
        const char *target = NULL;
        unsigned host;
        int r = check(pool, error);

        (void)is_resumed; /* a session that is there, of ours or the host's, is used */
        if (r >= 0)
                r = target_portal(&pool->source, &portal, error);
        if (r >= 0)
                r = target_name(pool, &target, error);
        if (r < 0 || session_find(target, &host) > 0)
                return r;
        r = command_run(&ISCSIADM("--mode", "discovery", "--type", "sendtargets", "--portal", portal), NULL,
                        error);
        if (r < 0)
                return r;
        return log_in(pool, portal, target, error);
}

/* Whoever has mounted a unit, or uses it otherwise, would lose what is not yet written. */
static int refuse_used(const StoragePoolDefinition *pool, unsigned host, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = NULL;
        BackendSizes sizes;
        int r = luns_list(pool, host, &entries, &sizes, error);

        for (unsigned i = 0; r >= 0 && i < entries->len; i++)
                r = look_unused_device(pool->name, ((const FileEntry *)entries->pdata[i])->path, error);
        return r;
}

static int iscsi_stop(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        _cleanup_(freep) char *portal = NULL;
        const char *target = NULL;
        unsigned host;
        int r = target_portal(&pool->source, &portal, error);

        if (r >= 0)
                r = target_name(pool, &target, error);
        if (r < 0 || session_find(target, &host) == 0)
                return r;
        r = refuse_used(pool, host, error);
        if (r < 0)
                return r;
        return command_run(
                &ISCSIADM("--mode", "node", "--portal", portal, "--targetname", target, "--logout"), NULL,
                error);
}

/* A line is "HOST:PORT,GROUP NAME". */
static void add_targets(const PoolSource *where, const char *output, GPtrArray *sources)
{
        _cleanup_(strvp) char **lines = g_strsplit(output, "\n", -1);

        for (char **line = lines; *line; line++) {
                const char *name = strchr(*line, ' ');
                PoolSource *source;

                if (!name)
                        continue;
                source = storage_source_new(NULL);
                storage_source_add_host(source, where->hosts.items[0]->name);
                source->hosts.items[0]->port = where->hosts.items[0]->port;
                storage_source_add_device(source, name + 1);
                g_ptr_array_add(sources, source);
        }
}

static int iscsi_find_sources(const PoolSource *where, GPtrArray *sources, Error *error) AWAITS
{
        _cleanup_(freep) char *portal = NULL, *output = NULL;
        int r = target_portal(where, &portal, error);

        if (r >= 0)
                r = command_run(&ISCSIADM("--mode", "discovery", "--type", "sendtargets", "--portal", portal,
                                          "--op", "nonpersistent"),
                                &output, error);
        if (r >= 0)
                add_targets(where, output, sources);
        return r;
}

/* Units that the target has got since are asked for. */
static int iscsi_list(const StoragePoolDefinition *pool, GPtrArray **ret_entries, BackendSizes *ret_sizes,
                      Error *error) AWAITS
{
        const char *target = NULL;
        unsigned host;
        int r = target_name(pool, &target, error);

        if (r >= 0)
                r = command_run(&ISCSIADM("--mode", "node", "--targetname", target, "--rescan"), NULL,
                                error);
        if (r >= 0 && session_find(target, &host) == 0)
                r = error_set(error, ERROR_OPERATION_FAILED, "pool '%s': there is no session with '%s'",
                              pool->name, target);
        return r < 0 ? r : luns_list(pool, host, ret_entries, ret_sizes, error);
}

const Backend backend_iscsi = {
        .has_auth = true,
        .start = iscsi_start,
        .stop = iscsi_stop,
        .find_sources = iscsi_find_sources,
        .list = iscsi_list,
};
