/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of type netfs: a folder of a server, mounted at the pool's path. */

#include "drivers/storage/backend.h"
#include "drivers/storage/command.h"
#include "drivers/storage/mount.h"
#include <string.h>

#define SHOW_TIMEOUT_USEC (30 * G_USEC_PER_SEC)

static bool is_cifs(const StoragePoolDefinition *pool)
{
        return strcmp(pool->source.format, "cifs") == 0;
}

static int check_host(const char *host, Error *error)
{
        if (*host && *host != '-' && !strpbrk(host, " \t\n,/\\[]"))
                return 0;
        return error_set(error, ERROR_INVALID_ARGUMENT, "<host>: '%s' is no name or address of a server",
                         host);
}

/* As mount(8) takes it; the caller frees. */
static char *source_of(const StoragePoolDefinition *pool)
{
        const char *host = pool->source.hosts.items[0]->name, *folder = pool->source.dir;
        bool is_ipv6 = strchr(host, ':') != NULL;

        if (is_cifs(pool))
                return g_strconcat("//", host, "/", folder + strspn(folder, "/"), NULL);
        return g_strconcat(is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", ":", folder, NULL);
}

static char *options_of(const StoragePoolDefinition *pool)
{
        GString *options = g_string_new(NULL);
        uint16_t port = pool->source.hosts.items[0]->port;

        if (pool->source.protocol_version)
                g_string_append_printf(options, "nfsvers=%s,", pool->source.protocol_version);
        if (port != 0)
                g_string_append_printf(options, "port=%u,", port);
        if (is_cifs(pool))
                g_string_append(options, "guest,");
        if (options->len > 0)
                g_string_truncate(options, options->len - 1);
        return g_string_free(options, options->len == 0);
}

static int check(const StoragePoolDefinition *pool, Error *error)
{
        const char *version = pool->source.protocol_version;

        if (pool->source.hosts.count != 1)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "pool '%s': one <host> is needed, not %u",
                                 pool->name, pool->source.hosts.count);
        if (pool->source.auth)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "pool '%s': <auth> is not supported for type='netfs'", pool->name);
        if (version && (!*version || strspn(version, "0123456789.") != strlen(version)))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "pool '%s': protocol/@ver='%s' is no version", pool->name, version);
        return check_host(pool->source.hosts.items[0]->name, error);
}

static int netfs_build(const StoragePoolDefinition *pool, BackendBuild how, Error *error) AWAITS
{
        if (how != BACKEND_BUILD_PLAIN)
                return error_set(
                        error, ERROR_INVALID_ARGUMENT,
                        "pool '%s': what is on a server is not built here: OVERWRITE and NO_OVERWRITE "
                        "mean nothing",
                        pool->name);
        return files_make(pool->path, &pool->permissions, error);
}

static int netfs_start(const StoragePoolDefinition *pool, bool is_resumed, Error *error) AWAITS
{
        _cleanup_(freep) char *source = NULL, *options = NULL;
        MountSource what = {};
        int r = check(pool, error);

        if (r < 0)
                return r;
        source = source_of(pool);
        options = options_of(pool);
        what = (MountSource){ .source = source,
                              .type = strcmp(pool->source.format, "auto") == 0 ? "nfs" : pool->source.format,
                              .options = options };
        return mount_start(pool, &what, is_resumed, error);
}

static int netfs_stop(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        _cleanup_(freep) char *source = source_of(pool);

        return mount_stop(pool, source, error);
}

static int netfs_remove(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        return files_delete(pool->path, error);
}

/* A line is a folder and who may mount it. */
static void add_exports(const char *host, const char *output, GPtrArray *sources)
{
        _cleanup_(strvp) char **lines = g_strsplit(output, "\n", -1);

        for (char **line = lines; *line; line++) {
                char *end = strrchr(*line, ' ');
                PoolSource *source;

                if (**line != '/')
                        continue;
                if (end)
                        *end = '\0';
                source = storage_source_new("nfs");
                storage_source_add_host(source, host);
                source->dir = g_strdup(g_strchomp(*line));
                g_ptr_array_add(sources, source);
        }
}

static int netfs_find_sources(const PoolSource *where, GPtrArray *sources, Error *error) AWAITS
{
        const char *host = where && where->hosts.count > 0 ? where->hosts.items[0]->name : NULL;
        _cleanup_(freep) char *output = NULL;
        int r = host ? check_host(host, error)
                     : error_set(error, ERROR_INVALID_ARGUMENT,
                                 "FindStoragePoolSources: for type netfs srcSpec must name a server: "
                                 "<source><host name='...'/></source>");

        if (r >= 0)
                r = command_run(
                        &(Command){ .name = "showmount",
                                    .purpose = "which asks servers for what they export",
                                    .arguments = COMMAND_ARGUMENTS("--no-headers", "--exports", host),
                                    .timeout_usec = SHOW_TIMEOUT_USEC },
                        &output, error);
        if (r >= 0)
                add_exports(host, output, sources);
        return r;
}

const Backend backend_netfs = {
        .is_folder = true,
        .is_shared = true,
        .build = netfs_build,
        .start = netfs_start,
        .stop = netfs_stop,
        .remove = netfs_remove,
        .find_sources = netfs_find_sources,
};
