/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of type iscsi-direct: the units of a target, which only QEMU logs in to; libiscsi's tools tell what
 * there is. A volume's path is as udev would call the unit. */

#include "drivers/storage/command.h"
#include "drivers/storage/listed.h"
#include "drivers/storage/target.h"
#include <stdio.h>
#include <string.h>

#define TIMEOUT_USEC (60 * G_USEC_PER_SEC)
#define UNITS_MAX    1024

/* A tool of libiscsi with our name and, by its environment, the password. */
static int ask(const StoragePoolDefinition *pool, const char *tool, const char *option, const char *url,
               char **ret_output, Error *error) AWAITS
{
        _cleanup_(target_login_clear) TargetLogin login = {};
        _cleanup_(freep) char *username = NULL;
        char *password = NULL;
        const char *environment[] = { "LANG=C", NULL, NULL, NULL };
        Command command = { .name = tool,
                            .purpose = "which asks iSCSI targets (libiscsi-bin)",
                            .arguments = COMMAND_ARGUMENTS(option, "-i", pool->source.initiator, url),
                            .environment = environment,
                            .timeout_usec = TIMEOUT_USEC };
        int r = target_login(pool, &login, error);

        if (r < 0)
                return r;
        if (login.password) {
                environment[1] = username = g_strconcat("LIBISCSI_CHAP_USERNAME=", login.username, NULL);
                environment[2] = password = g_strconcat("LIBISCSI_CHAP_PASSWORD=", login.password, NULL);
        }
        r = command_run(&command, ret_output, error);
        if (password)
                explicit_bzero(password, strlen(password));
        g_free(password);
        return r;
}

static int check_initiator(const StoragePoolDefinition *pool, Error *error)
{
        const char *name = pool->source.initiator;

        return g_str_has_prefix(name, "iqn.") || g_str_has_prefix(name, "eui.") ||
                               g_str_has_prefix(name, "naa.")
                       ? 0
                       : error_set(error, ERROR_INVALID_ARGUMENT,
                                   "pool '%s': <initiator>: '%s' is no name as iqn.2026-01.example:host",
                                   pool->name, name);
}

static int add_unit(const StoragePoolDefinition *pool, const char *portal, const char *target, unsigned unit,
                    GPtrArray *entries, Error *error) AWAITS
{
        _cleanup_(freep) char *url = g_strdup_printf("iscsi://%s/%s/%u", portal, target, unit),
                              *name = g_strdup_printf("unit:0:0:%u", unit),
                              *path = g_strdup_printf("ip-%s-iscsi-%s-lun-%u", portal, target, unit),
                              *output = NULL;
        int r = ask(pool, "iscsi-readcapacity16", "-s", url, &output, error);
        uint64_t size;

        if (r < 0)
                return r;
        size = listed_number(output);
        listed_add(entries, &(Listed){ .name = name, .path = path, .size = size, .allocation = size });
        return 0;
}

/* "Target:NAME Portal:HOST:PORT,GROUP", and for each of its units "Lun:1    Type:DIRECT_ACCESS (Size:31M)".
 */
static int add_units(const StoragePoolDefinition *pool, const char *portal, const char *target,
                     const char *output, GPtrArray *entries, Error *error) AWAITS
{
        _cleanup_(strvp) char **lines = g_strsplit(output, "\n", -1);
        _cleanup_(freep) char *heading = g_strdup_printf("Target:%s Portal:", target);
        bool is_there = false, is_here = false;

        for (char **line = lines; *line && entries->len < UNITS_MAX; line++) {
                unsigned unit;
                int r;

                if (g_str_has_prefix(*line, "Target:"))
                        is_there |= is_here = g_str_has_prefix(*line, heading) && !is_there;
                if (!is_here || sscanf(*line, "Lun:%u", &unit) != 1 || !strstr(*line, "Type:DIRECT_ACCESS"))
                        continue;
                r = add_unit(pool, portal, target, unit, entries, error);
                if (r < 0)
                        return r;
        }
        return is_there ? 0
                        : error_set(error, ERROR_OPERATION_FAILED, "pool '%s': '%s' has no target '%s'",
                                    pool->name, portal, target);
}

static int iscsi_direct_list(const StoragePoolDefinition *pool, GPtrArray **ret_entries,
                             BackendSizes *ret_sizes, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = listed_new();
        _cleanup_(freep) char *portal = NULL, *url = NULL, *output = NULL;
        const char *target = NULL;
        int r = check_initiator(pool, error);

        if (r >= 0)
                r = target_portal(&pool->source, &portal, error);
        if (r >= 0)
                r = target_name(pool, &target, error);
        if (r < 0)
                return r;
        url = g_strdup_printf("iscsi://%s/", portal);
        r = ask(pool, "iscsi-ls", "-s", url, &output, error);
        if (r >= 0)
                r = add_units(pool, portal, target, output, entries, error);
        if (r < 0)
                return r;
        *ret_sizes = (BackendSizes){};
        for (unsigned i = 0; i < entries->len; i++)
                ret_sizes->capacity += ((const FileEntry *)entries->pdata[i])->allocation;
        ret_sizes->allocation = ret_sizes->capacity;
        *ret_entries = TAKE_PTR(entries);
        return 0;
}

static int iscsi_direct_find_sources(const PoolSource *where, GPtrArray *sources, Error *error) AWAITS
{
        _cleanup_(freep) char *portal = NULL, *url = NULL, *output = NULL;
        _cleanup_(strvp) char **lines = NULL;
        int r = target_portal(where, &portal, error);

        if (r < 0)
                return r;
        url = g_strdup_printf("iscsi://%s/", portal);
        r = command_run(&(Command){ .name = "iscsi-ls",
                                    .purpose = "which asks iSCSI targets (libiscsi-bin)",
                                    .arguments = COMMAND_ARGUMENTS(url),
                                    .timeout_usec = TIMEOUT_USEC },
                        &output, error);
        if (r < 0)
                return r;
        lines = g_strsplit(output, "\n", -1);
        for (char **line = lines; *line; line++) {
                _cleanup_(freep) char *name = NULL;
                PoolSource *source;

                if (!g_str_has_prefix(*line, "Target:"))
                        continue;
                name = g_strdup(*line + strlen("Target:"));
                name[strcspn(name, " ")] = '\0';
                source = storage_source_new(NULL);
                storage_source_add_host(source, where->hosts.items[0]->name);
                source->hosts.items[0]->port = where->hosts.items[0]->port;
                storage_source_add_device(source, name);
                g_ptr_array_add(sources, source);
        }
        return 0;
}

const Backend backend_iscsi_direct = {
        .has_auth = true,
        .find_sources = iscsi_direct_find_sources,
        .list = iscsi_direct_list,
};
