/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/error.h"

/* Runs a tool of the host as a child and gives its output. `name` is a program's, `purpose` what an error
 * says that it is for ("which makes partitions"), `arguments` what follows, up to a NULL. `ret_output` may
 * be NULL. */
typedef struct Command {
        const char *name, *purpose;
        const char *const *arguments;
        const char *input;              /* NULL: none */
        uint64_t timeout_usec;          /* 0: as long as it takes */
        int fd;                         /* passed on as descriptor 3; 0: none */
        const char *const *environment; /* NULL: PATH and LANG. Others than root do not see it */
} Command;
int command_run(const Command *command, char **ret_output, Error *error) AWAITS;
bool command_exists(const char *name);
/* The arguments of a Command, in place. */
#define COMMAND_ARGUMENTS(...) ((const char *const[]){ __VA_ARGS__, NULL })
