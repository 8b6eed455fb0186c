/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The passphrases of encrypted volumes, which are the values of secrets. They go to qemu-img in files of
 * memory, never by a path or an argument. */

#include "drivers/storage/contents.h"
#include "objects/secret.h"

/* The passphrase that a new volume's <encryption> names, as a file; one that names none gets a new secret,
 * *ret_secret (counted, else NULL), which the definition names then. */
int encryption_open_new(Call *call, const char *path, DiskEncryption *encryption, int *ret_key_fd,
                        Secret **ret_secret, Error *error) AWAITS;
/* That of a volume which is there: the owner's secret whose usage is the volume's path. 0 with *ret_key_fd 0
 * if it is not encrypted. */
int encryption_open(const Volume *volume, int *ret_key_fd, Error *error);
/* What the definition of such a volume says; NULL if it is not encrypted. */
DiskEncryption *encryption_describe(const Volume *volume);

static inline void key_close(int *key_fd)
{
        if (*key_fd > 0)
                closep(key_fd);
}
