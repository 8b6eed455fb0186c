/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The descriptors belong to the process, as its environment does, and so does the table. */

#include "core/kept.h"
#include "core/cleanup.h"
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

typedef struct Kept {
        char *name;
        int fd; /* of the last daemon, until it is taken; negative: ours has another owner */
} Kept;

static GPtrArray *all; /* of Kept */

static void kept_free(void *data)
{
        Kept *kept = data;

        closep(&kept->fd);
        g_free(kept->name);
        g_free(kept);
}

static void add(const char *name, int fd)
{
        Kept *kept = g_new(Kept, 1);

        *kept = (Kept){ g_strdup(name), fd };
        g_ptr_array_add(all, kept);
}

void kept_open(void)
{
        char **names = NULL;
        int n = sd_listen_fds_with_names(true, &names);

        all = g_ptr_array_new_with_free_func(kept_free);
        for (int i = 0; i < n; i++)
                add(names[i], SD_LISTEN_FDS_START + i);
        for (int i = 0; i < n; i++)
                free(names[i]); /* sd-daemon's, by malloc() */
        free(names);
}

size_t kept_take(const char *name, int *ret_fds, size_t size)
{
        size_t n = 0;

        for (unsigned i = 0; all && i < all->len && n < size; i++) {
                Kept *kept = all->pdata[i];

                if (kept->fd >= 0 && strcmp(kept->name, name) == 0)
                        ret_fds[n++] = TAKE_FD(kept->fd);
        }
        return n;
}

void kept_put(const char *name, const int *fds, size_t n_fds)
{
        _cleanup_(freep) char *state = g_strdup_printf("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);

        if (!all || sd_pid_notify_with_fds(0, false, state, fds, (unsigned)n_fds) <= 0)
                return; /* nobody keeps them */
        add(name, -EBADF);
}

void kept_drop(const char *prefix)
{
        for (unsigned i = all ? all->len : 0; i-- > 0;) {
                const Kept *kept = all->pdata[i];

                if (!g_str_has_prefix(kept->name, prefix))
                        continue;
                (void)sd_notifyf(false, "FDSTOREREMOVE=1\nFDNAME=%s", kept->name); /* or nobody keeps it */
                g_ptr_array_remove_index(all, i);
        }
}

void kept_close(void)
{
        g_clear_pointer(&all, g_ptr_array_unref);
}
