/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* nft, the program that knows the kernel's rules. */

#include "core/error.h"

/* What is read is applied as a whole or not at all; nothing is kept of what it prints. `text` is read before
 * anything is waited for. */
int nft_apply(const char *text, Error *error) AWAITS;
/* Whether the kernel would take it; a failure for any other reason says no as well. */
bool nft_would_apply(const char *text) AWAITS;
/* What it prints for the words (NULL-terminated), which the caller frees. */
int nft_list(const char *const *words, char **ret_output, Error *error) AWAITS;
