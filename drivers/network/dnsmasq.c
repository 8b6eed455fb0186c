/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* dnsmasq puts itself into the background once it listens, so that its first process' end says whether all
 * went well, and its messages why not. It opens the file of leases before it gives root's rights away. */

#include "drivers/network/dnsmasq.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/store.h"
#include "drivers/network/tool.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define START_TIMEOUT_USEC (15 * G_USEC_PER_SEC)
#define STOP_TIMEOUT_USEC  (3 * G_USEC_PER_SEC)
#define END_TRIES_MAX      10

static char *file_path(const char *folder, const char *uuid, const char *suffix)
{
        return g_strconcat(folder, "/", uuid, ".", suffix, NULL);
}

/* What is read by its path from the configuration is in a folder of the network, under a name that an
 * administrator knows, unless that means something in dnsmasq's files. */
static char *list_name(const NetworkDefinition *definition, const char *suffix)
{
        const char *c = definition->name;

        while (g_ascii_isalnum(*c) || (*c && strchr("-_.", *c)))
                c++;
        return g_strconcat(*c ? "network" : definition->name, ".", suffix, NULL);
}

static int write_text(const char *folder, const char *name, const GString *text, Error *error) AWAITS
{
        _cleanup_(closep) int fd = store_open_folder(folder, 0755, error);

        return fd < 0 ? fd
                      : store_write(fd, name, text->str, text->len, 0644, error); /* its user reads it */
}

static int write_list(const NetworkDefinition *definition, const char *folder, const char *key,
                      const char *suffix, const GString *text, GString *config, Error *error) AWAITS
{
        _cleanup_(freep) char *name = list_name(definition, suffix);
        _cleanup_(freep) char *path = g_build_filename(folder, definition->uuid, NULL);

        g_string_append_printf(config, "%s=%s/%s\n", key, path, name);
        return write_text(path, name, text, error);
}

static bool has_dhcp(const NetworkDefinition *definition)
{
        LIST_FOREACH (ip, definition->ips) {
                if (ip->dhcp)
                        return true;
        }
        return false;
}

static int write_files(const NetworkDefinition *definition, const DnsmasqPlaces *places, Error *error) AWAITS
{
        _cleanup_(dnsmasq_files_clear) DnsmasqFiles files = {};
        _cleanup_(closep) int leases_fd = -EBADF;
        _cleanup_(freep) char *name = g_strconcat(definition->uuid, ".conf", NULL);
        const char *folder = places->folder;
        int r = dnsmasq_files_make(definition, &files, error);

        if (r < 0)
                return r;
        leases_fd = store_open_folder(places->leases_folder, 0755, error);
        if (leases_fd < 0)
                return leases_fd;
        if (has_dhcp(definition))
                r = write_list(definition, folder, "dhcp-hostsfile", "hostsfile", files.hosts, files.config,
                               error);
        if (r >= 0)
                r = write_list(definition, folder, "addn-hosts", "addnhosts", files.names, files.config,
                               error);
        return r < 0 ? r : write_text(folder, name, files.config, error);
}

/* None of them need be there. */
void dnsmasq_remove_files(const NetworkDefinition *definition, const char *folder)
{
        static const char *const lists[] = { "hostsfile", "addnhosts" }, *const own[] = { "conf", "pid" };
        _cleanup_(freep) char *lists_path = g_build_filename(folder, definition->uuid, NULL);

        for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
                _cleanup_(freep) char *name = list_name(definition, lists[i]);
                _cleanup_(freep) char *path = g_build_filename(lists_path, name, NULL);

                (void)unlink(path);
        }
        (void)rmdir(lists_path);
        for (unsigned i = 0; i < G_N_ELEMENTS(own); i++) {
                _cleanup_(freep) char *path = file_path(folder, definition->uuid, own[i]);

                (void)unlink(path);
        }
}

/* Its real user, which nobody gets by running a program that has the set-user-ID bit. */
static bool find_user(const char *pid, uid_t *ret_user)
{
        _cleanup_(freep) char *path = g_strdup_printf("/proc/%s/status", pid), *text = NULL;
        const char *line = g_file_get_contents(path, &text, NULL, NULL) ? strstr(text, "\nUid:") : NULL;

        return line && sscanf(line, "\nUid: %u", ret_user) == 1;
}

/* Whatever a package calls it: .dnsmasq-wrapped; "dnsmasq (deleted)" after an upgrade. Where that may not be
 * seen, as under a security module, its user has to be enough. */
static bool is_dnsmasq(const char *pid)
{
        _cleanup_(freep) char *path = g_strdup_printf("/proc/%s/exe", pid),
                              *program = g_file_read_link(path, NULL),
                              *name = program ? g_path_get_basename(program) : NULL;

        return !name || strstr(name, "dnsmasq");
}

/* Of the network with whose file the process was started, if it is a dnsmasq of root's or of that user; "":
 * it is none of ours. */
static void find_uuid(const char *pid, const char *folder, uid_t user, char uuid[static 37])
{
        uid_t owner;
        _cleanup_(freep) char *path = g_strdup_printf("/proc/%s/cmdline", pid), *text = NULL;
        _cleanup_(freep) char *option = g_strdup_printf("--conf-file=%s/", folder);
        size_t size;

        uuid[0] = '\0';
        if (!g_file_get_contents(path, &text, &size, NULL))
                return;
        for (const char *word = text; word < text + size; word += strlen(word) + 1)
                if (g_str_has_prefix(word, option) &&
                    strlen(word) == strlen(option) + 36 + strlen(".conf") && g_str_has_suffix(word, ".conf"))
                        g_strlcpy(uuid, word + strlen(option), 37);
        if (uuid[0] && (!find_user(pid, &owner) || (owner != 0 && owner != user) || !is_dnsmasq(pid)))
                uuid[0] = '\0';
}

static bool is_ours(pid_t pid, const char *uuid, const char *folder, uid_t user)
{
        _cleanup_(freep) char *name = g_strdup_printf("%d", pid);
        char found[37];

        find_uuid(name, folder, user, found);
        return strcmp(found, uuid) == 0;
}

static int take(size_t pid, const char *uuid, const char *folder, uid_t user, Child **ret_child,
                Error *error)
{
        uint64_t start_time;
        int r = child_find_start_time((pid_t)pid, &start_time);

        if (r < 0 || !is_ours((pid_t)pid, uuid, folder, user))
                return error_set(error, ERROR_OPERATION_FAILED, "dnsmasq is gone");
        return child_adopt((pid_t)pid, start_time, ret_child, error);
}

static int adopt(const char *uuid, const char *folder, uid_t user, Child **ret_child, Error *error)
{
        _cleanup_(freep) char *path = file_path(folder, uuid, "pid"), *text = NULL;
        guint64 pid;

        if (!g_file_get_contents(path, &text, NULL, NULL) ||
            !g_ascii_string_to_unsigned(g_strstrip(text), 10, 1, INT_MAX, &pid, NULL))
                return error_set(error, ERROR_OPERATION_FAILED, "dnsmasq did not say its pid");
        return take(pid, uuid, folder, user, ret_child, error);
}

/* The configuration says what the network is; how the daemon keeps it stands beside. */
static GPtrArray *arguments(const char *tool, const char *uuid, const DnsmasqPlaces *places)
{
        GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

        g_ptr_array_add(words, g_strdup(tool));
        g_ptr_array_add(words, g_strdup_printf("--conf-file=%s/%s.conf", places->folder, uuid));
        g_ptr_array_add(words, g_strdup_printf("--pid-file=%s/%s.pid", places->folder, uuid));
        g_ptr_array_add(words,
                        g_strdup_printf("--dhcp-leasefile=%s/%s.leases", places->leases_folder, uuid));
        if (places->user)
                g_ptr_array_add(words, g_strdup_printf("--user=%s", places->user));
        if (places->hook && places->user) {
                g_ptr_array_add(words, g_strdup_printf("--dhcp-script=%s", places->hook));
                g_ptr_array_add(words, g_strdup_printf("--dhcp-scriptuser=%s", places->user));
                g_ptr_array_add(words, g_strdup("--script-on-renewal"));
        }
        g_ptr_array_add(words, NULL);
        return words;
}

int dnsmasq_start(const NetworkDefinition *definition, const DnsmasqPlaces *places, Child **ret_child,
                  Error *error)
{
        _cleanup_(freep) char *tool = NULL, *output = NULL;
        _cleanup_(freep) char *folder = g_strconcat("VIRTBUS_LEASES=", places->folder, NULL);
        _cleanup_(freep) char *network = g_strconcat("VIRTBUS_NETWORK=", definition->uuid, NULL);
        const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", folder,
                                            network, NULL };
        _cleanup_(g_ptr_array_unrefp) GPtrArray *words = NULL;
        size_t size;
        int r = tool_find("dnsmasq", "which gives addresses and names to networks", &tool, error);

        if (r >= 0)
                r = write_files(definition, places, error);
        if (r < 0)
                return r;
        words = arguments(tool, definition->uuid, places);
        r = child_run(&(ChildOptions){ .arguments = (const char *const *)words->pdata,
                                       .environment = environment,
                                       .stdin_fd = -1,
                                       .stdout_fd = -1,
                                       .stderr_fd = -1,
                                       .umask = 0022 },
                      NULL, 0, 64 * 1024, deadline_after_usec(START_TIMEOUT_USEC), &output, &size, error);
        return r < 0 ? r : adopt(definition->uuid, places->folder, places->uid, ret_child, error);
}

void dnsmasq_stop(Child *child)
{
        (void)child_signal(child, SIGTERM); /* if it is gone, all the better */
        if (child_wait(child, deadline_after_usec(STOP_TIMEOUT_USEC), NULL, NULL) >= 0)
                return;
        (void)child_signal(child, SIGKILL);
        if (child_wait(child, deadline_after_usec(STOP_TIMEOUT_USEC), NULL, NULL) < 0)
                log_warning(NULL, "dnsmasq, process %d, does not end", child_get_pid(child));
}

/* Those that run with this network's file; while one puts itself into the background there are two. */
static unsigned end_all(const char *uuid, const char *folder, uid_t user) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *pids = g_ptr_array_new();
        GDir *processes = g_dir_open("/proc", 0, NULL);
        unsigned n_ended = 0;

        for (const char *name; processes && (name = g_dir_read_name(processes));) {
                guint64 pid;

                if (g_ascii_string_to_unsigned(name, 10, 1, INT_MAX, &pid, NULL) &&
                    is_ours((pid_t)pid, uuid, folder, user))
                        g_ptr_array_add(pids, GSIZE_TO_POINTER(pid));
        }
        if (processes)
                g_dir_close(processes);
        for (unsigned i = 0; i < pids->len; i++) {
                Child *child;

                if (take(GPOINTER_TO_SIZE(pids->pdata[i]), uuid, folder, user, &child, NULL) < 0)
                        continue;
                dnsmasq_stop(child);
                child_free(child);
                n_ended++;
        }
        return n_ended;
}

/* Again until there is none: one that was found may have made another before it ended. */
void dnsmasq_end_unknown(const char *uuid, const char *folder, uid_t user)
{
        for (unsigned i = 0; i < END_TRIES_MAX && end_all(uuid, folder, user) > 0; i++)
                ;
}

void dnsmasq_end_others(const char *folder, uid_t user, bool (*is_kept)(const char *uuid, void *data),
                        void *data)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *uuids = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(freep) char *own = g_strdup(folder);
        GDir *processes = g_dir_open("/proc", 0, NULL);

        for (const char *name; processes && (name = g_dir_read_name(processes));) {
                char uuid[37];

                if (!g_ascii_isdigit(name[0]))
                        continue;
                find_uuid(name, folder, user, uuid);
                if (uuid[0] && !is_kept(uuid, data))
                        g_ptr_array_add(uuids, g_strdup(uuid));
        }
        if (processes)
                g_dir_close(processes);
        for (unsigned i = 0; i < uuids->len; i++)
                for (unsigned n = 0; n < END_TRIES_MAX; n++)
                        if (is_kept(uuids->pdata[i], data) || /* it may have come up meanwhile */
                            end_all(uuids->pdata[i], own, user) == 0)
                                break;
}
