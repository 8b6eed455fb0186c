/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* iptables' own tool says them in nft's words. */

#include "drivers/network/legacy.h"
#include "core/child.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "drivers/network/tool.h"
#include <string.h>

#define TIMEOUT_USEC (20 * G_USEC_PER_SEC)
#define OUTPUT_MAX   ((size_t)16 * 1024 * 1024)

static const struct {
        const char *names, *save, *translate;
} kinds[] = {
        { "/proc/net/ip_tables_names", "iptables-legacy-save", "iptables-restore-translate" },
        { "/proc/net/ip6_tables_names", "ip6tables-legacy-save", "ip6tables-restore-translate" },
};

static int run(const char *tool, const char *option, const char *value, const char *text, char **ret_output,
               Error *error) AWAITS
{
        _cleanup_(freep) char *path = NULL;
        size_t size;
        int r = tool_find(tool, "which is a part of iptables", &path, error);

        if (r < 0)
                return r;
        return child_run(&(ChildOptions){ .arguments = (const char *const[]){ path, option, value, NULL },
                                          .stdin_fd = -1,
                                          .stdout_fd = -1,
                                          .stderr_fd = -1 },
                         text, text ? strlen(text) : 0, OUTPUT_MAX, deadline_after_usec(TIMEOUT_USEC),
                         ret_output, &size, error);
}

/* To read a table makes it, and every packet takes longer for it: one that is not there is not asked for. */
static bool has_filter(const char *names)
{
        _cleanup_(freep) char *text = NULL;
        _cleanup_(strvp) char **lines = NULL;

        if (!g_file_get_contents(names, &text, NULL, NULL))
                return false;
        lines = g_strsplit(text, "\n", -1);
        return g_strv_contains((const char *const *)lines, "filter");
}

void legacy_add_rules(Ruleset *ruleset, const char *path)
{
        for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
                _cleanup_(freep) char *saved = NULL, *translated = NULL;
                _cleanup_(error_clear) Error error = {};

                if (!has_filter(kinds[i].names))
                        continue;
                if (run(kinds[i].save, "-t", "filter", NULL, &saved, &error) >= 0 &&
                    run(kinds[i].translate, "-f", "/dev/stdin", saved, &translated, &error) >= 0)
                        ruleset_add_commands(ruleset, translated, "iptables-legacy");
                else
                        log_debug(path, "rules of iptables-legacy cannot be read: %s", error.message);
        }
}
