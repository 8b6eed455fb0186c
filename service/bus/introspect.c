/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Introspection. The text of an object depends on its kind alone, so it is made once for each kind and is
 * the same for objects that are not there: clients that read it before they call (python-dbus does) get the
 * same error then as those that do not. Only the children of a kind's node depend on the caller. */

#include "bus/introspect.h"
#include "bus/call.h"
#include "bus/visible.h"

static const char head[] =
        "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
        " \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n"
        "<node>\n";

static const char standard_interfaces[] = " <interface name=\"org.freedesktop.DBus.Peer\">\n"
                                          "  <method name=\"Ping\"/>\n"
                                          "  <method name=\"GetMachineId\">\n"
                                          "   <arg type=\"s\" name=\"machine_uuid\" direction=\"out\"/>\n"
                                          "  </method>\n"
                                          " </interface>\n"
                                          " <interface name=\"org.freedesktop.DBus.Introspectable\">\n"
                                          "  <method name=\"Introspect\">\n"
                                          "   <arg type=\"s\" name=\"xml_data\" direction=\"out\"/>\n"
                                          "  </method>\n"
                                          " </interface>\n"
                                          " <interface name=\"org.freedesktop.DBus.Properties\">\n"
                                          "  <method name=\"Get\">\n"
                                          "   <arg type=\"s\" name=\"interface_name\" direction=\"in\"/>\n"
                                          "   <arg type=\"s\" name=\"property_name\" direction=\"in\"/>\n"
                                          "   <arg type=\"v\" name=\"value\" direction=\"out\"/>\n"
                                          "  </method>\n"
                                          "  <method name=\"GetAll\">\n"
                                          "   <arg type=\"s\" name=\"interface_name\" direction=\"in\"/>\n"
                                          "   <arg type=\"a{sv}\" name=\"properties\" direction=\"out\"/>\n"
                                          "  </method>\n"
                                          "  <method name=\"Set\">\n"
                                          "   <arg type=\"s\" name=\"interface_name\" direction=\"in\"/>\n"
                                          "   <arg type=\"s\" name=\"property_name\" direction=\"in\"/>\n"
                                          "   <arg type=\"v\" name=\"value\" direction=\"in\"/>\n"
                                          "  </method>\n"
                                          "  <signal name=\"PropertiesChanged\">\n"
                                          "   <arg type=\"s\" name=\"interface_name\"/>\n"
                                          "   <arg type=\"a{sv}\" name=\"changed_properties\"/>\n"
                                          "   <arg type=\"as\" name=\"invalidated_properties\"/>\n"
                                          "  </signal>\n"
                                          " </interface>\n";

static const char object_manager_interface[] =
        " <interface name=\"org.freedesktop.DBus.ObjectManager\">\n"
        "  <method name=\"GetManagedObjects\">\n"
        "   <arg type=\"a{oa{sa{sv}}}\" name=\"objects\" direction=\"out\"/>\n"
        "  </method>\n"
        "  <signal name=\"InterfacesAdded\">\n"
        "   <arg type=\"o\" name=\"object_path\"/>\n"
        "   <arg type=\"a{sa{sv}}\" name=\"interfaces_and_properties\"/>\n"
        "  </signal>\n"
        "  <signal name=\"InterfacesRemoved\">\n"
        "   <arg type=\"o\" name=\"object_path\"/>\n"
        "   <arg type=\"as\" name=\"interfaces\"/>\n"
        "  </signal>\n"
        " </interface>\n";

static GString *texts[_OBJECT_KIND_MAX]; /* without the end */

static GString *text_of_kind(ObjectKind kind)
{
        GString **text = &texts[kind];

        if (*text)
                return *text;
        *text = g_string_new(head);
        g_string_append(*text, standard_interfaces);
        for (size_t i = 0; i < n_interfaces; i++)
                if (interfaces[i]->kind == kind)
                        g_string_append(*text, interfaces[i]->introspection);
        return *text;
}

void introspect_clear(void)
{
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                if (texts[i])
                        g_string_free(TAKE_PTR(texts[i]), TRUE);
}

static void append_drivers(GString *text)
{
        const GPtrArray *drivers = front_end()->drivers;

        g_string_append(text, object_manager_interface);
        for (unsigned i = 0; i < drivers->len; i++)
                g_string_append_printf(text, " <node name=\"%s\"/>\n", ((Driver *)drivers->pdata[i])->name);
}

static void append_kinds(GString *text)
{
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++)
                if (object_kind_to_string(kind))
                        g_string_append_printf(text, " <node name=\"%s\"/>\n", object_kind_to_string(kind));
}

/* By their whole paths, as libvirt-dbus names them here. */
static int append_objects(CallFrame *frame, GString *text, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *objects = NULL;
        int r;

        r = visible_list(frame->caller, frame->path.driver, frame->path.kind, frame->call.deadline_usec,
                         &objects, error);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < objects->len; i++)
                g_string_append_printf(text, " <node name=\"%s\"/>\n", ((Object *)objects->pdata[i])->path);
        return 0;
}

static int introspect(CallFrame *frame, const void *data, Error *error) AWAITS
{
        const GString *start = text_of_kind(frame->path.kind);
        _cleanup_(string_builder_freep) GString *text = g_string_sized_new(start->len + 1024);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = 0;

        (void)data; /* nothing but the path counts */
        g_string_append_len(text, start->str, (gssize)start->len);
        if (frame->path.kind == OBJECT_MANAGER)
                append_drivers(text);
        else if (frame->path.kind == OBJECT_CONNECT)
                append_kinds(text);
        else if (frame->path.is_kind)
                r = append_objects(frame, text, error);
        if (r < 0)
                return r;
        g_string_append(text, "</node>\n");
        r = sd_bus_message_new_method_return(frame->message, &reply);
        if (r >= 0)
                r = sd_bus_message_append_basic(reply, 's', text->str);
        if (r < 0)
                return r;
        return call_reply(frame, reply);
}

int introspect_dispatch(sd_bus_message *message)
{
        return call_start(message, INTROSPECTABLE_INTERFACE, "Introspect", introspect, NULL);
}
