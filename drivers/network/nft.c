/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/network/nft.h"
#include "core/child.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "drivers/network/tool.h"
#include <string.h>

#define TIMEOUT_USEC (20 * G_USEC_PER_SEC)
#define MESSAGES_MAX ((size_t)64 * 1024)
#define LIST_MAX     ((size_t)64 * 1024 * 1024)
#define WORDS_MAX    8
#define RESTORES_MAX 10
#define PURPOSE      "which sets the rules for networks"

static int run_program(const char *const *arguments, const char *text, size_t max_output, char **ret_output,
                       Error *error) AWAITS
{
        size_t size;

        return child_run(
                &(ChildOptions){ .arguments = arguments, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 },
                text, text ? strlen(text) : 0, max_output, deadline_after_usec(TIMEOUT_USEC), ret_output,
                &size, error);
}

/* The arguments behind the program's name. */
static int run(const char *const *words, const char *text, size_t max_output, char **ret_output,
               Error *error) AWAITS
{
        const char *arguments[WORDS_MAX + 2] = {};
        _cleanup_(freep) char *tool = NULL;
        int r = tool_find("nft", PURPOSE, &tool, error);

        if (r < 0)
                return r;
        arguments[0] = tool;
        for (unsigned i = 0; words[i] && i < WORDS_MAX; i++)
                arguments[i + 1] = words[i];
        return run_program(arguments, text, max_output, ret_output, error);
}

int nft_apply(const char *text, Error *error)
{
        static const char *const words[] = { "-f", "-", NULL };
        _cleanup_(freep) char *output = NULL;

        return run(words, text, MESSAGES_MAX, &output, error);
}

bool nft_would_apply(const char *text)
{
        static const char *const words[] = { "-c", "-f", "-", NULL };
        _cleanup_(freep) char *output = NULL;
        _cleanup_(error_clear) Error error = {};

        return run(words, text, MESSAGES_MAX, &output, &error) >= 0;
}

int nft_list(const char *const *words, char **ret_output, Error *error)
{
        return run(words, NULL, LIST_MAX, ret_output, error);
}

int nft_list_table(const char *family, const char *table, char **ret_listing, Error *error)
{
        const char *const words[] = { "--stateless", "--terse", "list", "table", family, table, NULL };

        return run(words, NULL, LIST_MAX, ret_listing, error);
}

/* Both programs have to be in the namespace, which ends with the second. */
int nft_rehearse(const char *text, const char *family, const char *table, char **ret_listing, Error *error)
{
        static const char script[] =
                "\"$0\" -f - && exec \"$0\" --stateless --terse list table \"$1\" \"$2\"";
        _cleanup_(freep) char *tool = NULL, *unshare = NULL;
        int r = tool_find("nft", PURPOSE, &tool, error);

        if (r >= 0)
                r = tool_find("unshare", "which tries the rules for networks out", &unshare, error);
        if (r < 0)
                return r;
        return run_program((const char *const[]){ unshare, "--net", "/bin/sh", "-c", script, tool, family,
                                                  table, NULL },
                           text, LIST_MAX, ret_listing, error);
}

bool nft_sets_again(const char *path, const char *what, unsigned *n_restored)
{
        if (*n_restored >= RESTORES_MAX)
                return false;
        if (++*n_restored < RESTORES_MAX) {
                log_warning(path, "the kernel has lost %s: they are set again", what);
                return true;
        }
        log_error(path,
                  "somebody changes %s in the kernel again and again: they are not set any more until they "
                  "are what they should be",
                  what);
        return false;
}

void nft_is_set(const char *path, const char *what, unsigned *n_restored)
{
        if (*n_restored >= RESTORES_MAX)
                log_info(path, "%s are what they should be again", what);
        *n_restored = 0;
}
