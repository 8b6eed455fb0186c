/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A record is a file of lines "name = value" in NODES/TARGET/PORTAL/default. */

#include "drivers/storage/chap.h"
#include "core/store.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RECORD "default"
#define END    "# END RECORD"
#define AUTH   "node.session.auth."

static bool is_ours(const char *line)
{
        return g_str_has_prefix(line, AUTH "authmethod") || g_str_has_prefix(line, AUTH "username ") ||
               g_str_has_prefix(line, AUTH "password ");
}

/* The caller wipes and frees. */
static char *record_new(const char *old, const TargetLogin *login)
{
        _cleanup_(strvp) char **lines = g_strsplit(old, "\n", -1);
        GString *text =
                g_string_sized_new(2 * strlen(old) + 1024); /* never moved: one copy of the password */

        for (char **line = lines; *line; line++) {
                if (is_ours(*line) || (**line == '\0' && !line[1]))
                        continue;
                if (strcmp(*line, END) == 0 && login->password)
                        g_string_append_printf(text,
                                               AUTH "authmethod = CHAP\n" AUTH "username = %s\n" AUTH
                                                    "password = %s\n",
                                               login->username, login->password);
                g_string_append_printf(text, "%s\n", *line);
        }
        return g_string_free(text, FALSE);
}

static int write_record(const char *folder, const TargetLogin *login, Error *error) AWAITS
{
        _cleanup_(freep) char *path = g_build_filename(folder, RECORD, NULL), *old = NULL;
        _cleanup_(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        char *text;
        int r;

        if (fd < 0 || !g_file_get_contents(path, &old, NULL, NULL))
                return error_set(error, ERROR_OPERATION_FAILED, "Cannot read '%s' of open-iscsi", path);
        text = record_new(old, login);
        r = store_write(fd, RECORD, text, strlen(text), 0600, error);
        explicit_bzero(old, strlen(old));
        explicit_bzero(text, strlen(text));
        g_free(text);
        return r;
}

/* The records' folder depends on the version. */
static GPtrArray *record_folders(const char *target)
{
        static const char *const roots[] = { "/etc/iscsi/nodes", "/var/lib/iscsi/nodes" };
        GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);

        for (unsigned i = 0; i < G_N_ELEMENTS(roots); i++) {
                _cleanup_(freep) char *path = g_build_filename(roots[i], target, NULL);
                GDir *folder = g_dir_open(path, 0, NULL);
                const char *portal;

                while (folder && (portal = g_dir_read_name(folder)))
                        g_ptr_array_add(folders, g_build_filename(path, portal, NULL));
                if (folder)
                        g_dir_close(folder);
        }
        return folders;
}

int chap_write(const char *target, const TargetLogin *login, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *folders = record_folders(target);
        int r = 0;

        if (folders->len == 0)
                r = error_set(error, ERROR_OPERATION_FAILED, "open-iscsi has no record of the target '%s'",
                              target);
        for (unsigned i = 0; r >= 0 && i < folders->len; i++)
                r = write_record(folders->pdata[i], login, error);
        return r;
}
