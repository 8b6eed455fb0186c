/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/encryption.h"
#include "drivers/secret/secrets.h"
#include <sys/mman.h>

static int write_key(const uint8_t *value, size_t size, int *ret_key_fd, Error *error)
{
        _cleanup_(closep) int fd = memfd_create("passphrase", MFD_CLOEXEC);

        if (fd < 0 || write(fd, value, size) != (ssize_t)size)
                return error_set_errno(error, errno, "Cannot pass a passphrase on");
        *ret_key_fd = TAKE_FD(fd);
        return 0;
}

static int open_key(const Driver *driver, uid_t owner, const SecretReference *reference, int *ret_key_fd,
                    Error *error)
{
        uint8_t *value;
        size_t size;
        int r = secrets_find_value(driver, owner, reference, &value, &size, error);

        if (r < 0)
                return r;
        r = write_key(value, size, ret_key_fd, error);
        secrets_value_free(value, size);
        return r;
}

static void add_reference(DiskEncryption *encryption, const char *uuid)
{
        SecretReference *reference = g_new0(SecretReference, 1);

        reference->type = SECRET_TYPE_PASSPHRASE;
        g_strlcpy(reference->uuid, uuid, sizeof reference->uuid);
        encryption->secrets.items = g_renew(SecretReference *, encryption->secrets.items, 1);
        encryption->secrets.items[0] = reference;
        encryption->secrets.count = 1;
}

int encryption_open_new(Call *call, const char *path, DiskEncryption *encryption, int *ret_key_fd,
                        Secret **ret_secret, Error *error)
{
        _cleanup_(object_unrefp) Object *secret = NULL;
        int r;

        if (encryption->secrets.count == 0) {
                r = secrets_generate(call, path, (Secret **)&secret, error);
                if (r < 0)
                        return r;
                add_reference(encryption, secret->uuid);
        }
        r = open_key(call->driver, secret ? secret->owner : call->owner, encryption->secrets.items[0],
                     ret_key_fd, error);
        if (r >= 0)
                *ret_secret = (Secret *)TAKE_PTR(secret);
        else if (secret)
                (void)secrets_undefine(call, (Secret *)secret, NULL);
        return r;
}

int encryption_open(const Volume *volume, int *ret_key_fd, Error *error)
{
        const Object *object = &volume->volume.object;
        const VolumeHeader *header = &volume->entry->header;
        SecretReference reference = { .type = SECRET_TYPE_VOLUME, .usage = volume->volume.path };

        *ret_key_fd = 0;
        if (!header->encrypted)
                return 0;
        if (!header->is_luks)
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "The volume '%s' is encrypted in the old way of qcow: only LUKS is supported",
                        object->name);
        return open_key(object->driver, object->owner, &reference, ret_key_fd, error);
}

DiskEncryption *encryption_describe(const Volume *volume)
{
        const Object *object = &volume->volume.object;
        const VolumeHeader *header = &volume->entry->header;
        const char *uuid;
        DiskEncryption *encryption;

        if (!header->encrypted)
                return NULL;
        encryption = struct_new(&disk_encryption_type);
        encryption->format = header->is_luks ? ENCRYPTION_FORMAT_LUKS : ENCRYPTION_FORMAT_QCOW;
        uuid = secrets_find_for_volume(object->driver, object->owner, volume->volume.path);
        if (uuid)
                add_reference(encryption, uuid);
        return encryption;
}
