/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <filter>: which protocols have which attributes, and reading and writing by that. */

#include "model/nwfilter.h"
#include "model/identity.h"
#include <string.h>

#define PRIORITY_USUAL 500
#define PRIORITY_MAX   1000
#define CHAIN_MAX      64

DEFINE_ENUM(filter_action, FILTER_ACTIONS);
DEFINE_ENUM(filter_direction, FILTER_DIRECTIONS);

typedef struct Attribute {
        const char *name;
        FilterValue kind;
        uint32_t max;      /* of numbers */
        const char *other; /* as libvirt's documentation calls it, against libvirt */
} Attribute;

static const Attribute comment_attributes[] = { { "comment", FILTER_VALUE_COMMENT, 0 }, {} };
static const Attribute ethernet_attributes[] = {
        { "srcmacaddr", FILTER_VALUE_MAC, 0 },
        { "srcmacmask", FILTER_VALUE_MAC, 0 },
        { "dstmacaddr", FILTER_VALUE_MAC, 0 },
        { "dstmacmask", FILTER_VALUE_MAC, 0 },
        {},
};
static const Attribute mac_attributes[] = { { "protocolid", FILTER_VALUE_ETHERTYPE, 0 }, {} };
static const Attribute vlan_attributes[] = {
        { "vlanid", FILTER_VALUE_NUMBER, 4095 },
        { "encap-protocol", FILTER_VALUE_ENCAPSULATED, 0 },
        {},
};
static const Attribute stp_attributes[] = {
        { "type", FILTER_VALUE_NUMBER, UINT8_MAX },
        { "flags", FILTER_VALUE_NUMBER, UINT8_MAX },
        { "root-priority", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "root-priority-hi", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "root-address", FILTER_VALUE_MAC, 0 },
        { "root-address-mask", FILTER_VALUE_MAC, 0 },
        { "root-cost", FILTER_VALUE_NUMBER, UINT32_MAX },
        { "root-cost-hi", FILTER_VALUE_NUMBER, UINT32_MAX },
        { "sender-priority", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "sender-priority-hi", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "sender-address", FILTER_VALUE_MAC, 0 },
        { "sender-address-mask", FILTER_VALUE_MAC, 0 },
        { "port", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "port-hi", FILTER_VALUE_NUMBER, UINT16_MAX, "port_hi" },
        { "age", FILTER_VALUE_NUMBER, UINT16_MAX, "msg-age" },
        { "age-hi", FILTER_VALUE_NUMBER, UINT16_MAX, "msg-age-hi" },
        { "max-age", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "max-age-hi", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "hello-time", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "hello-time-hi", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "forward-delay", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "forward-delay-hi", FILTER_VALUE_NUMBER, UINT16_MAX },
        {},
};
static const Attribute arp_attributes[] = {
        { "hwtype", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "protocoltype", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "opcode", FILTER_VALUE_ARP_OPCODE, 0 },
        { "arpsrcmacaddr", FILTER_VALUE_MAC, 0 },
        { "arpdstmacaddr", FILTER_VALUE_MAC, 0 },
        { "arpsrcipaddr", FILTER_VALUE_IPV4, 0 },
        { "arpsrcipmask", FILTER_VALUE_IPV4_MASK, 0 },
        { "arpdstipaddr", FILTER_VALUE_IPV4, 0 },
        { "arpdstipmask", FILTER_VALUE_IPV4_MASK, 0 },
        { "gratuitous", FILTER_VALUE_BOOLEAN, 0 },
        {},
};
static const Attribute source_mac_attributes[] = { { "srcmacaddr", FILTER_VALUE_MAC, 0 }, {} };
#define ADDRESSES(version)                                                                                  \
        { "srcipaddr", FILTER_VALUE_##version, 0 }, { "srcipmask", FILTER_VALUE_##version##_MASK, 0 },      \
                { "dstipaddr", FILTER_VALUE_##version, 0 },                                                 \
                { "dstipmask", FILTER_VALUE_##version##_MASK, 0 },                                          \
        {                                                                                                   \
                "dscp", FILTER_VALUE_NUMBER, 63                                                             \
        }
#define RANGES(version)                                                                                     \
        { "srcipfrom", FILTER_VALUE_##version, 0 }, { "srcipto", FILTER_VALUE_##version, 0 },               \
                { "dstipfrom", FILTER_VALUE_##version, 0 },                                                 \
        {                                                                                                   \
                "dstipto", FILTER_VALUE_##version, 0                                                        \
        }
static const Attribute ipv4_attributes[] = { ADDRESSES(IPV4), {} };
static const Attribute ipv6_attributes[] = { ADDRESSES(IPV6), {} };
static const Attribute ipv4_range_attributes[] = { RANGES(IPV4), {} };
static const Attribute ipv6_range_attributes[] = { RANGES(IPV6), {} };
static const Attribute protocol_attributes[] = { { "protocol", FILTER_VALUE_IP_PROTOCOL, 0 }, {} };
static const Attribute icmpv6_range_attributes[] = {
        { "type", FILTER_VALUE_NUMBER, UINT8_MAX },
        { "typeend", FILTER_VALUE_NUMBER, UINT8_MAX },
        { "code", FILTER_VALUE_NUMBER, UINT8_MAX },
        { "codeend", FILTER_VALUE_NUMBER, UINT8_MAX },
        {},
};
static const Attribute port_attributes[] = {
        { "srcportstart", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "srcportend", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "dstportstart", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "dstportend", FILTER_VALUE_NUMBER, UINT16_MAX },
        {},
};
static const Attribute connection_attributes[] = {
        { "connlimit-above", FILTER_VALUE_NUMBER, UINT16_MAX },
        { "state", FILTER_VALUE_STATE, 0 },
        { "ipset", FILTER_VALUE_SET_NAME, 0 },
        { "ipsetflags", FILTER_VALUE_SET_FLAGS, 0 },
        {},
};
static const Attribute tcp_attributes[] = {
        { "option", FILTER_VALUE_NUMBER, UINT8_MAX },
        { "flags", FILTER_VALUE_TCP_FLAGS, 0 },
        {},
};
static const Attribute icmp_attributes[] = {
        { "type", FILTER_VALUE_NUMBER, UINT8_MAX },
        { "code", FILTER_VALUE_NUMBER, UINT8_MAX },
        {},
};

#define GROUPS_MAX 6
typedef struct Protocol {
        const char *name;
        const Attribute *groups[GROUPS_MAX];
} Protocol;

#define IP_GROUPS(version)                                                                                  \
        source_mac_attributes, version##_attributes, version##_range_attributes, connection_attributes
static const Protocol protocols[] = {
        { "mac", { ethernet_attributes, mac_attributes } },
        { "vlan", { ethernet_attributes, vlan_attributes } },
        { "stp", { ethernet_attributes, stp_attributes } },
        { "arp", { ethernet_attributes, arp_attributes } },
        { "rarp", { ethernet_attributes, arp_attributes } },
        { "ip", { ethernet_attributes, ipv4_attributes, protocol_attributes, port_attributes } },
        { "ipv6",
          { ethernet_attributes, ipv6_attributes, protocol_attributes, port_attributes,
            icmpv6_range_attributes } },
        { "tcp", { IP_GROUPS(ipv4), port_attributes, tcp_attributes } },
        { "udp", { IP_GROUPS(ipv4), port_attributes } },
        { "sctp", { IP_GROUPS(ipv4), port_attributes } },
        { "udplite", { IP_GROUPS(ipv4) } },
        { "esp", { IP_GROUPS(ipv4) } },
        { "ah", { IP_GROUPS(ipv4) } },
        { "icmp", { IP_GROUPS(ipv4), icmp_attributes } },
        { "igmp", { IP_GROUPS(ipv4) } },
        { "all", { IP_GROUPS(ipv4) } },
        { "tcp-ipv6", { IP_GROUPS(ipv6), port_attributes, tcp_attributes } },
        { "udp-ipv6", { IP_GROUPS(ipv6), port_attributes } },
        { "sctp-ipv6", { IP_GROUPS(ipv6), port_attributes } },
        { "udplite-ipv6", { IP_GROUPS(ipv6) } },
        { "esp-ipv6", { IP_GROUPS(ipv6) } },
        { "ah-ipv6", { IP_GROUPS(ipv6) } },
        { "icmpv6", { IP_GROUPS(ipv6), icmp_attributes } },
        { "all-ipv6", { IP_GROUPS(ipv6) } },
};

static const Attribute *find_in(const Attribute *attributes, const char *name)
{
        for (; attributes && attributes->name; attributes++)
                if (strcmp(attributes->name, name) == 0)
                        return attributes;
        return NULL;
}

bool filter_attribute_find(const char *protocol, const char *name, FilterValue *ret_kind, uint32_t *ret_max)
{
        const Attribute *found = find_in(comment_attributes, name);

        for (unsigned i = 0; i < G_N_ELEMENTS(protocols); i++)
                for (unsigned j = 0; j < GROUPS_MAX && strcmp(protocols[i].name, protocol) == 0; j++)
                        if (!found)
                                found = find_in(protocols[i].groups[j], name);
        if (!found)
                return false;
        *ret_kind = found->kind;
        *ret_max = found->max;
        return true;
}

/* Chains, by the prefix of their name, and when they come without a priority of their own. */
static const struct {
        const char *name;
        int priority;
} chains[] = {
        { "root", 0 },    { "stp", -810 },  { "mac", -800 }, { "vlan", -750 },
        { "ipv4", -700 }, { "ipv6", -600 }, { "arp", -500 }, { "rarp", -400 },
};

static void pair_release(void *data)
{
        FilterPair *pair = data;

        g_free(pair->name);
        g_free(pair->value);
        g_free(pair);
}

static void entry_release(void *data)
{
        FilterEntry *entry = data;

        g_free(entry->reference);
        g_free(entry->protocol);
        g_ptr_array_unref(entry->pairs);
        g_free(entry);
}

FilterDefinition *filter_definition_free(FilterDefinition *definition)
{
        if (!definition)
                return NULL;
        g_free(definition->name);
        g_free(definition->chain);
        g_ptr_array_unref(definition->entries);
        g_free(definition);
        return NULL;
}

/* Takes the value over. */
static void pair_add(FilterEntry *entry, const char *name, char *value, bool is_negated)
{
        FilterPair *pair = g_new0(FilterPair, 1);

        *pair = (FilterPair){ g_strdup(name), value, is_negated };
        g_ptr_array_add(entry->pairs, pair);
}

static FilterEntry *entry_add(FilterDefinition *definition)
{
        FilterEntry *entry = g_new0(FilterEntry, 1);

        entry->pairs = g_ptr_array_new_with_free_func(pair_release);
        g_ptr_array_add(definition->entries, entry);
        return entry;
}

static bool is_made_of(const char *text, const char *characters)
{
        return text && *text && !text[strspn(text, characters)];
}

/* Takes the text over. What was given natively stands on no line. */
static int refuse_node(const XmlNode *node, Error *error, char *what)
{
        _cleanup_(freep) char *owned = what;
        _cleanup_(freep) char *line =
                node->line > 0 ? g_strdup_printf("line %u: ", node->line) : g_strdup("");

        return error_set(error, ERROR_INVALID_XML, "%s<%s>: %s", line, node->name, owned);
}

static int refuse(const XmlNode *node, const char *attribute, const char *value, Error *error)
{
        return refuse_node(node, error,
                           g_strdup_printf("%s='%s' is not possible", attribute, value ? value : ""));
}

static int compare_names(const void *a, const void *b)
{
        const FilterPair *const *left = a, *const *right = b;

        return strcmp((*left)->name, (*right)->name);
}

/* Values of one name stay in their order. */
static int reference_read(const XmlNode *node, FilterDefinition *definition, Error *error)
{
        static const char name_characters[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_";
        static const char value_characters[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.:-";
        const char *filter = xml_attribute(node, "filter");
        FilterEntry *entry = entry_add(definition);

        if (!filter || !*filter)
                return refuse(node, "filter", filter, error);
        entry->reference = g_strdup(filter);
        for (const XmlNode *child = xml_child(node, "parameter"); child; child = xml_next(child)) {
                const char *name = xml_attribute(child, "name"), *value = xml_attribute(child, "value");

                if (!is_made_of(name, name_characters))
                        return refuse(child, "name", name, error);
                if (!is_made_of(value, value_characters))
                        return refuse(child, "value", value, error);
                pair_add(entry, name, g_strdup(value), false);
        }
        g_ptr_array_sort(entry->pairs, compare_names); /* a stable sort, since GLib 2.32 */
        return 0;
}

static bool is_negated(const XmlNode *node)
{
        const char *match = xml_attribute(node, "match");

        return match && strcasecmp(match, "no") == 0;
}

/* Of the elements of one rule, each of which may be negated, one has the attribute. */
static int attribute_read(const XmlNode *rule, const Attribute *attribute, FilterEntry *entry, Error *error)
{
        const char *const names[] = { attribute->name, attribute->other };
        bool is_there = false;

        for (const XmlNode *node = rule->first_child; node; node = node->next)
                for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
                        const char *text = names[i] ? xml_attribute(node, names[i]) : NULL;
                        char *value =
                                text ? filter_value_clean(attribute->kind, attribute->max, text) : NULL;

                        if (!text)
                                continue;
                        if (!value)
                                return refuse(node, names[i], text, error);
                        if (is_there) {
                                g_free(value);
                                return refuse_node(node, error,
                                                   g_strdup_printf("the <rule> has %s already: one is "
                                                                   "possible",
                                                                   attribute->name));
                        }
                        is_there = true;
                        pair_add(entry, attribute->name, value, is_negated(node));
                }
        return 0;
}

static int attributes_read(const XmlNode *rule, const Attribute *attributes, FilterEntry *entry,
                           Error *error)
{
        int r = 0;

        for (; attributes && attributes->name && r >= 0; attributes++)
                r = attribute_read(rule, attributes, entry, error);
        return r;
}

static int protocol_read(const XmlNode *rule, FilterEntry *entry, Error *error)
{
        const XmlNode *first = rule->first_child;
        const Protocol *protocol = NULL;
        int r = 0;

        if (!first)
                return 0;
        for (unsigned i = 0; i < G_N_ELEMENTS(protocols); i++)
                if (strcmp(first->name, protocols[i].name) == 0)
                        protocol = &protocols[i];
        if (!protocol)
                return refuse_node(first, error, g_strdup("this is no protocol of a filter"));
        for (const XmlNode *node = first->next; node; node = node->next)
                if (strcmp(node->name, first->name) != 0)
                        return refuse_node(node, error,
                                           g_strdup_printf("the <rule> is about <%s> already: one protocol "
                                                           "is possible",
                                                           first->name));
        entry->protocol = g_strdup(first->name);
        for (unsigned i = 0; i < GROUPS_MAX && r >= 0; i++)
                r = attributes_read(rule, protocol->groups[i], entry, error);
        return r < 0 ? r : attributes_read(rule, comment_attributes, entry, error);
}

static bool priority_read(const char *text, int *ret)
{
        gint64 value;

        if (!g_ascii_string_to_signed(text, 10, -PRIORITY_MAX, PRIORITY_MAX, &value, NULL))
                return false;
        *ret = (int)value;
        return true;
}

static int rule_read(const XmlNode *node, FilterDefinition *definition, Error *error)
{
        const char *action = xml_attribute(node, "action"), *direction = xml_attribute(node, "direction");
        const char *priority = xml_attribute(node, "priority"), *state = xml_attribute(node, "statematch");
        int action_value = action ? enum_from_string(&filter_action_table, action) : -1;
        int direction_value = direction ? enum_from_string(&filter_direction_table, direction) : -1;
        FilterEntry *entry = entry_add(definition);

        if (action_value < 0)
                return refuse(node, "action", action, error);
        if (direction_value < 0)
                return refuse(node, "direction", direction, error);
        entry->action = (FilterAction)action_value;
        entry->direction = (FilterDirection)direction_value;
        entry->priority = PRIORITY_USUAL;
        if (priority && !priority_read(priority, &entry->priority))
                return refuse(node, "priority", priority, error);
        entry->is_stateless = state && (strcmp(state, "0") == 0 || strcasecmp(state, "false") == 0);
        return protocol_read(node, entry, error);
}

static int chain_read(const XmlNode *node, FilterDefinition *definition, Error *error)
{
        const char *chain = xml_attribute(node, "chain"), *priority = xml_attribute(node, "priority");
        bool is_known = false;

        definition->chain = g_strdup(chain ? chain : "root");
        chain = definition->chain;
        if (strlen(chain) > CHAIN_MAX || !is_made_of(chain, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.:-"))
                return refuse(node, "chain", chain, error);
        for (unsigned i = 0; i < G_N_ELEMENTS(chains); i++) {
                size_t length = strlen(chains[i].name);

                if (strncmp(chain, chains[i].name, length) != 0 ||
                    (chain[length] != '\0' && (chain[length] != '-' || i == 0)))
                        continue;
                is_known = true;
                definition->priority = chains[i].priority;
        }
        if (!is_known)
                return error_set(
                        error, ERROR_INVALID_XML,
                        "<filter>: chain='%s': root, or mac, stp, vlan, arp, rarp, ipv4, ipv6 with or "
                        "without -NAME are possible",
                        chain);
        if (priority && !priority_read(priority, &definition->priority))
                return refuse(node, "priority", priority, error);
        return 0;
}

static int identity_read(const XmlNode *node, FilterDefinition *definition, Error *error)
{
        const char *name = xml_attribute(node, "name");
        const XmlNode *uuid = xml_child(node, "uuid");

        if (!name || !*name || strchr(name, '/') || strpbrk(name, "\n\t"))
                return refuse(node, "name", name, error);
        definition->name = g_strdup(name);
        if (uuid && !uuid_parse(uuid->text ? uuid->text : "", definition->uuid))
                return refuse_node(uuid, error,
                                   g_strdup_printf("'%s' is none", uuid->text ? uuid->text : ""));
        return chain_read(node, definition, error);
}

int filter_entry_read(const XmlNode *node, FilterDefinition *definition, Error *error)
{
        if (strcmp(node->name, "rule") == 0)
                return rule_read(node, definition, error);
        return strcmp(node->name, "filterref") == 0 ? reference_read(node, definition, error) : 0;
}

int filter_definition_read(const XmlNode *node, FilterDefinition **ret, Error *error)
{
        _cleanup_(filter_definition_freep) FilterDefinition *definition = g_new0(FilterDefinition, 1);
        int r;

        definition->entries = g_ptr_array_new_with_free_func(entry_release);
        r = identity_read(node, definition, error);
        for (const XmlNode *child = node->first_child; child && r >= 0; child = child->next)
                r = filter_entry_read(child, definition, error);
        if (r >= 0)
                *ret = TAKE_PTR(definition);
        return r;
}

int filter_definition_parse(const char *xml, size_t size, FilterDefinition **ret, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        const XmlNode *root;
        int r = xml_parse(xml, size, "filter", &document, error);

        if (r < 0)
                return r;
        root = xml_document_root(document);
        if (strcmp(root->name, "filter") != 0)
                return error_set(error, ERROR_INVALID_XML, "The document is a <%s>, a <filter> is expected",
                                 root->name);
        return filter_definition_read(root, ret, error);
}

void filter_definition_complete(FilterDefinition *definition)
{
        if (!definition->uuid[0])
                identity_make_uuid(definition->uuid);
}

static void number_write(XmlWriter *writer, const char *name, int value)
{
        char text[16];

        g_snprintf(text, sizeof text, "%d", value);
        xml_writer_attribute(writer, name, text);
}

static void reference_write(XmlWriter *writer, const FilterEntry *entry)
{
        xml_writer_open(writer, "filterref");
        xml_writer_attribute(writer, "filter", entry->reference);
        for (unsigned i = 0; i < entry->pairs->len; i++) {
                const FilterPair *pair = entry->pairs->pdata[i];

                xml_writer_open(writer, "parameter");
                xml_writer_attribute(writer, "name", pair->name);
                xml_writer_attribute(writer, "value", pair->value);
                xml_writer_close(writer);
        }
        xml_writer_close(writer);
}

/* What is meant and what is not stand in elements of their own, in the order of the attributes. */
static void pairs_write(XmlWriter *writer, const FilterEntry *entry)
{
        const FilterPair *last = NULL;

        for (unsigned i = 0; i < entry->pairs->len; i++) {
                const FilterPair *pair = entry->pairs->pdata[i];

                if (!last || last->is_negated != pair->is_negated) {
                        if (last)
                                xml_writer_close(writer);
                        xml_writer_open(writer, entry->protocol);
                        if (pair->is_negated)
                                xml_writer_attribute(writer, "match", "no");
                }
                xml_writer_attribute(writer, pair->name, pair->value);
                last = pair;
        }
        if (!last)
                xml_writer_open(writer, entry->protocol);
        xml_writer_close(writer);
}

static void rule_write(XmlWriter *writer, const FilterEntry *entry)
{
        xml_writer_open(writer, "rule");
        xml_writer_attribute(writer, "action", filter_action_to_string(entry->action));
        xml_writer_attribute(writer, "direction", filter_direction_to_string(entry->direction));
        number_write(writer, "priority", entry->priority);
        if (entry->is_stateless)
                xml_writer_attribute(writer, "statematch", "false");
        if (entry->protocol)
                pairs_write(writer, entry);
        xml_writer_close(writer);
}

static int usual_priority(const char *chain)
{
        int priority = 0;

        for (unsigned i = 0; i < G_N_ELEMENTS(chains); i++)
                if (g_str_has_prefix(chain, chains[i].name))
                        priority = chains[i].priority;
        return priority;
}

char *filter_definition_format(const FilterDefinition *definition)
{
        XmlWriter *writer = xml_writer_new();

        xml_writer_open(writer, "filter");
        xml_writer_attribute(writer, "name", definition->name);
        xml_writer_attribute(writer, "chain", definition->chain);
        if (definition->priority != usual_priority(definition->chain))
                number_write(writer, "priority", definition->priority);
        if (definition->uuid[0]) {
                xml_writer_open(writer, "uuid");
                xml_writer_text(writer, definition->uuid);
                xml_writer_close(writer);
        }
        for (unsigned i = 0; i < definition->entries->len; i++) {
                const FilterEntry *entry = definition->entries->pdata[i];

                (entry->reference ? reference_write : rule_write)(writer, entry);
        }
        xml_writer_close(writer);
        return xml_writer_finish(writer);
}
