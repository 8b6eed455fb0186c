/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of type rbd: the images of a Ceph pool, by Ceph's tool. They are on the network: a volume's path is
 * POOL/IMAGE. */

#include "drivers/secret/secrets.h"
#include "drivers/storage/blocks.h"
#include "drivers/storage/command.h"
#include "drivers/storage/key.h"
#include "drivers/storage/listed.h"
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#define TIMEOUT_USEC (120 * G_USEC_PER_SEC)

static bool is_word(const char *text)
{
        return *text && *text != '-' && !strpbrk(text, " \t\n,/@");
}

/* "host:port,host:port"; the caller frees. */
static int monitors_of(const StoragePoolDefinition *pool, char **ret_monitors, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < pool->source.hosts.count; i++) {
                const PoolHost *host = pool->source.hosts.items[i];

                if (!is_word(host->name))
                        return error_set(error, ERROR_INVALID_ARGUMENT,
                                         "pool '%s': <host>: '%s' is no name or address", pool->name,
                                         host->name);
                g_string_append_printf(text, strchr(host->name, ':') ? "%s[%s]" : "%s%s", i > 0 ? "," : "",
                                       host->name);
                if (host->port != 0)
                        g_string_append_printf(text, ":%u", host->port);
        }
        *ret_monitors = g_string_free(TAKE_PTR(text), FALSE);
        return 0;
}

/* A file of memory with the key, in base64 as Ceph's tools read it. */
static int open_key(const StoragePoolDefinition *pool, int *ret_fd, Error *error)
{
        _cleanup_(closep) int fd = -EBADF;
        uint8_t *value;
        char *text;
        size_t size, length;
        ssize_t n;
        int r = is_word(pool->source.auth->username)
                        ? pool_key_find(pool, POOL_AUTH_CEPH, &value, &size, error)
                        : error_set(error, ERROR_INVALID_ARGUMENT,
                                    "pool '%s': <auth>: '%s' is no name of a client", pool->name,
                                    pool->source.auth->username);

        if (r < 0)
                return r;
        text = g_base64_encode(value, size);
        secrets_value_free(value, size);
        length = strlen(text);
        fd = memfd_create("key", MFD_CLOEXEC);
        n = fd < 0 ? -1 : write(fd, text, length);
        r = n == (ssize_t)length ? 0 : error_set_errno(error, errno, "Cannot pass a key on");
        secrets_value_free((uint8_t *)text, length);
        if (r >= 0)
                *ret_fd = TAKE_FD(fd);
        return r;
}

/* rbd COMMAND WORD..., of this pool; `words` ends with NULL. */
static int rbd(const StoragePoolDefinition *pool, const char *const *words, char **ret_output,
               Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *arguments = g_ptr_array_new();
        Command command = { .name = "rbd",
                            .purpose = "which manages Ceph's images",
                            .timeout_usec = TIMEOUT_USEC };
        _cleanup_(freep) char *monitors = NULL;
        _cleanup_(closep) int key_fd = -EBADF;
        int r = 0;

        if (pool->rbd_options.count > 0)
                r = error_set(error, ERROR_NOT_SUPPORTED, "pool '%s': <rbd:config_opts> are not supported",
                              pool->name);
        if (r >= 0 && !is_word(pool->source.name))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "pool '%s': '%s' is no name of a Ceph pool",
                              pool->name, pool->source.name);
        if (r >= 0)
                r = monitors_of(pool, &monitors, error);
        if (r >= 0 && pool->source.auth)
                r = open_key(pool, &key_fd, error);
        if (r < 0)
                return r;
        for (const char *const *word = words; *word; word++)
                g_ptr_array_add(arguments, (char *)*word);
        for (const char *const *word =
                     COMMAND_ARGUMENTS("--pool", pool->source.name, "--mon-host", monitors);
             *word; word++)
                g_ptr_array_add(arguments, (char *)*word);
        if (key_fd >= 0) {
                command.fd = key_fd;
                for (const char *const *word = COMMAND_ARGUMENTS("--id", pool->source.auth->username,
                                                                 "--keyfile", "/proc/self/fd/3");
                     *word; word++)
                        g_ptr_array_add(arguments, (char *)*word);
        }
        g_ptr_array_add(arguments, NULL);
        command.arguments = (const char *const *)arguments->pdata;
        return command_run(&command, ret_output, error);
}

static void add_image(const StoragePoolDefinition *pool, const char *name, uint64_t size, GPtrArray *entries)
{
        _cleanup_(freep) char *path = g_strconcat(pool->source.name, "/", name, NULL);

        listed_add(entries, &(Listed){ .name = name, .path = path, .size = size, .allocation = size });
}

static int rbd_list(const StoragePoolDefinition *pool, GPtrArray **ret_entries, BackendSizes *ret_sizes,
                    Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = listed_new();
        _cleanup_(freep) char *output = NULL;
        _cleanup_(json_decrefp) json_t *root = NULL;
        json_t *row;
        size_t i;
        int r = rbd(pool, COMMAND_ARGUMENTS("ls", "--long", "--format", "json"), &output, error);

        if (r >= 0)
                r = listed_json("rbd", output, &root, error);
        if (r < 0)
                return r;
        *ret_sizes = (BackendSizes){};
        json_array_foreach(root, i, row)
        {
                const char *name = listed_json_text(row, "image");

                if (!name || json_object_get(row, "snapshot"))
                        continue;
                add_image(pool, name, listed_json_number(row, "size"), entries);
                ret_sizes->allocation += listed_json_number(row, "size");
        }
        ret_sizes->capacity = ret_sizes->allocation; /* what the cluster could give is not asked for */
        *ret_entries = TAKE_PTR(entries);
        return 0;
}

static int rbd_create_volume(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume,
                             FileEntry **ret_entry, Error *error) AWAITS
{
        _cleanup_(freep) char *size = g_strdup_printf("%" PRIu64 "B", volume->capacity);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = listed_new();
        int r = is_word(volume->name) ? 0
                                      : error_set(error, ERROR_INVALID_ARGUMENT,
                                                  "volume '%s': is no name of an image", volume->name);

        if (r >= 0)
                r = blocks_check_new(volume, "Ceph's images", false, error);
        if (r >= 0)
                r = rbd(pool, COMMAND_ARGUMENTS("create", "--size", size, "--image", volume->name), NULL,
                        error);
        if (r < 0)
                return r;
        add_image(pool, volume->name, volume->capacity, entries);
        *ret_entry = g_ptr_array_steal_index(entries, 0);
        return 0;
}

static int rbd_delete_volume(const StoragePoolDefinition *pool, const FileEntry *entry, Error *error) AWAITS
{
        return rbd(pool, COMMAND_ARGUMENTS("rm", "--no-progress", "--image", entry->name), NULL, error);
}

static int rbd_resize_volume(const StoragePoolDefinition *pool, const FileEntry *entry, uint64_t capacity,
                             Error *error) AWAITS
{
        _cleanup_(freep) char *size = g_strdup_printf("%" PRIu64 "B", capacity);
        /* It may have grown since it was listed: Ceph refuses to shrink it then. */
        const char *shrink = capacity < (uint64_t)entry->stat.st_size ? "--allow-shrink" : NULL;

        return rbd(
                pool,
                COMMAND_ARGUMENTS("resize", "--no-progress", "--size", size, "--image", entry->name, shrink),
                NULL, error);
}

const Backend backend_rbd = {
        .has_auth = true,
        .list = rbd_list,
        .create_volume = rbd_create_volume,
        .delete_volume = rbd_delete_volume,
        .resize_volume = rbd_resize_volume,
};
