/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The monitor wants a character device as a tree where the command line has a list of words. The words are
 * those that command/chardev.c writes. */

#include "drivers/qemu/chardev-add.h"
#include "drivers/qemu/command/line.h"
#include <string.h>

/* "a=b,,c,d=e" as a table; the first word, which has no '=', is at "". */
static GHashTable *split(const char *option)
{
        GHashTable *words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        GString *word = g_string_new(NULL);

        for (const char *at = option;; at++) {
                if (*at == ',' && at[1] == ',') {
                        g_string_append_c(word, *at++);
                        continue;
                }
                if (*at && *at != ',') {
                        g_string_append_c(word, *at);
                        continue;
                }
                char *equal = strchr(word->str, '=');

                g_hash_table_insert(words,
                                    equal ? g_strndup(word->str, (size_t)(equal - word->str)) : g_strdup(""),
                                    g_strdup(equal ? equal + 1 : word->str));
                g_string_truncate(word, 0);
                if (!*at)
                        break;
        }
        g_string_free(word, TRUE);
        return words;
}

static void set_words(json_t *data, GHashTable *words, const char *const *keys)
{
        for (; *keys; keys += 2)
                json_set_string(data, keys[1], g_hash_table_lookup(words, keys[0]));
}

static void set_switches(json_t *data, GHashTable *words, const char *const *keys)
{
        for (; *keys; keys++) {
                const char *word = g_hash_table_lookup(words, *keys);

                if (word)
                        json_set_bool(data, *keys, strcmp(word, "on") == 0);
        }
}

static json_t *inet_address(const char *host, const char *port)
{
        return json_pack("{s:s, s:{s:s, s:s}}", "type", "inet", "data", "host", host ? host : "", "port",
                         port ? port : "");
}

static void set_socket(json_t *data, GHashTable *words)
{
        static const char *const switches[] = { "server", "wait", "telnet", NULL };
        static const char *const texts[] = { "tls-creds", "tls-creds", NULL };
        const char *fd = g_hash_table_lookup(words, "fd"), *path = g_hash_table_lookup(words, "path"),
                   *reconnect = g_hash_table_lookup(words, "reconnect");
        json_t *address;

        if (fd)
                address = json_pack("{s:s, s:{s:s}}", "type", "fd", "data", "str", fd);
        else if (path)
                address = json_pack("{s:s, s:{s:s}}", "type", "unix", "data", "path", path);
        else
                address =
                        inet_address(g_hash_table_lookup(words, "host"), g_hash_table_lookup(words, "port"));
        json_object_set_new(data, "addr", address);
        set_switches(data, words, switches);
        if (!g_hash_table_lookup(words, "server"))
                json_set_bool(data, "server", false); /* which QMP takes for true */
        set_words(data, words, texts);
        if (reconnect)
                json_object_set_new(data, "reconnect", json_integer(g_ascii_strtoll(reconnect, NULL, 10)));
}

static void set_udp(json_t *data, GHashTable *words)
{
        const char *host = g_hash_table_lookup(words, "localaddr"),
                   *port = g_hash_table_lookup(words, "localport");

        json_object_set_new(
                data, "remote",
                inet_address(g_hash_table_lookup(words, "host"), g_hash_table_lookup(words, "port")));
        if (host || port)
                json_object_set_new(data, "local", inet_address(host, port));
}

json_t *chardev_add_arguments(const char *option)
{
        static const char *const logs[] = { "logfile", "logfile", NULL };
        static const char *const log_switches[] = { "logappend", NULL };
        static const char *const devices[] = { "path", "device", NULL };
        static const char *const files[] = { "path", "out", NULL };
        static const char *const appends[] = { "append", NULL };
        static const char *const clipboards[] = { "clipboard", "mouse", NULL };
        g_autoptr(GHashTable) words = split(option);
        const char *type = g_hash_table_lookup(words, ""), *id = g_hash_table_lookup(words, "id");
        json_t *data = json_object();

        if (strcmp(type, "socket") == 0)
                set_socket(data, words);
        else if (strcmp(type, "udp") == 0)
                set_udp(data, words);
        else if (strcmp(type, "file") == 0) {
                set_words(data, words, files);
                set_switches(data, words, appends);
        } else if (strcmp(type, "serial") == 0 || strcmp(type, "parallel") == 0 || strcmp(type, "pipe") == 0)
                set_words(data, words, devices);
        else if (strcmp(type, "spicevmc") == 0) {
                static const char *const names[] = { "name", "type", NULL };

                set_words(data, words, names);
        } else if (strcmp(type, "spiceport") == 0) {
                static const char *const names[] = { "name", "fqdn", NULL };

                set_words(data, words, names);
        } else if (strcmp(type, "qemu-vdagent") == 0)
                set_switches(data, words, clipboards);
        else if (strcmp(type, "null") != 0 && strcmp(type, "pty") != 0) {
                json_decref(data);
                return NULL;
        }
        set_words(data, words, logs);
        set_switches(data, words, log_switches);
        return json_pack("{s:s, s:{s:s, s:o}}", "id", id, "backend", "type", type, "data", data);
}
