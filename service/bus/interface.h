/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the generator writes about every method, property and signal, as constant tables, and what the front
 * end reads when a call comes in. One entry is all there is to know about a member. */

#include "core/error.h"
#include "core/job.h"
#include "driver.h"
#include <systemd/sd-bus.h>

typedef struct CallFrame CallFrame; /* bus/call.h */

/* One action to authorise. With a mask it counts only if argument number `argument` (an integer) has one of
 * the bits (or, with is_value, equals the mask). The list ends with a NULL action. */
typedef struct InterfaceAction {
        const char *action; /* full: "org.libvirt.api.domain.start" */
        int argument;       /* -1: always */
        uint64_t mask;
        bool is_value;
} InterfaceAction;

typedef struct InterfaceMethod {
        const char *interface;
        const char *member;
        const char *in_signature, *out_signature;
        ObjectKind kind;
        const char *operation; /* "domain.create", which the driver must have; NULL: a handler in bus/ serves
                                * it for every driver */
        size_t operation_offset; /* of the function pointer in DriverOperations, when there is an operation
                                  */
        const InterfaceAction *actions; /* empty list: "none" was written out */
        JobKind job;
        bool is_deprecated;
        /* Unmarshals, calls the operation or handler, and makes the reply. */
        int (*invoke)(CallFrame *frame, Object *object, sd_bus_message *message, sd_bus_message **ret_reply,
                      Error *error) AWAITS;
} InterfaceMethod;

typedef enum PropertyEmits { EMITS_FALSE, EMITS_CONST, EMITS_TRUE, EMITS_INVALIDATES } PropertyEmits;

typedef struct InterfaceProperty {
        const char *name;
        const char *signature;
        PropertyEmits emits;
        const InterfaceAction *get_actions; /* for reading; usually the object's read permission */
        /* Appends the bare value (the caller opened the variant). Reads memory only, never waits. A negative
         * result makes Get fail and GetAll leave the property out. */
        int (*get)(Object *object, sd_bus_message *reply, Error *error);
        /* NULL: read-only. Reads the bare value from the message (the caller entered the variant). */
        int (*set)(CallFrame *frame, Object *object, sd_bus_message *message, Error *error) AWAITS;
        const InterfaceAction *set_actions;
        JobKind set_job;
} InterfaceProperty;

typedef struct Interface {
        const char *name; /* "org.libvirt.Domain" */
        ObjectKind kind;
        bool is_compatible; /* of the org.libvirt family: double variants in GetAll and typed parameters */
        const sd_bus_vtable *vtable;
        const InterfaceMethod *methods;
        size_t n_methods;
        const InterfaceProperty *properties;
        size_t n_properties;
        const char *introspection; /* the <interface> element as Introspect gives it */
} Interface;

/* Generated: every interface, by kind. */
extern const Interface *const interfaces[];
extern const size_t n_interfaces;

/* Why a driver does not have a method. */
typedef struct InterfaceReason {
        const char *driver; /* its folder: "qemu" */
        const char *method; /* "org.libvirt.Domain.BlockCopy" */
        const char *why;
} InterfaceReason;
extern const InterfaceReason interface_reasons[];
extern const size_t n_interface_reasons;

/* The handler that every vtable entry names: finds the method's entry and starts its fiber (bus/call.c). */
int call_dispatch(sd_bus_message *message, const InterfaceMethod *method, Object *object);
