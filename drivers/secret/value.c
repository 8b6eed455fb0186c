/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sealed are: nonce, encrypted value, tag. */

#include "drivers/secret/value.h"
#include "core/store.h"
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <string.h>

#define CIPHER          GNUTLS_CIPHER_AES_256_GCM
#define NONCE_SIZE      12
#define TAG_SIZE        16
#define KEY_FILE        "key"
#define CREDENTIAL_NAME "virtbus-secrets-key"

static int key_read(SecretKeys *keys, int folder_fd, const char *name, Error *error)
{
        _cleanup_(freep) char *data = NULL;
        size_t size;
        int r = store_read(folder_fd, name, 4096, &data, &size, error);

        if (r < 0)
                return r;
        if (size == SECRET_KEY_SIZE)
                memcpy(keys->keys[keys->count++], data, SECRET_KEY_SIZE);
        else
                r = error_set(error, ERROR_OPERATION_FAILED,
                              "The key of the secrets, '%s', has %zu bytes instead of %d", name, size,
                              SECRET_KEY_SIZE);
        explicit_bzero(data, size);
        return r;
}

static int credential_read(SecretKeys *keys, Error *error)
{
        const char *path = g_getenv("CREDENTIALS_DIRECTORY");
        _cleanup_(closep) int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EBADF;

        if (fd < 0 || faccessat(fd, CREDENTIAL_NAME, F_OK, 0) < 0)
                return 0; /* systemd would not have started a daemon whose credential is missing */
        return key_read(keys, fd, CREDENTIAL_NAME, error);
}

int secret_keys_make(SecretKeys *keys, Error *error)
{
        if (gnutls_rnd(GNUTLS_RND_KEY, keys->keys[0], SECRET_KEY_SIZE) < 0)
                return error_set(error, ERROR_OPERATION_FAILED, "There are no random numbers for a key");
        keys->count = 1;
        return 0;
}

static int key_make(SecretKeys *keys, int folder_fd, Error *error)
{
        int r = secret_keys_make(keys, error);

        if (r >= 0)
                r = store_write(folder_fd, KEY_FILE, keys->keys[0], SECRET_KEY_SIZE, 0600, error);
        if (r < 0)
                keys->count = 0; /* one that would be lost must not be used */
        return r;
}

int secret_keys_load(SecretKeys *keys, int folder_fd, Error *error)
{
        int r = credential_read(keys, error);

        if (r < 0)
                return r;
        if (faccessat(folder_fd, KEY_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return key_read(keys, folder_fd, KEY_FILE, error);
        return keys->count > 0 ? 0 : key_make(keys, folder_fd, error);
}

void secret_keys_clear(SecretKeys *keys)
{
        explicit_bzero(keys, sizeof *keys);
}

static int cipher_init(gnutls_aead_cipher_hd_t *ret_cipher, const uint8_t *key, Error *error)
{
        const gnutls_datum_t datum = { (unsigned char *)key, SECRET_KEY_SIZE };
        int r = gnutls_aead_cipher_init(ret_cipher, CIPHER, &datum);

        return r < 0 ? error_set(error, ERROR_OPERATION_FAILED, "AES-256-GCM: %s", gnutls_strerror(r)) : 0;
}

int secret_value_seal(const SecretKeys *keys, const char *uuid, const void *value, size_t size,
                      char **ret_sealed, Error *error)
{
        size_t sealed_size = size + TAG_SIZE;
        _cleanup_(freep) uint8_t *bytes = g_malloc(NONCE_SIZE + sealed_size);
        gnutls_aead_cipher_hd_t cipher;
        int r;

        if (keys->count == 0)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "There is no key to encrypt secrets with: the daemon's log says why");
        r = cipher_init(&cipher, keys->keys[0], error);
        if (r < 0)
                return r;
        r = gnutls_rnd(GNUTLS_RND_NONCE, bytes, NONCE_SIZE);
        if (r >= 0)
                r = gnutls_aead_cipher_encrypt(cipher, bytes, NONCE_SIZE, uuid, strlen(uuid), TAG_SIZE,
                                               value, size, bytes + NONCE_SIZE, &sealed_size);
        gnutls_aead_cipher_deinit(cipher);
        if (r < 0)
                return error_set(error, ERROR_OPERATION_FAILED, "Cannot encrypt the value: %s",
                                 gnutls_strerror(r));
        *ret_sealed = g_base64_encode(bytes, NONCE_SIZE + sealed_size);
        return 0;
}

void secret_value_free(uint8_t *value, size_t size)
{
        if (value)
                explicit_bzero(value, size);
        g_free(value);
}

/* 1: opened; 0: not with this key. */
static int open_with(const uint8_t *key, const char *uuid, const uint8_t *bytes, size_t size, uint8_t *value,
                     size_t *ret_size, Error *error)
{
        gnutls_aead_cipher_hd_t cipher;
        int r = cipher_init(&cipher, key, error);

        if (r < 0)
                return r;
        r = gnutls_aead_cipher_decrypt(cipher, bytes, NONCE_SIZE, uuid, strlen(uuid), TAG_SIZE,
                                       bytes + NONCE_SIZE, size - NONCE_SIZE, value, ret_size);
        gnutls_aead_cipher_deinit(cipher);
        return r >= 0;
}

int secret_value_open(const SecretKeys *keys, const char *uuid, const char *sealed, uint8_t **ret_value,
                      size_t *ret_size, Error *error)
{
        size_t size;
        _cleanup_(freep) uint8_t *bytes = g_base64_decode(sealed, &size);
        uint8_t *value;

        if (size < NONCE_SIZE + TAG_SIZE)
                return error_set(error, ERROR_OPERATION_FAILED, "The stored value is damaged");
        value = g_malloc(size);
        for (unsigned i = 0; i < keys->count; i++) {
                size_t value_size = size - NONCE_SIZE - TAG_SIZE;
                int r = open_with(keys->keys[i], uuid, bytes, size, value, &value_size, error);

                if (r > 0) {
                        *ret_value = value;
                        *ret_size = value_size;
                        return 0;
                }
                if (r < 0)
                        break;
        }
        secret_value_free(value, size);
        return error_set(error, ERROR_OPERATION_FAILED,
                         "The stored value is damaged, or was encrypted with a key that is gone");
}
