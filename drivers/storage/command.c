/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/command.h"
#include "core/child.h"
#include "core/loop.h"
#include "drivers/network/tool.h"
#include <string.h>

#define OUTPUT_MAX (4 * 1024 * 1024)

int command_run(const Command *command, char **ret_output, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *arguments = g_ptr_array_new();
        _cleanup_(freep) char *tool = NULL, *output = NULL;
        ChildOptions options = { .environment = command->environment,
                                 .fds = &command->fd,
                                 .n_fds = command->fd > 0 ? 1 : 0,
                                 .stdin_fd = -1,
                                 .stdout_fd = -1,
                                 .stderr_fd = -1 };
        size_t size;
        int r = tool_find(command->name, command->purpose, &tool, error);

        if (r < 0)
                return r;
        g_ptr_array_add(arguments, tool);
        for (const char *const *argument = command->arguments; *argument; argument++)
                g_ptr_array_add(arguments, (char *)*argument);
        g_ptr_array_add(arguments, NULL);
        options.arguments = (const char *const *)arguments->pdata;
        r = child_run(&options, command->input, command->input ? strlen(command->input) : 0, OUTPUT_MAX,
                      command->timeout_usec > 0 ? deadline_after_usec(command->timeout_usec)
                                                : DEADLINE_NEVER,
                      &output, &size, error);
        if (r >= 0 && ret_output)
                *ret_output = TAKE_PTR(output);
        return r;
}

bool command_exists(const char *name)
{
        _cleanup_(freep) char *path = NULL;

        return tool_find(name, "", &path, NULL) >= 0;
}
