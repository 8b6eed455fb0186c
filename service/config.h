/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the daemon's files are and how it was started. Read once at start, constant afterwards. All folders
 * are below --root=DIR if that was given. */

#include "core/error.h"
#include <sys/types.h>

typedef struct Config {
        bool is_system;     /* --system: machines of all users; --session: those of one */
        uid_t uid;          /* the daemon's own */
        char *address;      /* of the bus; NULL: the mode's own */
        char *root;         /* NULL: none given */
        char *config_dir;   /* definitions, survive everything: system /etc/virtbus, session
                               $XDG_CONFIG_HOME/virtbus */
        char *state_dir;    /* machine state: system /var/lib/virtbus, session $XDG_DATA_HOME/virtbus */
        char *cache_dir;    /* may be deleted: system /var/cache/virtbus, session $XDG_CACHE_HOME/virtbus */
        char *run_dir;      /* gone at reboot: system /run/virtbus, session $XDG_RUNTIME_DIR/virtbus */
        char *machine_user; /* QEMU of machines that no user owns runs as this one; NULL in a session */
        int log_level;
} Config;

/* Fills everything from the arguments; 1 when --help or --version was answered and the process should end
 * well. */
int config_parse(Config *config, int argc, char *argv[], Error *error);
void config_clear(Config *config);
