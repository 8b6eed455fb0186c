/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a <source> says of an iSCSI target. What is given out is a word, fit for arguments and addresses. */

#include "drivers/storage/backend.h"

/* "host:port"; the caller frees. `source` may be NULL. */
int target_portal(const PoolSource *source, char **ret_portal, Error *error);
/* The target's name; borrowed. */
int target_name(const StoragePoolDefinition *pool, const char **ret_name, Error *error);

/* By what one logs in; all NULL without <auth>. */
typedef struct TargetLogin {
        const char *username; /* borrowed */
        char *password;
} TargetLogin;
int target_login(const StoragePoolDefinition *pool, TargetLogin *ret_login, Error *error);
/* Wipes. */
void target_login_clear(TargetLogin *login);
