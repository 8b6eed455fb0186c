/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/watch.h"
#include "core/loop.h"
#include "drivers/storage/files.h"
#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>

#define NAMES_MAX 1024
#define GONE      (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)

struct Watch {
        int fd;
        sd_event_source *source;
        WatchChanged changed;
        void *data;
        GHashTable *names; /* NULL: none */
        bool is_all;
};

static void note(Watch *watch, const struct inotify_event *event)
{
        if (event->mask & GONE) {
                watch->is_all = true;
                return;
        }
        if (event->len == 0 || g_str_has_prefix(event->name, FILES_PART_PREFIX))
                return;
        if (!watch->names)
                watch->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_hash_table_add(watch->names, g_strdup(event->name));
        if (g_hash_table_size(watch->names) > NAMES_MAX)
                watch->is_all = true;
}

static void drain(Watch *watch)
{
        char buffer[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
        ssize_t size;

        while ((size = read(watch->fd, buffer, sizeof(buffer))) > 0)
                for (char *at = buffer; at < buffer + size;) {
                        const struct inotify_event *event = (const struct inotify_event *)at;

                        note(watch, event);
                        at += sizeof(*event) + event->len;
                }
}

static int arrived(sd_event_source *source, int fd, uint32_t events, void *data)
{
        Watch *watch = data;

        (void)source, (void)fd, (void)events;
        drain(watch);
        if (watch_has_news(watch))
                watch->changed(watch->data);
        return 0;
}

/* By the descriptor: what is mounted at the folder's path, or takes its place, is another folder. */
int watch_new(int folder_fd, WatchChanged changed, void *data, Watch **ret_watch)
{
        _cleanup_(watch_freep) Watch *watch = g_new0(Watch, 1);
        char path[sizeof("/proc/self/fd/") + 12];
        int r;

        *watch = (Watch){ .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .changed = changed, .data = data };
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", folder_fd);
        if (watch->fd < 0 ||
            inotify_add_watch(watch->fd, path,
                              IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE |
                                      IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) < 0)
                return -errno;
        r = sd_event_add_io(loop_get(), &watch->source, watch->fd, EPOLLIN, arrived, watch);
        if (r < 0)
                return r;
        *ret_watch = TAKE_PTR(watch);
        return 0;
}

bool watch_has_news(const Watch *watch)
{
        return watch->names || watch->is_all;
}

GHashTable *watch_take(Watch *watch, bool *ret_all)
{
        drain(watch);
        *ret_all = watch->is_all;
        watch->is_all = false;
        return TAKE_PTR(watch->names);
}

Watch *watch_free(Watch *watch)
{
        if (!watch)
                return NULL;
        sd_event_source_disable_unref(watch->source);
        closep(&watch->fd);
        if (watch->names)
                g_hash_table_unref(watch->names);
        g_free(watch);
        return NULL;
}
