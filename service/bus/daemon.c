/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon itself as an object, /org/libvirt: what it is, how it is doing and what it allows. */

#include "bus/call.h"
#include "bus/client.h"
#include "bus/marshal.h"
#include "bus/peers.h"
#include "core/loop.h"
#include "core/xml.h"
#include "handlers.h"

int manager_native_property_version(Object *object, sd_bus_message *reply, Error *error)
{
        (void)object, (void)error;
        return sd_bus_message_append(reply, "s", VIRTBUS_VERSION);
}

int manager_native_property_mode(Object *object, sd_bus_message *reply, Error *error)
{
        (void)object, (void)error;
        return sd_bus_message_append(reply, "s", front_end()->config->is_system ? "system" : "session");
}

int manager_native_property_drivers(Object *object, sd_bus_message *reply, Error *error)
{
        const GPtrArray *drivers = front_end()->drivers;
        int r;

        (void)object, (void)error;
        r = sd_bus_message_open_container(reply, 'a', "o");
        for (unsigned i = 0; r >= 0 && i < drivers->len; i++)
                r = sd_bus_message_append_basic(reply, 'o', ((Driver *)drivers->pdata[i])->object.path);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void add(GVariantBuilder *values, const char *key, uint64_t value)
{
        g_variant_builder_add(values, "{sv}", key, g_variant_new_uint64(value));
}

static uint64_t count_objects(ObjectKind kind)
{
        const GPtrArray *drivers = front_end()->drivers;
        uint64_t count = 0;

        for (unsigned i = 0; i < drivers->len; i++)
                count += object_table_count(((Driver *)drivers->pdata[i])->objects, kind);
        return count;
}

int manager_native_get_statistics(CallFrame *frame, GVariant **ret_statistics, Error *error)
{
        const FrontEnd *front = front_end();
        AuthorityStatistics questions;
        GVariantBuilder values;

        (void)frame, (void)error;
        authority_get_statistics(front->authority, &questions);
        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        add(&values, "uptime-usec", loop_now_usec() - front->started_usec);
        add(&values, "calls", front->n_calls);
        add(&values, "errors", front->n_errors);
        add(&values, "signals", front->n_signals);
        add(&values, "clients", clients_count());
        add(&values, "peers", front->peers->len);
        add(&values, "fibers", fiber_count());
        add(&values, "objects", object_count());
        add(&values, "domains", count_objects(OBJECT_DOMAIN));
        add(&values, "jobs", count_objects(OBJECT_JOB));
        add(&values, "questions-asked", questions.asked);
        add(&values, "questions-remembered", questions.answered_from_memory);
        add(&values, "questions-cancelled", questions.cancelled);
        add(&values, "questions-refused", questions.refused);
        add(&values, "questions-out", questions.n_out);
        add(&values, "questions-queued", questions.n_queued);
        *ret_statistics = g_variant_ref_sink(g_variant_builder_end(&values));
        return 0;
}

int manager_native_get_limits(CallFrame *frame, GVariant **ret_limits, Error *error)
{
        GVariantBuilder values;

        (void)frame, (void)error;
        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        add(&values, "calls-per-caller", CALLS_PER_CALLER_MAX);
        add(&values, "calls-per-user", CALLS_PER_USER_MAX);
        add(&values, "fibers", FIBERS_MAX);
        add(&values, "peers", PEERS_MAX);
        add(&values, "peers-per-user", PEERS_PER_UID_MAX);
        add(&values, "questions", QUESTIONS_MAX);
        add(&values, "questions-per-user", QUESTIONS_PER_UID_MAX);
        add(&values, "questions-queued-per-user", QUESTIONS_QUEUED_PER_UID_MAX);
        add(&values, "values-per-argument", MARSHAL_VALUES_MAX);
        add(&values, "xml-bytes", XML_SIZE_MAX);
        *ret_limits = g_variant_ref_sink(g_variant_builder_end(&values));
        return 0;
}
