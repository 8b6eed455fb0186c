/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One rule of the host's firewall, as nft writes it. */

#include "drivers/network/ruleset.h"

typedef enum Match {
        MATCH_NO,
        MATCH_MAYBE, /* that depends on what is not known here */
        MATCH_YES,
} Match;

typedef enum Verdict {
        VERDICT_NONE, /* it counts, marks, translates: the next rule is asked */
        VERDICT_ACCEPT,
        VERDICT_DROP, /* or reject */
        VERDICT_RETURN,
        VERDICT_JUMP,
        VERDICT_GOTO,
} Verdict;

/* *ret_target: the chain of a jump; the caller frees. */
Match rule_read(const char *rule, const Packet *packet, Verdict *ret_verdict, char **ret_target);
