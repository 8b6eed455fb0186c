/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* AES-256-CBC with a fresh vector for each value and padding to whole blocks, as QEMU's secret objects with
 * a "keyid" expect it. Values are in memory in the open for as long as one call of encrypt() takes. */

#include "drivers/qemu/secret.h"
#include "core/cipher.h"
#include "core/store.h"
#include "drivers/qemu/folder.h"
#include "drivers/secret/secrets.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct MasterKey {
        uint8_t bytes[CIPHER_KEY_SIZE];
} MasterKey;

static void master_key_clear(MasterKey *key)
{
        explicit_bzero(key, sizeof *key);
}

static int save(const MasterKey *key, int folder_fd, uid_t uid, gid_t gid, Error *error)
{
        _cleanup_(closep) int fd = openat(folder_fd, MASTER_KEY_FILE,
                                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);

        if (fd < 0 || write(fd, key->bytes, CIPHER_KEY_SIZE) != CIPHER_KEY_SIZE ||
            (uid != (uid_t)-1 && fchown(fd, uid, gid) < 0))
                return error_set_errno(error, errno, "Cannot write the key for secrets");
        return 0;
}

static int load(MasterKey *key, const Domain *domain, Error *error)
{
        _cleanup_(closep) int folder = folder_open(domain, error);
        _cleanup_(freep) char *data = NULL;
        size_t size;
        int r = folder < 0 ? folder
                           : store_read(folder, MASTER_KEY_FILE, CIPHER_KEY_SIZE, &data, &size, error);

        if (r >= 0 && size != CIPHER_KEY_SIZE)
                r = error_set(error, ERROR_OPERATION_FAILED, "The key for secrets of the %s is damaged",
                              object_describe((Object *)&domain->object));
        if (r < 0)
                return r;
        memcpy(key->bytes, data, CIPHER_KEY_SIZE);
        explicit_bzero(data, size);
        return 0;
}

static void set_base64(json_t *object, const char *member, const uint8_t *bytes, size_t size)
{
        _cleanup_(freep) char *text = g_base64_encode(bytes, size);

        json_object_set_new(object, member, json_string(text));
}

/* Sets "data" and "iv". */
static int encrypt(const MasterKey *key, const uint8_t *value, size_t size, json_t *object, Error *error)
{
        size_t padding = CIPHER_BLOCK_SIZE - size % CIPHER_BLOCK_SIZE, whole = size + padding;
        _cleanup_(freep) uint8_t *bytes = g_malloc(whole);
        uint8_t vector[CIPHER_BLOCK_SIZE];
        int r;

        memcpy(bytes, value, size);
        memset(bytes + size, (int)padding, padding);
        cipher_random(vector, sizeof vector);
        r = cipher_encrypt_blocks(key->bytes, vector, bytes, whole, error);
        if (r < 0) {
                explicit_bzero(bytes, whole);
                return r;
        }
        set_base64(object, "data", bytes, whole);
        set_base64(object, "iv", vector, CIPHER_BLOCK_SIZE);
        return 0;
}

/* The value as QEMU wants it; the caller frees it by secrets_value_free(). */
static int get_value(const Domain *domain, const PassedSecret *secret, uint8_t **ret_value, size_t *ret_size,
                     Error *error)
{
        uint8_t *value;
        size_t size;
        int r;

        if (secret->text) {
                *ret_value = (uint8_t *)g_strdup(secret->text);
                *ret_size = strlen(secret->text);
                return 0;
        }
        r = secrets_find_value(domain->object.driver, domain->object.owner, secret->reference, &value, &size,
                               error);
        if (r < 0)
                return r;
        if (secret->is_base64) {
                char *text = g_base64_encode(value, size);

                secrets_value_free(value, size);
                value = (uint8_t *)text;
                size = strlen(text);
        }
        *ret_value = value;
        *ret_size = size;
        return 0;
}

static int fill(const Domain *domain, CommandLine *line, const MasterKey *key, Error *error)
{
        for (unsigned i = 0; i < line->secrets->len; i++) {
                const PassedSecret *secret = line->secrets->pdata[i];
                char **argument = (char **)&line->arguments->pdata[secret->argument];
                _cleanup_(json_decrefp) json_t *object = json_loads(*argument, 0, NULL);
                uint8_t *value;
                size_t size;
                int r = get_value(domain, secret, &value, &size, error);

                if (r < 0)
                        return r;
                r = encrypt(key, value, size, object, error);
                secrets_value_free(value, size);
                if (r < 0)
                        return r;
                g_free(*argument);
                *argument = json_dumps(object, JSON_COMPACT);
        }
        return 0;
}

int secret_begin(const Domain *domain, CommandLine *line, int folder_fd, uid_t uid, gid_t gid, Error *error)
{
        _cleanup_(master_key_clear) MasterKey key = {};
        int r;

        cipher_random(key.bytes, sizeof key.bytes);
        r = save(&key, folder_fd, uid, gid, error);
        return r < 0 ? r : fill(domain, line, &key, error);
}

int secret_fill_running(const Domain *domain, CommandLine *line, Error *error)
{
        _cleanup_(master_key_clear) MasterKey key = {};
        int r;

        if (line->secrets->len == 0)
                return 0;
        r = load(&key, domain, error);
        return r < 0 ? r : fill(domain, line, &key, error);
}
