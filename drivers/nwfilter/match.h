/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A rule's protocol and attributes as nftables' expressions, in the family of bridges. */

#include "model/nwfilter.h"

/* What the kernel can do on bridges besides. */
typedef struct FilterKernel {
        bool has_conntrack; /* nf_conntrack_bridge */
        bool has_reject;    /* nft_reject_bridge */
} FilterKernel;

typedef struct Match {
        const char *filter; /* for errors */
        const FilterEntry *entry;
        const GPtrArray *pairs; /* of the entry, without variables */
        unsigned device;        /* index of the guest's device on the host */
        bool is_reversed;       /* what is written is about the other direction */
        FilterKernel kernel;
} Match;

/* Whether the rule is about IP and what is in it, and so stands in the second layer, with connections. */
bool match_is_ip(const FilterEntry *entry);

/* Appends expressions, each with a space behind it. 1: the rule has no meaning in this direction. */
int match_ethernet(const Match *match, GString *text, Error *error);
int match_ip(const Match *match, GString *text, Error *error);

/* match-fields.c: the attribute's value, or NULL. */
const char *match_value(const Match *match, const char *name);
/* Whether any other value is meant. */
bool match_is_negated(const Match *match, const char *name);
/* `key` names the field for nft, the others attributes. One that is not there appends
 * nothing. */
void match_number(const Match *match, GString *text, const char *key, const char *name);
int match_range(const Match *match, GString *text, const char *key, const char *low, const char *high,
                Error *error);
int match_mac(const Match *match, GString *text, const char *key, const char *name, const char *mask,
              Error *error);
/* Of the family: the address, masked. */
int match_address(const Match *match, GString *text, const char *key, int family, const char *name,
                  const char *mask, Error *error);
int match_addresses(const Match *match, GString *text, const char *key, int family, const char *low,
                    const char *high, Error *error);
/* "!= ", or nothing. */
const char *match_negation(const Match *match, const char *name);
/* Numbers of what the model writes as words. */
unsigned match_ethertype(const char *value);
unsigned match_protocol(const char *value);
unsigned match_opcode(const char *value);
