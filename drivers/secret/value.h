/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A secret's value at rest: AES-256-GCM with a key of the host, bound to the secret's UUID, in base64. The
 * key is systemd's credential "virtbus-secrets-key" (32 bytes) where the daemon got one; otherwise the file
 * `key` beside the secrets, which is made when it is not there. What the file's key sealed is still opened
 * after a credential came. */

#include "core/cipher.h"

#define SECRET_KEY_SIZE CIPHER_KEY_SIZE

typedef struct SecretKeys {
        unsigned count;
        uint8_t keys[2][SECRET_KEY_SIZE]; /* the first one seals */
} SecretKeys;

/* Reads and, if there is none, makes the key. Blocks for the disk: at start. */
int secret_keys_load(SecretKeys *keys, int folder_fd, Error *error);
/* A key that nobody else has and that is gone with this process. */
void secret_keys_make(SecretKeys *keys);
void secret_keys_clear(SecretKeys *keys);

/* The caller frees *ret_sealed. */
int secret_value_seal(const SecretKeys *keys, const char *uuid, const void *value, size_t size,
                      char **ret_sealed, Error *error);
/* The caller frees *ret_value, *ret_size bytes, with secret_value_free(). */
int secret_value_open(const SecretKeys *keys, const char *uuid, const char *sealed, uint8_t **ret_value,
                      size_t *ret_size, Error *error);
/* Wipes and frees. */
void secret_value_free(uint8_t *value, size_t size);
