/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sealed are: nonce, encrypted value, tag. */

#include "drivers/secret/value.h"
#include "core/cipher.h"
#include "core/store.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

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

void secret_keys_make(SecretKeys *keys)
{
        cipher_random(keys->keys[0], SECRET_KEY_SIZE);
        keys->count = 1;
}

static int key_make(SecretKeys *keys, int folder_fd, Error *error)
{
        int r;

        secret_keys_make(keys);
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

int secret_value_seal(const SecretKeys *keys, const char *uuid, const void *value, size_t size,
                      char **ret_sealed, Error *error)
{
        size_t sealed_size = CIPHER_NONCE_SIZE + size + CIPHER_TAG_SIZE;
        _cleanup_(freep) uint8_t *bytes = g_malloc(sealed_size);
        uint8_t *sealed = bytes + CIPHER_NONCE_SIZE;
        int r;

        if (keys->count == 0)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "There is no key to encrypt secrets with: the daemon's log says why");
        cipher_random(bytes, CIPHER_NONCE_SIZE);
        memcpy(sealed, value, size);
        r = cipher_seal(keys->keys[0], bytes, uuid, sealed, size, sealed + size, error);
        if (r < 0) {
                explicit_bzero(bytes, sealed_size);
                return r;
        }
        *ret_sealed = g_base64_encode(bytes, sealed_size);
        return 0;
}

void secret_value_free(uint8_t *value, size_t size)
{
        if (value)
                explicit_bzero(value, size);
        g_free(value);
}

int secret_value_open(const SecretKeys *keys, const char *uuid, const char *sealed, uint8_t **ret_value,
                      size_t *ret_size, Error *error)
{
        size_t size;
        _cleanup_(freep) uint8_t *bytes = g_base64_decode(sealed, &size);
        uint8_t *value;
        int r = -EBADMSG;

        if (size < CIPHER_NONCE_SIZE + CIPHER_TAG_SIZE)
                return error_set(error, ERROR_OPERATION_FAILED, "The stored value is damaged");
        size -= CIPHER_NONCE_SIZE + CIPHER_TAG_SIZE;
        value = g_malloc(size + 1); /* never NULL */
        for (unsigned i = 0; i < keys->count && r == -EBADMSG; i++) {
                memcpy(value, bytes + CIPHER_NONCE_SIZE, size);
                r = cipher_open(keys->keys[i], bytes, uuid, value, size, bytes + CIPHER_NONCE_SIZE + size,
                                error);
        }
        if (r >= 0) {
                *ret_value = value;
                *ret_size = size;
                return 0;
        }
        secret_value_free(value, size);
        if (r != -EBADMSG)
                return r;
        return error_set(error, ERROR_OPERATION_FAILED,
                         "The stored value is damaged, or was encrypted with a key that is gone");
}
