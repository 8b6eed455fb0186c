/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/network/nft.h"
#include "core/child.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "drivers/network/tool.h"
#include <string.h>

#define TIMEOUT_USEC (20 * G_USEC_PER_SEC)
#define MESSAGES_MAX ((size_t)64 * 1024)
#define LIST_MAX     ((size_t)64 * 1024 * 1024)
#define WORDS_MAX    8

/* The arguments behind the program's name. */
static int run(const char *const *words, const char *text, size_t max_output, char **ret_output,
               Error *error) AWAITS
{
        const char *arguments[WORDS_MAX + 2] = {};
        _cleanup_(freep) char *tool = NULL;
        size_t size;
        int r = tool_find("nft", "which sets the rules for networks", &tool, error);

        if (r < 0)
                return r;
        arguments[0] = tool;
        for (unsigned i = 0; words[i] && i < WORDS_MAX; i++)
                arguments[i + 1] = words[i];
        return child_run(
                &(ChildOptions){ .arguments = arguments, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 },
                text, text ? strlen(text) : 0, max_output, deadline_after_usec(TIMEOUT_USEC), ret_output,
                &size, error);
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
