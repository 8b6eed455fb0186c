/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The guest's agent, by its channel org.qemu.guest_agent.0. A guest may say anything there, or nothing. */

#include "drivers/qemu/machine.h"

/* Whether the definition has such a channel and the guest has opened it. */
bool agent_is_there(const Domain *domain);

/* Asks it for a command that it confirms by doing it, if at all: `mode` of guest-shutdown is "powerdown" or
 * "reboot". ERROR_AGENT_UNAVAILABLE if there is none, or it does not answer. */
int agent_shut_down(Domain *domain, const char *mode, uint64_t deadline_usec, Error *error) AWAITS;

/* Asks for a command that answers; `arguments` (NULL: none) is taken over. The answer is a guest's:
 * anything, of a bounded size. The caller drops the reference. */
int agent_ask(Domain *domain, const char *command, json_t *arguments, uint64_t deadline_usec,
              json_t **ret_answer, Error *error) AWAITS;
