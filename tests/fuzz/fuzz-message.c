/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Arguments of calls: values of the types that the interfaces have, out of any bytes, into a message and
 * back. */

#include "bus/marshal.h"
#include "bus/options.h"
#include <stdlib.h>
#include <sys/socket.h>

static const char *const types[] = {
        "s",         "as",           "a{sv}",    "ay", "ab",    "au",    "aab",         "(ii)",
        "a(sa{sv})", "a(sxisssuss)", "(ia{sv})", "v",  "a{st}", "a{it}", "a(ssa(isu))",
};

static sd_bus *bus_open(void)
{
        sd_bus *bus;
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0 ||
            sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, ends[0], ends[0]) < 0 || sd_bus_start(bus) < 0)
                abort();
        return bus; /* the other end stays open: nobody speaks there */
}

static void read_as_options(GVariant *value)
{
        _cleanup_(error_clear) Error error = {};
        Call call = {};
        uint32_t flags;

        if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT))
                (void)start_options_read(value, &call, &flags, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static sd_bus *bus;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        _cleanup_(g_variant_unrefp) GVariant *raw = NULL, *value = NULL, *back = NULL;
        const char *type;
        GBytes *bytes;

        if (size == 0)
                return 0;
        bus = bus ? bus : bus_open();
        type = types[data[0] % G_N_ELEMENTS(types)];
        if (!g_variant_type_string_is_valid(type))
                return 0;                        /* one that is a list of types */
        bytes = g_bytes_new(data + 1, size - 1); /* aligned as GVariant wants it */
        raw = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(type), bytes, false));
        g_bytes_unref(bytes);
        value = g_variant_get_normal_form(raw);
        read_as_options(value);
        if (sd_bus_message_new_method_call(bus, &message, NULL, "/a", "a.b", "C") < 0 ||
            marshal_append(message, value, data[0] & 128) < 0 || sd_bus_message_seal(message, 1, 0) < 0)
                return 0;
        if (data[0] & 128) /* values in two variants are only written */
                return 0;
        if (sd_bus_message_rewind(message, true) < 0 || marshal_read(message, type, &back) < 0)
                abort(); /* what was written cannot be read */
        return 0;
}
