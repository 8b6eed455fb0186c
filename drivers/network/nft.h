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
/* As `nft list table` prints it, without what changes by itself, which the caller frees: the table of the
 * family that `text` would make where there is nothing else. It is made in a network namespace that nobody
 * else is in, so that this host's rules stay as they are. */
int nft_rehearse(const char *text, const char *family, const char *table, char **ret_listing,
                 Error *error) AWAITS;
/* The same of the table that this host has. */
int nft_list_table(const char *family, const char *table, char **ret_listing, Error *error) AWAITS;

/* Somebody has undone what is set: whether it is set again, which the log says with `what`. Not for the
 * tenth time in a row, of which *n_restored keeps count: whoever undoes it at once, or a kernel that lists
 * it in another way, would keep both busy for ever. */
bool nft_sets_again(const char *path, const char *what, unsigned *n_restored);
/* It is as it was set. */
void nft_is_set(const char *path, const char *what, unsigned *n_restored);
