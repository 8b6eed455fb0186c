/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A network filter's definition: what libvirt's <filter> says. Rules and references to other filters stand
 * in one list, because their order counts. */

#include "model/enum.h"
#include "model/table.h"

#define FILTER_ACTIONS(E)                                                                                   \
        E(FILTER_ACTION_DROP, "drop")                                                                       \
        E(FILTER_ACTION_ACCEPT, "accept")                                                                   \
        E(FILTER_ACTION_REJECT, "reject")                                                                   \
        E(FILTER_ACTION_RETURN, "return")                                                                   \
        E(FILTER_ACTION_CONTINUE, "continue")
DECLARE_ENUM(FilterAction, filter_action, FILTER_ACTIONS)

#define FILTER_DIRECTIONS(E)                                                                                \
        E(FILTER_DIRECTION_IN, "in") E(FILTER_DIRECTION_OUT, "out") E(FILTER_DIRECTION_INOUT, "inout")
DECLARE_ENUM(FilterDirection, filter_direction, FILTER_DIRECTIONS)

/* What an attribute of a protocol may hold, besides a variable. */
typedef enum FilterValue {
        FILTER_VALUE_MAC,
        FILTER_VALUE_IPV4,
        FILTER_VALUE_IPV4_MASK, /* written as a number of bits where it is one */
        FILTER_VALUE_IPV6,
        FILTER_VALUE_IPV6_MASK,
        FILTER_VALUE_NUMBER, /* 0 to max, decimal or 0x... */
        FILTER_VALUE_ETHERTYPE,
        FILTER_VALUE_ENCAPSULATED, /* behind a VLAN tag */
        FILTER_VALUE_IP_PROTOCOL,
        FILTER_VALUE_ARP_OPCODE,
        FILTER_VALUE_BOOLEAN,
        FILTER_VALUE_STATE,
        FILTER_VALUE_TCP_FLAGS,
        FILTER_VALUE_SET_NAME,
        FILTER_VALUE_SET_FLAGS,
        FILTER_VALUE_COMMENT,
} FilterValue;

typedef struct FilterPair {
        char *name, *value;
        bool is_negated; /* any other value is meant */
} FilterPair;

typedef struct FilterEntry {
        char *reference; /* the name of another filter; NULL: a rule */
        FilterAction action;
        FilterDirection direction;
        int priority; /* of a rule: -1000 ... 1000 */
        bool is_stateless;
        char *protocol;   /* NULL: any */
        GPtrArray *pairs; /* FilterPair: attributes of the protocol, or parameters of the reference */
} FilterEntry;

typedef struct FilterDefinition {
        char *name;
        char *chain;
        int priority; /* of the chain */
        char uuid[37];
        GPtrArray *entries; /* FilterEntry */
} FilterDefinition;

int filter_definition_parse(const char *xml, size_t size, FilterDefinition **ret, Error *error);
int filter_definition_read(const XmlNode *node, FilterDefinition **ret, Error *error);
/* Adds a <rule> or <filterref>; others are ignored. */
int filter_entry_read(const XmlNode *node, FilterDefinition *definition, Error *error);
char *filter_definition_format(const FilterDefinition *definition);
FilterDefinition *filter_definition_free(FilterDefinition *definition);
DEFINE_CLEANUP(FilterDefinition, filter_definition_free)
/* nwfilter-native.c */
int filter_definition_from_variant(GVariant *values, FilterDefinition **ret, Error *error);
GVariant *filter_definition_to_variant(const FilterDefinition *definition);
/* Gives it a UUID. */
void filter_definition_complete(FilterDefinition *definition);

/* What the attribute of the protocol may hold; false: the protocol has no such attribute. */
bool filter_attribute_find(const char *protocol, const char *name, FilterValue *ret_kind, uint32_t *ret_max);

/* nwfilter-value.c: the value as it is written, which the caller frees; NULL if it is none. Variables are
 * "$NAME", "$NAME[index]" and "$NAME[@iterator]". */
char *filter_value_clean(FilterValue kind, uint32_t max, const char *text);
