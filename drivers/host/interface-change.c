/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* InterfaceChangeBegin, Commit and Rollback: all definitions and what was up, remembered as one document and
 * brought back as a whole. */

#include "drivers/host/interface-managed.h"
#include <string.h>

/* All definitions in one document. */
static char *definitions_text(const Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *interfaces =
                object_table_list(driver->objects, OBJECT_INTERFACE);
        XmlWriter *writer = xml_writer_new();

        xml_writer_open(writer, "interfaces");
        for (unsigned i = 0; i < interfaces->len; i++) {
                const Managed *managed = interfaces->pdata[i];
                _cleanup_(freep) char *xml = NULL;

                if (!managed->definition)
                        continue;
                xml = host_interface_format(managed->definition, DEFINITION_INACTIVE);
                xml_writer_open(writer, "stored");
                xml_writer_attribute(writer, "active", managed->interface.is_active ? "yes" : "no");
                if (managed->manager)
                        xml_writer_attribute(writer, "manager", managed->manager->name);
                xml_writer_raw(writer, xml);
                xml_writer_close(writer);
        }
        xml_writer_close(writer);
        return xml_writer_finish(writer);
}

int interfaces_change_begin(Call *call, uint32_t flags, Error *error)
{
        struct InterfaceState *state = call->driver->interfaces;
        _cleanup_(freep) char *text = NULL;
        int r = error_check_flags(error, "InterfaceChangeBegin", flags, 0);

        if (r >= 0)
                r = interfaces_changing_begin(call, error);
        if (r < 0)
                return r;
        text = definitions_text(call->driver);
        r = interface_store_has_begun(&state->store)
                    ? error_set(error, ERROR_OPERATION_INVALID,
                                "A change of the host's interfaces was begun already: commit it or "
                                "roll it back")
                    : interface_store_begin(&state->store, text, error);
        interfaces_changing_end(state);
        return r;
}

/* What is defined in another way now, or not at all, gets what was stored of it, and what was up comes up.
 */
static int restore(struct InterfaceState *state, const XmlNode *stored, GHashTable *kept,
                   uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(host_interface_freep) HostInterfaceDefinition *definition = NULL;
        const HostManager *manager;
        Managed *managed;
        bool was_active = g_strcmp0(xml_attribute(stored, "active"), "yes") == 0;
        _cleanup_(freep) char *difference = NULL;
        int r = interface_store_parse(stored, &definition, &manager, error);

        if (r < 0)
                return r;
        g_hash_table_add(kept, g_strdup(definition->name));
        managed = interfaces_find(state, definition->name);
        if (managed && managed->definition)
                difference = struct_difference(&host_interface_definition_type, managed->definition,
                                               definition, false);
        if (!managed || !managed->definition || difference) {
                if (managed && managed->definition && managed->interface.is_active)
                        r = interfaces_take_down(state, managed, deadline_usec, error);
                if (r >= 0)
                        r = interfaces_store(state, TAKE_PTR(definition), manager, deadline_usec, &managed,
                                             error);
        }
        if (r >= 0 && was_active && (difference || !interface_managed_is_up(state, managed)))
                r = interfaces_bring_up(state, managed, deadline_usec, error);
        return r;
}

/* What was defined since is taken down and forgotten. */
static int remove_others(struct InterfaceState *state, GHashTable *kept, uint64_t deadline_usec,
                         Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *interfaces =
                object_table_list(state->driver->objects, OBJECT_INTERFACE);
        int r = 0;

        for (unsigned i = 0; i < interfaces->len && r >= 0; i++) {
                Managed *managed = interfaces->pdata[i];
                const char *name = managed->interface.object.name;

                if (managed->interface.object.is_gone || !managed->definition ||
                    g_hash_table_contains(kept, name))
                        continue;
                if ((managed->manager || managed->definition->type != HOST_INTERFACE_ETHERNET) &&
                    managed->interface.is_active)
                        r = interfaces_take_down(state, managed, deadline_usec, error);
                if (r >= 0)
                        r = interfaces_forget(state, managed, deadline_usec, error);
        }
        return r;
}

static int roll_back(struct InterfaceState *state, uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(g_hash_table_unrefp) GHashTable *kept =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(freep) char *text = NULL;
        int r = interface_store_read_begun(&state->store, &text, error);

        if (r >= 0)
                r = xml_parse(text, strlen(text), "interfaces", &document, error);
        if (r < 0)
                return r;
        for (const XmlNode *node = xml_child(xml_document_root(document), "stored"); node && r >= 0;
             node = xml_next(node))
                r = restore(state, node, kept, deadline_usec, error);
        if (r >= 0)
                r = remove_others(state, kept, deadline_usec, error);
        return r < 0 ? r : interface_store_end(&state->store, error);
}

/* Ends the change that was begun. */
static int end(Call *call, const char *method, uint32_t flags,
               int (*how)(struct InterfaceState *state, uint64_t deadline_usec, Error *error) AWAITS,
               Error *error) AWAITS
{
        struct InterfaceState *state = call->driver->interfaces;
        int r = error_check_flags(error, method, flags, 0);

        if (r >= 0)
                r = interfaces_changing_begin(call, error);
        if (r < 0)
                return r;
        r = interface_store_has_begun(&state->store)
                    ? how(state, call->deadline_usec, error)
                    : error_set(error, ERROR_OPERATION_INVALID,
                                "No change of the host's interfaces was begun");
        interfaces_changing_end(state);
        return r;
}

static int commit(struct InterfaceState *state, uint64_t deadline_usec, Error *error)
{
        (void)deadline_usec; /* all is done already */
        return interface_store_end(&state->store, error);
}

int interfaces_change_commit(Call *call, uint32_t flags, Error *error)
{
        return end(call, "InterfaceChangeCommit", flags, commit, error);
}

int interfaces_change_rollback(Call *call, uint32_t flags, Error *error)
{
        return end(call, "InterfaceChangeRollback", flags, roll_back, error);
}
