/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libgcrypt, which libsystemd brings along, so that it costs no memory of its own. Random bytes come from
 * the kernel. */

#include "core/cipher.h"
#include <errno.h>
#include <gcrypt.h>
#include <string.h>
#include <sys/random.h>

void cipher_random(void *bytes, size_t size)
{
        g_assert(size <= 256); /* so much comes at once or not at all */
        while (getrandom(bytes, size, 0) < 0)
                g_assert(errno == EINTR);
}

static int fail(gcry_error_t failure, Error *error)
{
        return error_set(error, ERROR_OPERATION_FAILED, "AES-256: %s", gcry_strerror(failure));
}

/* The library's own locked memory would cost more than it guards: keys are in ours, too. */
static int cipher_new(int mode, const uint8_t *key, const uint8_t *start, size_t start_size,
                      gcry_cipher_hd_t *ret_cipher, Error *error)
{
        gcry_cipher_hd_t cipher;
        gcry_error_t failure;

        if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
                if (!gcry_check_version("1.9.0"))
                        return error_set(error, ERROR_OPERATION_FAILED, "libgcrypt is too old");
                (void)gcry_control(GCRYCTL_DISABLE_SECMEM); /* these two cannot fail */
                (void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
        }
        failure = gcry_cipher_open(&cipher, GCRY_CIPHER_AES256, mode, 0);
        if (failure)
                return fail(failure, error);
        failure = gcry_cipher_setkey(cipher, key, CIPHER_KEY_SIZE);
        if (!failure)
                failure = gcry_cipher_setiv(cipher, start, start_size);
        if (failure) {
                gcry_cipher_close(cipher);
                return fail(failure, error);
        }
        *ret_cipher = cipher;
        return 0;
}

static int bound_cipher_new(const uint8_t *key, const uint8_t *nonce, const char *bound,
                            gcry_cipher_hd_t *ret_cipher, Error *error)
{
        gcry_error_t failure;
        int r = cipher_new(GCRY_CIPHER_MODE_GCM, key, nonce, CIPHER_NONCE_SIZE, ret_cipher, error);

        if (r < 0)
                return r;
        failure = gcry_cipher_authenticate(*ret_cipher, bound, strlen(bound));
        if (!failure)
                return 0;
        gcry_cipher_close(*ret_cipher);
        return fail(failure, error);
}

int cipher_seal(const uint8_t *key, const uint8_t *nonce, const char *bound, uint8_t *bytes, size_t size,
                uint8_t *ret_tag, Error *error)
{
        gcry_cipher_hd_t cipher;
        gcry_error_t failure;
        int r = bound_cipher_new(key, nonce, bound, &cipher, error);

        if (r < 0)
                return r;
        failure = gcry_cipher_encrypt(cipher, bytes, size, NULL, 0);
        if (!failure)
                failure = gcry_cipher_gettag(cipher, ret_tag, CIPHER_TAG_SIZE);
        gcry_cipher_close(cipher);
        return failure ? fail(failure, error) : 0;
}

int cipher_open(const uint8_t *key, const uint8_t *nonce, const char *bound, uint8_t *bytes, size_t size,
                const uint8_t *tag, Error *error)
{
        gcry_cipher_hd_t cipher;
        gcry_error_t failure;
        int r = bound_cipher_new(key, nonce, bound, &cipher, error);

        if (r < 0)
                return r;
        failure = gcry_cipher_decrypt(cipher, bytes, size, NULL, 0);
        if (!failure)
                failure = gcry_cipher_checktag(cipher, tag, CIPHER_TAG_SIZE);
        gcry_cipher_close(cipher);
        if (gcry_err_code(failure) == GPG_ERR_CHECKSUM)
                return -EBADMSG;
        return failure ? fail(failure, error) : 0;
}

int cipher_encrypt_blocks(const uint8_t *key, const uint8_t *vector, uint8_t *bytes, size_t size,
                          Error *error)
{
        gcry_cipher_hd_t cipher;
        gcry_error_t failure;
        int r = cipher_new(GCRY_CIPHER_MODE_CBC, key, vector, CIPHER_BLOCK_SIZE, &cipher, error);

        if (r < 0)
                return r;
        failure = gcry_cipher_encrypt(cipher, bytes, size, NULL, 0);
        gcry_cipher_close(cipher);
        return failure ? fail(failure, error) : 0;
}
