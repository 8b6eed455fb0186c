/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/key.h"
#include "drivers/secret/secrets.h"

int pool_key_find(const StoragePoolDefinition *pool, PoolAuthType type, uint8_t **ret_value,
                  size_t *ret_size, Error *error)
{
        const PoolAuth *auth = pool->source.auth;
        SecretReference reference = auth->secret; /* borrows */
        int r;

        reference.type = type == POOL_AUTH_CHAP ? SECRET_TYPE_ISCSI : SECRET_TYPE_CEPH;
        if (auth->type != type)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "pool '%s': pools of type '%s' have <auth type='%s'>", pool->name,
                                 pool_type_to_string(pool->type), pool_auth_type_to_string(type));
        r = secrets_find_value(pool->context->driver, pool->context->owner, &reference, ret_value, ret_size,
                               error);
        if (r < 0)
                error_prefix(error, "pool '%s': <auth>", pool->name);
        return r;
}
