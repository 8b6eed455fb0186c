/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/target.h"
#include "drivers/secret/secrets.h"
#include "drivers/storage/key.h"
#include <string.h>

#define PORT_USUAL 3260

static bool is_word(const char *text)
{
        return *text && *text != '-' && *text != '.' && !strpbrk(text, " \t\n,/\\%@?#[]");
}

int target_portal(const PoolSource *source, char **ret_portal, Error *error)
{
        const PoolHost *host = source && source->hosts.count == 1 ? source->hosts.items[0] : NULL;
        bool is_ipv6 = host && strchr(host->name, ':');

        if (!host || !is_word(host->name))
                return error_set(
                        error, ERROR_INVALID_ARGUMENT,
                        "iscsi: one <host name='...'/> with the name or address of a server is needed");
        *ret_portal = g_strdup_printf(is_ipv6 ? "[%s]:%u" : "%s:%u", host->name,
                                      host->port != 0 ? host->port : PORT_USUAL);
        return 0;
}

int target_name(const StoragePoolDefinition *pool, const char **ret_name, Error *error)
{
        const char *name = pool->source.devices.count == 1 ? pool->source.devices.items[0]->path : NULL;

        if (!name || !is_word(name))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "pool '%s': one <device path='iqn...'/> with the target's name is needed",
                                 pool->name);
        *ret_name = name;
        return 0;
}

/* Of one line: it is written to a file of lines. */
static bool is_line(const char *text, size_t size)
{
        return size > 0 && !memchr(text, '\0', size) && !memchr(text, '\n', size);
}

int target_login(const StoragePoolDefinition *pool, TargetLogin *ret_login, Error *error)
{
        const PoolAuth *auth = pool->source.auth;
        TargetLogin login = { .username = auth ? auth->username : NULL };
        uint8_t *value;
        size_t size;
        int r = 0;

        if (auth && !is_line(auth->username, strlen(auth->username)))
                return error_set(error, ERROR_INVALID_ARGUMENT, "pool '%s': <auth>: the username is no line",
                                 pool->name);
        if (auth)
                r = pool_key_find(pool, POOL_AUTH_CHAP, &value, &size, error);
        if (r < 0)
                return r;
        if (auth && !is_line((const char *)value, size))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "pool '%s': <auth>: the secret's value is no line of text", pool->name);
        else if (auth)
                login.password = g_strndup((const char *)value, size);
        if (auth)
                secrets_value_free(value, size);
        if (r >= 0)
                *ret_login = login;
        return r;
}

void target_login_clear(TargetLogin *login)
{
        if (login->password)
                secrets_value_free((uint8_t *)login->password, strlen(login->password));
        *login = (TargetLogin){};
}
