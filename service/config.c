/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the daemon was started: the options, and from them the folders. The options of libvirt-dbus are
 * understood as well (--system, --session, --threads), so that a unit file or a test that starts it can
 * start this one. */

#include "config.h"
#include "core/log.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OPTION_SYSTEM = 256, OPTION_SESSION, OPTION_ADDRESS, OPTION_ROOT, OPTION_LOG_LEVEL, OPTION_VERSION };

static const struct option options[] = {
        { "system", no_argument, NULL, OPTION_SYSTEM },
        { "session", no_argument, NULL, OPTION_SESSION },
        { "address", required_argument, NULL, OPTION_ADDRESS },
        { "root", required_argument, NULL, OPTION_ROOT },
        { "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
        { "threads", required_argument, NULL, 't' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, OPTION_VERSION },
        { NULL, 0, NULL, 0 },
};

static const char help[] =
        "virtbusd [OPTION...]\n"
        "\n"
        "Virtualization on the message bus: machines, networks and storage as D-Bus objects.\n"
        "\n"
        "  --system             serve the machines of all users, on the system bus (default for root)\n"
        "  --session            serve one user's machines, on the session bus (default otherwise)\n"
        "  --address=ADDRESS    use the bus at this address instead\n"
        "  --root=DIR           keep all files (etc/virtbus, var/lib/virtbus, var/cache/virtbus, "
        "run/virtbus) below\n"
        "                       DIR\n"
        "  --log-level=LEVEL    emerg, alert, crit, err, warning, notice, info (default) or debug\n"
        "  -t, --threads=N      accepted because libvirt-dbus has it; no call waits for a thread here\n"
        "  -h, --help           show this text\n"
        "  --version            show the version\n";

typedef struct Options {
        bool system, session;
        const char *address, *root, *log_level;
} Options;

static int threads_check(const char *text, Error *error)
{
        gint64 number;

        if (!g_ascii_string_to_signed(text, 10, 1, 10000, &number, NULL))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "--threads=%s is not a number from 1 to 10000", text);
        return 0;
}

/* Returns 1 if the process was only asked for a text. */
static int options_parse(Options *given, int argc, char *argv[], Error *error)
{
        int option;

        opterr = 0;
        optind = 1;
        while ((option = getopt_long(argc, argv, ":t:h", options, NULL)) >= 0) {
                switch (option) {
                case OPTION_SYSTEM:
                        given->system = true;
                        break;
                case OPTION_SESSION:
                        given->session = true;
                        break;
                case OPTION_ADDRESS:
                        given->address = optarg;
                        break;
                case OPTION_ROOT:
                        given->root = optarg;
                        break;
                case OPTION_LOG_LEVEL:
                        given->log_level = optarg;
                        break;
                case 't':
                        if (threads_check(optarg, error) < 0)
                                return -EINVAL;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 1;
                case OPTION_VERSION:
                        printf("virtbusd %s\n", VIRTBUS_VERSION);
                        return 1;
                case ':':
                        return error_set(error, ERROR_INVALID_ARGUMENT, "Option %s needs a value",
                                         argv[optind - 1]);
                default:
                        return error_set(error, ERROR_INVALID_ARGUMENT, "Unknown option %s (see --help)",
                                         argv[optind - 1]);
                }
        }
        if (optind < argc)
                return error_set(error, ERROR_INVALID_ARGUMENT, "Unexpected argument %s (see --help)",
                                 argv[optind]);
        return 0;
}

static int options_check(const Options *given, Error *error)
{
        if (given->system && given->session)
                return error_set(error, ERROR_INVALID_ARGUMENT, "--system and --session exclude each other");
        if (given->address && !*given->address)
                return error_set(error, ERROR_INVALID_ARGUMENT, "--address needs the address of a bus");
        if (given->root && !*given->root)
                return error_set(error, ERROR_INVALID_ARGUMENT, "--root needs a folder");
        if (given->log_level && log_level_from_string(given->log_level) < 0)
                return error_set(error, ERROR_INVALID_ARGUMENT, "--log-level=%s is not a level (see --help)",
                                 given->log_level);
        return 0;
}

/* Below a root folder both modes have the same, short paths: sockets must fit in 107 bytes. */
static void folders_below(Config *config, const char *root)
{
        config->config_dir = g_build_filename(root, "etc/virtbus", NULL);
        config->state_dir = g_build_filename(root, "var/lib/virtbus", NULL);
        config->cache_dir = g_build_filename(root, "var/cache/virtbus", NULL);
        config->run_dir = g_build_filename(root, "run/virtbus", NULL);
}

static int folders_of_user(Config *config, Error *error)
{
        const char *run_dir = getenv("XDG_RUNTIME_DIR");

        if (!run_dir || !g_path_is_absolute(run_dir))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "XDG_RUNTIME_DIR is not set: a session's daemon needs it, or --root=DIR");
        config->config_dir = g_build_filename(g_get_user_config_dir(), "virtbus", NULL);
        config->state_dir = g_build_filename(g_get_user_data_dir(), "virtbus", NULL);
        config->cache_dir = g_build_filename(g_get_user_cache_dir(), "virtbus", NULL);
        config->run_dir = g_build_filename(run_dir, "virtbus", NULL);
        return 0;
}

int config_parse(Config *config, int argc, char *argv[], Error *error)
{
        Options given = {};
        int r;

        r = options_parse(&given, argc, argv, error);
        if (r != 0)
                return r;
        r = options_check(&given, error);
        if (r < 0)
                return r;

        *config = (Config){
                .uid = geteuid(),
                .is_system = given.system || (!given.session && geteuid() == 0),
                .address = g_strdup(given.address),
                .log_level = given.log_level ? log_level_from_string(given.log_level) : LOG_INFO,
        };
        if (config->is_system)
                config->machine_user = g_strdup(VIRTBUS_MACHINE_USER);
        if (given.root)
                config->root = g_canonicalize_filename(given.root, NULL);
        if (config->root || config->is_system)
                folders_below(config, config->root ? config->root : "/");
        else
                return folders_of_user(config, error);
        return 0;
}

void config_clear(Config *config)
{
        g_free(config->address);
        g_free(config->root);
        g_free(config->config_dir);
        g_free(config->state_dir);
        g_free(config->cache_dir);
        g_free(config->run_dir);
        g_free(config->machine_user);
        *config = (Config){};
}
