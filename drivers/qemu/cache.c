/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One entry for each binary, and for each user if it is not the distribution's. An entry is filled by a
 * fiber of its own, so that a caller who leaves takes nothing from those who wait for the same. What blocks
 * (looking at files, at the user database) is one piece of work for a thread, with everything copied in and
 * out. */

#include "drivers/qemu/cache.h"
#include "core/await.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/store.h"
#include "core/worker.h"
#include "drivers/qemu/probe.h"
#include "drivers/qemu/stamp.h"
#include "drivers/qemu/user.h"
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_DEFAULT "/usr/bin"
#define PREFIX         "qemu-system-"
#define FILE_MAX       (4u * 1024 * 1024)
/* Binaries of users are forgotten when there are more: each could bring thousands. */
#define ENTRIES_MAX 128

typedef struct Entry {
        CapabilitiesCache *cache; /* a reference, while the fiber runs */
        char *key, *binary;
        bool is_ours; /* the distribution's: kept on disk */
        uid_t owner;
        char *stamp;
        QemuCapabilities *capabilities; /* NULL: not known */
        Error failure;                  /* of the last attempt */
        Fiber *fiber;                   /* that fills it */
        unsigned n_waiting;
        uint64_t n_attempts; /* that have ended */
        Condition changed;
} Entry;

struct CapabilitiesCache {
        unsigned n_references;
        bool is_closed;
        const Config *config;
        char *folder;
        HostProcessor processor;
        GHashTable *entries; /* key -> Entry */
};

static void entry_free(void *data)
{
        Entry *entry = data;

        g_free(entry->key);
        g_free(entry->binary);
        g_free(entry->stamp);
        capabilities_unref(entry->capabilities);
        error_clear(&entry->failure);
        condition_clear(&entry->changed);
        g_free(entry);
}

CapabilitiesCache *capabilities_cache_new(const Config *config, const char *folder)
{
        CapabilitiesCache *cache = g_new0(CapabilitiesCache, 1);

        cache->n_references = 1;
        cache->config = config;
        cache->folder = g_strdup(folder ? folder : FOLDER_DEFAULT);
        cache->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
        host_processor_read(&cache->processor);
        return cache;
}

static void cache_unref(CapabilitiesCache *cache)
{
        if (--cache->n_references > 0)
                return;
        g_hash_table_unref(cache->entries);
        host_processor_clear(&cache->processor);
        g_free(cache->folder);
        g_free(cache);
}

static void entry_cancel(void *key, void *value, void *data)
{
        Entry *entry = value;

        (void)key;
        (void)data;
        if (entry->fiber)
                fiber_cancel(entry->fiber);
}

CapabilitiesCache *capabilities_cache_free(CapabilitiesCache *cache)
{
        if (!cache)
                return NULL;
        cache->is_closed = true;
        g_hash_table_foreach(cache->entries, entry_cancel, NULL);
        cache_unref(cache);
        return NULL;
}

/* What the thread does: one look at the binary and at the file about it. */
typedef struct Look {
        /* in */
        char *binary, *file_folder, *file, *known_stamp, *user_name;
        bool needs_user;
        uid_t uid;
        HostProcessor processor; /* `checksum` only */
        /* out */
        char *stamp;
        QemuCapabilities *capabilities; /* from the file */
        RunUser user;
        Error error;
} Look;

static void look_free(void *data)
{
        Look *look = data;

        g_free(look->binary);
        g_free(look->file_folder);
        g_free(look->file);
        g_free(look->known_stamp);
        g_free(look->user_name);
        host_processor_clear(&look->processor);
        g_free(look->stamp);
        capabilities_unref(look->capabilities);
        run_user_clear(&look->user);
        error_clear(&look->error);
        g_free(look);
}

/* A file that is missing, broken or out of date is as good as none: the binary is asked again. */
static void look_read_file(Look *look)
{
        _cleanup_(json_decrefp) json_t *root = NULL;
        _cleanup_(closep) int folder = store_open_folder(look->file_folder, 0755, NULL);
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;

        if (folder < 0 || store_read(folder, look->file, FILE_MAX, &text, &size, NULL) < 0)
                return;
        root = json_loadb(text, size, 0, NULL);
        if (g_strcmp0(json_string_value(json_object_get(root, "stamp")), look->stamp) != 0)
                return;
        (void)capabilities_new(look->binary, json_object_get(root, "document"), &look->capabilities, NULL);
}

/* A failure is always this, with the reason in `error`: what worker_run() itself returns is then told apart.
 */
#define LOOK_FAILED (-EIO)

/* A document takes a megabyte, which the thread would keep. One at a time: where a sanitizer has replaced
 * malloc(), the first call begins glibc's own, and not for two threads. */
static void trim(void)
{
        static GMutex mutex;

        g_mutex_lock(&mutex);
        (void)malloc_trim(0);
        g_mutex_unlock(&mutex);
}

static int look_run(void *data)
{
        Look *look = data;

        if (stamp_make(look->binary, &look->processor, &look->stamp, &look->error) < 0)
                return LOOK_FAILED;
        if (g_strcmp0(look->stamp, look->known_stamp) == 0)
                return 0;
        if (look->file) {
                look_read_file(look);
                trim();
        }
        if (look->capabilities || !look->needs_user)
                return 0;
        return run_user_find(look->user_name, look->uid, &look->user, &look->error) < 0 ? LOOK_FAILED : 0;
}

/* A user's own binary runs as that user; all others as the user of machines that nobody owns. */
static Look *look_new(const Entry *entry)
{
        const CapabilitiesCache *cache = entry->cache;
        const Config *config = cache->config;
        Look *look = g_new0(Look, 1);

        look->binary = g_strdup(entry->binary);
        look->known_stamp = entry->capabilities ? g_strdup(entry->stamp) : NULL;
        look->processor.checksum = g_strdup(cache->processor.checksum);
        if (entry->is_ours && config->cache_dir) {
                g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, entry->key, -1);

                look->file_folder = g_build_filename(config->cache_dir, "qemu", NULL);
                look->file = g_strdup_printf("%.32s.json", sum);
        }
        look->needs_user = config->is_system && geteuid() == 0;
        look->uid = entry->owner;
        if (entry->is_ours || entry->owner == 0)
                look->user_name = g_strdup(config->machine_user);
        return look;
}

static void write_file(const Look *look, const char *stamp, json_t *document)
{
        _cleanup_(error_clear) Error error = { 0 };
        _cleanup_(json_decrefp) json_t *root = json_pack("{s:s, s:O}", "stamp", stamp, "document", document);
        _cleanup_(closep) int folder = store_open_folder(look->file_folder, 0755, &error);
        _cleanup_(freep) char *text = json_dumps(root, JSON_COMPACT);

        if (folder < 0 || store_write(folder, look->file, text, strlen(text), 0644, &error) < 0)
                log_warning(look->binary, "What this binary can do is not kept: %s", error.message);
}

static int ask_binary(const Look *look, json_t **ret_document, Error *error)
{
        const ProbeUser user = {
                .set_user = look->needs_user,
                .uid = look->user.uid,
                .gid = look->user.gid,
                .groups = look->user.groups,
                .n_groups = look->user.n_groups,
        };

        if (look->needs_user && look->user.uid == 0)
                return error_set(error, ERROR_INTERNAL, "A binary is never asked with root's rights");
        return probe_run(look->binary, &user, deadline_after_usec(PROBE_TIMEOUT_USEC), ret_document, error);
}

static void entry_set(Entry *entry, const char *stamp, QemuCapabilities *capabilities)
{
        capabilities_unref(entry->capabilities);
        entry->capabilities = capabilities;
        g_free(entry->stamp);
        entry->stamp = g_strdup(stamp);
}

/* By what the look found: what is known holds, or the file does, or the binary must be asked. */
static int entry_update(Entry *entry, Look *look, Error *error)
{
        _cleanup_(json_decrefp) json_t *document = NULL;
        QemuCapabilities *capabilities = NULL;
        int r;

        if (entry->capabilities && g_strcmp0(look->stamp, entry->stamp) == 0)
                return 0;
        if (look->capabilities) {
                entry_set(entry, look->stamp, TAKE_PTR(look->capabilities));
                return 0;
        }
        r = ask_binary(look, &document, error);
        if (r >= 0)
                r = capabilities_new(entry->binary, document, &capabilities, error);
        if (r < 0)
                return r;
        entry_set(entry, look->stamp, capabilities);
        if (look->file)
                write_file(look, look->stamp, document);
        return 0;
}

/* Brings the entry up to date. */
static int entry_fill(Entry *entry, Error *error)
{
        Look *look = look_new(entry);
        int r;

        r = worker_run(look_run, look, look_free, deadline_after_usec(PROBE_TIMEOUT_USEC));
        if (r == -ETIMEDOUT || r == -ECANCELED) /* the thread has it still */
                return error_set(error, r == -ETIMEDOUT ? ERROR_TIMED_OUT : ERROR_CANCELLED,
                                 "Looking at %s took too long", entry->binary);
        if (r == LOOK_FAILED)
                error_move(error, &look->error);
        else if (r < 0)
                error_set_errno(error, r, "Cannot look at %s", entry->binary);
        else
                r = entry_update(entry, look, error);
        look_free(look);
        return r;
}

static void fill_fiber(void *data)
{
        Entry *entry = data;
        CapabilitiesCache *cache = entry->cache;
        _cleanup_(error_clear) Error error = { 0 };
        int r;

        entry->fiber = fiber_ref(fiber_current());
        r = entry_fill(entry, &error);
        entry->fiber = fiber_unref(entry->fiber);
        error_clear(&entry->failure);
        if (r < 0) {
                entry_set(entry, NULL, NULL); /* what was known is no longer true */
                error_move(&entry->failure, &error);
        }
        entry->n_attempts++;
        condition_wake_all(&entry->changed);
        cache_unref(cache);
}

static bool is_ours(const CapabilitiesCache *cache, const char *binary)
{
        _cleanup_(freep) char *folder = g_path_get_dirname(binary);

        return strcmp(folder, cache->folder) == 0;
}

/* All binaries of a session are its user's; the caller frees. */
static char *entry_key(const CapabilitiesCache *cache, const char *binary, uid_t owner)
{
        if (is_ours(cache, binary) || !cache->config->is_system || owner == 0)
                return g_strdup(binary);
        return g_strdup_printf("%u %s", owner, binary);
}

static int is_forgotten(void *key, void *value, void *data)
{
        const Entry *entry = value;

        (void)key;
        (void)data;
        return !entry->is_ours && !entry->fiber && entry->n_waiting == 0;
}

static Entry *entry_obtain(CapabilitiesCache *cache, const char *binary, uid_t owner)
{
        _cleanup_(freep) char *key = entry_key(cache, binary, owner);
        Entry *entry = g_hash_table_lookup(cache->entries, key);

        if (entry)
                return entry;
        if (g_hash_table_size(cache->entries) >= ENTRIES_MAX)
                g_hash_table_foreach_remove(cache->entries, is_forgotten, NULL);
        entry = g_new0(Entry, 1);
        entry->cache = cache;
        entry->key = TAKE_PTR(key);
        entry->binary = g_strdup(binary);
        entry->is_ours = is_ours(cache, binary);
        entry->owner = owner;
        g_hash_table_insert(cache->entries, entry->key, entry);
        return entry;
}

QemuCapabilities *capabilities_get(CapabilitiesCache *cache, const char *binary, uid_t owner)
{
        _cleanup_(freep) char *key = entry_key(cache, binary, owner);
        const Entry *entry = g_hash_table_lookup(cache->entries, key);

        return entry ? entry->capabilities : NULL;
}

static int wait_for_attempt(Entry *entry, uint64_t deadline_usec, Error *error)
{
        uint64_t attempt = entry->n_attempts;
        int r = 0;

        if (!entry->fiber) {
                entry->cache->n_references++;
                r = fiber_start("qemu-probe", fill_fiber, entry);
                if (r < 0) {
                        cache_unref(entry->cache);
                        return error_set(error, ERROR_LIMITS_EXCEEDED, "Too much is going on to ask %s",
                                         entry->binary);
                }
        }
        while (r >= 0 && entry->n_attempts == attempt)
                r = condition_wait(&entry->changed, deadline_usec);
        if (r < 0)
                return error_set(error, r == -ETIMEDOUT ? ERROR_TIMED_OUT : ERROR_CANCELLED,
                                 "Waiting for what %s can do was given up", entry->binary);
        return 0;
}

int capabilities_wait(CapabilitiesCache *cache, const char *binary, uid_t owner, uint64_t deadline_usec,
                      QemuCapabilities **ret_capabilities, Error *error)
{
        Entry *entry;
        int r;

        if (!g_path_is_absolute(binary))
                return error_set(error, ERROR_INVALID_XML, "The emulator's path is not absolute: %s",
                                 binary);
        if (cache->is_closed)
                return error_set(error, ERROR_CANCELLED, "The daemon ends");
        cache->n_references++;
        entry = entry_obtain(cache, binary, owner);
        entry->n_waiting++;
        r = wait_for_attempt(entry, deadline_usec, error);
        if (r >= 0 && entry->capabilities)
                *ret_capabilities = capabilities_ref(entry->capabilities);
        else if (r >= 0)
                r = error_set(error, entry->failure.code, "%s", entry->failure.message);
        entry->n_waiting--;
        cache_unref(cache);
        return r;
}

char *capabilities_binary_for(const CapabilitiesCache *cache, const char *arch)
{
        return g_strdup_printf("%s/" PREFIX "%s", cache->folder, arch_to_qemu(arch));
}

typedef struct Search {
        char *folder;
        GPtrArray *names;
} Search;

static void search_free(void *data)
{
        Search *search = data;

        g_free(search->folder);
        g_ptr_array_unref(search->names);
        g_free(search);
}

static int search_run(void *data)
{
        Search *search = data;
        g_autoptr(GDir) folder = g_dir_open(search->folder, 0, NULL);
        const char *name;

        if (!folder)
                return LOOK_FAILED;
        while ((name = g_dir_read_name(folder))) {
                /* One for each architecture; "qemu-system-x86_64-microvm" and its like are for those who
                 * know them. */
                if (g_str_has_prefix(name, PREFIX) && !strchr(name + strlen(PREFIX), '-'))
                        g_ptr_array_add(search->names, g_build_filename(search->folder, name, NULL));
        }
        return 0;
}

void capabilities_probe_all(CapabilitiesCache *cache)
{
        Search *search = g_new0(Search, 1);
        int r;

        search->folder = g_strdup(cache->folder);
        search->names = g_ptr_array_new_with_free_func(g_free);
        r = worker_run(search_run, search, search_free, deadline_after_usec(PROBE_TIMEOUT_USEC));
        if (r == -ETIMEDOUT || r == -ECANCELED)
                return; /* the thread has it still */
        cache->n_references++;
        for (unsigned i = 0; i < search->names->len && !cache->is_closed; i++) {
                const char *binary = g_ptr_array_index(search->names, i);
                _cleanup_(capabilities_unrefp) QemuCapabilities *capabilities = NULL;
                _cleanup_(error_clear) Error error = { 0 };

                r = capabilities_wait(cache, binary, 0, DEADLINE_NEVER, &capabilities, &error);
                if (r == -ECANCELED)
                        break;
                if (r < 0)
                        log_warning(binary, "This emulator is of no use: %s", error.message);
                else
                        log_debug(binary, "%u machine types, %s", capabilities->machines->len,
                                  capabilities->has_kvm ? "with KVM" : "without KVM");
        }
        cache_unref(cache);
        search_free(search);
}

void capabilities_foreach(CapabilitiesCache *cache, CapabilitiesVisit function, void *data)
{
        GHashTableIter i;
        void *value;

        g_hash_table_iter_init(&i, cache->entries);
        while (g_hash_table_iter_next(&i, NULL, &value)) {
                Entry *entry = value;

                if (entry->is_ours && entry->capabilities)
                        function(entry->capabilities, data);
        }
}

const char *capabilities_cpu_vendor(const CapabilitiesCache *cache)
{
        return cache->processor.vendor;
}
