/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bus/call.h"
#include "bus/fault.h"
#include "bus/lookup.h"
#include "handlers.h"
#include <string.h>

#define DELAY_MAX_USEC  (UINT64_C(3600) * G_USEC_PER_SEC)
#define ERROR_BYTES_MAX 4096

static const char *find_in(const Interface *interface, const char *member)
{
        int property = interface_find_property(interface, member);

        for (size_t i = 0; i < interface->n_methods; i++)
                if (strcmp(interface->methods[i].member, member) == 0)
                        return interface->methods[i].member;
        return property >= 0 && interface->properties[property].set ? interface->properties[property].name
                                                                    : NULL;
}

/* A method or a writable property of a driver's objects: the daemon's own are no driver's. */
static int find_member(Fault *fault, const char *interface, const char *member, Error *error)
{
        for (size_t i = 0; i < n_interfaces; i++) {
                if (strcmp(interfaces[i]->name, interface) != 0 || interfaces[i]->kind == OBJECT_MANAGER)
                        continue;
                fault->interface = interfaces[i]->name;
                fault->member = find_in(interfaces[i], member);
        }
        return fault->member
                       ? 0
                       : error_set(error, ERROR_INVALID_ARGUMENT,
                                   "There is no method or writable property %s.%s on a driver's objects",
                                   interface, member);
}

static int wrong_type(const char *key, const char *expected, GVariant *value, Error *error)
{
        return error_set(error, ERROR_INVALID_ARGUMENT, "'%s' is of type %s, not %s", key, expected,
                         g_variant_get_type_string(value));
}

static int read_one(Fault *fault, const char *key, GVariant *value, Error *error)
{
        static const struct {
                const char *key, *type;
        } known[] = { { "error", "s" }, { "delay-usec", "t" }, { "crash", "b" }, { "count", "u" } };
        size_t i = 0;

        while (i < G_N_ELEMENTS(known) && strcmp(known[i].key, key) != 0)
                i++;
        if (i == G_N_ELEMENTS(known))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "There is no fault '%s': known are error, delay-usec, crash, count", key);
        if (strcmp(g_variant_get_type_string(value), known[i].type) != 0)
                return wrong_type(key, known[i].type, value, error);
        if (i == 0) {
                g_free(fault->error);
                fault->error = g_variant_dup_string(value, NULL);
        } else if (i == 1) {
                fault->delay_usec = g_variant_get_uint64(value);
        } else if (i == 2) {
                fault->is_crash = g_variant_get_boolean(value);
        } else {
                fault->count = g_variant_get_uint32(value);
        }
        return 0;
}

static int read_all(Fault *fault, GVariant *options, Error *error)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g_variant_n_children(options); i++) {
                _cleanup_(g_variant_unrefp) GVariant *value = NULL;
                _cleanup_(freep) char *key = NULL;

                g_variant_get_child(options, i, "{sv}", &key, &value);
                r = read_one(fault, key, value, error);
        }
        if (r >= 0 && fault->delay_usec > DELAY_MAX_USEC)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "'delay-usec' is at most an hour");
        if (r >= 0 && fault->error && (!*fault->error || strlen(fault->error) > ERROR_BYTES_MAX))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "'error' is a text of 1 to %d bytes",
                              ERROR_BYTES_MAX);
        if (r >= 0 && fault->is_crash && fault->driver->config->is_system)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The system's daemon serves others as well: one on a session's bus can crash");
        if (r >= 0 && fault->count > 0 && !fault->error && !fault->is_crash && fault->delay_usec == 0)
                fault->count = 0;
        return r;
}

int connect_native_inject_fault(CallFrame *frame, const char *interface, const char *member,
                                GVariant *options, Error *error)
{
        Fault fault = { .driver = frame->path.driver, .uid = frame->caller->uid, .count = 1 };
        int r;

        if (!fault.driver->type->is_in_memory)
                return call_not_supported(frame, error);
        r = find_member(&fault, interface, member, error);
        if (r >= 0)
                r = read_all(&fault, options, error);
        if (r < 0) {
                g_free(fault.error);
                return r;
        }
        return fault_set(&fault, error);
}
