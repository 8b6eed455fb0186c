/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* AES-256, for values that rest on the disk and for those that go to QEMU; and keys. */

#include "core/error.h"

#define CIPHER_KEY_SIZE   32
#define CIPHER_NONCE_SIZE 12
#define CIPHER_TAG_SIZE   16
#define CIPHER_BLOCK_SIZE 16

/* Random bytes that may be a key: up to 256. */
void cipher_random(void *bytes, size_t size);

/* GCM, in place: `bytes` are `size` bytes of the value, and the tag is written. `bound` is text without
 * which the value cannot be opened. */
int cipher_seal(const uint8_t *key, const uint8_t *nonce, const char *bound, uint8_t *bytes, size_t size,
                uint8_t *ret_tag, Error *error);
/* -EBADMSG, without an error, if it was not sealed by that key or is not whole; `bytes` mean nothing then.
 */
int cipher_open(const uint8_t *key, const uint8_t *nonce, const char *bound, uint8_t *bytes, size_t size,
                const uint8_t *tag, Error *error);
/* CBC, in place; `size` is a multiple of CIPHER_BLOCK_SIZE. */
int cipher_encrypt_blocks(const uint8_t *key, const uint8_t *vector, uint8_t *bytes, size_t size,
                          Error *error);
