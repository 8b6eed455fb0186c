/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The generated tables by name. They are constant, so that the hashes are made once, when first asked for.
 */

#include "bus/lookup.h"
#include <string.h>

/* A method, with what it is found by. An interface name belongs to one kind of object. */
typedef struct MemberKey {
        const char *interface, *member;
        const InterfaceMethod *method;
} MemberKey;

static GHashTable *interfaces_by_name; /* const Interface * */
static GHashTable *methods_by_name;    /* set of MemberKey */

static guint member_hash(gconstpointer key)
{
        const MemberKey *member = key;

        return g_str_hash(member->interface) * 31 + g_str_hash(member->member);
}

static gboolean member_equal(gconstpointer a, gconstpointer b)
{
        const MemberKey *first = a, *second = b;

        return strcmp(first->member, second->member) == 0 &&
               strcmp(first->interface, second->interface) == 0;
}

static void tables_fill(void)
{
        interfaces_by_name = g_hash_table_new(g_str_hash, g_str_equal);
        methods_by_name = g_hash_table_new_full(member_hash, member_equal, g_free, NULL);
        for (size_t i = 0; i < n_interfaces; i++) {
                const Interface *interface = interfaces[i];

                g_hash_table_insert(interfaces_by_name, (char *)interface->name, (void *)interface);
                for (size_t j = 0; j < interface->n_methods; j++) {
                        MemberKey *key = g_new(MemberKey, 1);

                        *key = (MemberKey){ interface->name, interface->methods[j].member,
                                            &interface->methods[j] };
                        g_hash_table_add(methods_by_name, key);
                }
        }
}

const Interface *interface_find(const char *name, ObjectKind kind)
{
        const Interface *interface;

        if (!interfaces_by_name)
                tables_fill();
        interface = g_hash_table_lookup(interfaces_by_name, name);
        return interface && interface->kind == kind ? interface : NULL;
}

const InterfaceMethod *interface_find_method(const char *interface, const char *member, ObjectKind kind)
{
        const MemberKey probe = { interface, member, NULL };
        const MemberKey *found;

        if (!methods_by_name)
                tables_fill();
        found = g_hash_table_lookup(methods_by_name, &probe);
        return found && found->method->kind == kind ? found->method : NULL;
}

int interface_find_property(const Interface *interface, const char *name)
{
        for (size_t i = 0; i < interface->n_properties; i++)
                if (strcmp(interface->properties[i].name, name) == 0)
                        return (int)i;
        return -ENOENT;
}

static const Interface *interface_of(ObjectKind kind, bool is_compatible)
{
        for (size_t i = 0; i < n_interfaces; i++)
                if (interfaces[i]->kind == kind && interfaces[i]->is_compatible == is_compatible)
                        return interfaces[i];
        return NULL;
}

const Interface *interface_native(ObjectKind kind)
{
        return interface_of(kind, false);
}

const Interface *interface_compatible(ObjectKind kind)
{
        return interface_of(kind, true);
}
