/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a caller is told when something fails. The code says what kind of failure it is (bus/error-names.c
 * makes a D-Bus error name of it), the message is one sentence for a person: the object, what was wrong,
 * what would be right. Functions return a negative errno; error_set() returns the one that belongs to its
 * code, so that `return error_set(error, ERROR_NO_DOMAIN, "...")` is one line. A NULL error is accepted
 * everywhere. */

#include "core/cleanup.h"

typedef enum ErrorCode {
        ERROR_NONE = 0,
        ERROR_INTERNAL,           /* a bug of ours, or the host failed in a way nobody foresaw */
        ERROR_INVALID_ARGUMENT,   /* an argument, flag or combination of them that no object would take */
        ERROR_INVALID_XML,        /* malformed, or against the language's rules */
        ERROR_CONFIG_UNSUPPORTED, /* the definition is valid, but this host or hypervisor cannot do it */
        ERROR_NOT_SUPPORTED,      /* the driver has no such operation; the message names driver and method */
        ERROR_ACCESS_DENIED,
        ERROR_NO_OBJECT, /* a path, name, UUID or id that does not exist, or not for this caller */
        ERROR_NO_DOMAIN,
        ERROR_NO_SNAPSHOT,
        ERROR_NO_NETWORK,
        ERROR_NO_INTERFACE,
        ERROR_NO_NODE_DEVICE,
        ERROR_NO_NWFILTER,
        ERROR_NO_SECRET,
        ERROR_NO_STORAGE_POOL,
        ERROR_NO_STORAGE_VOLUME,
        ERROR_NO_METADATA,
        ERROR_NO_DEVICE,
        ERROR_NO_JOB,
        ERROR_EXISTS,            /* name, UUID or path is taken */
        ERROR_OPERATION_INVALID, /* right call, wrong state: not running, already running, still in use ...
                                  */
        ERROR_OPERATION_FAILED, /* the hypervisor, a tool or the kernel refused; the message has its words */
        ERROR_BUSY,             /* another job holds the object and the deadline passed */
        ERROR_TIMED_OUT,
        ERROR_CANCELLED,
        ERROR_AGENT_UNAVAILABLE,
        ERROR_NO_SPACE,
        ERROR_LIMITS_EXCEEDED, /* too many calls, questions, objects or bytes from one caller */
        _ERROR_MAX,
} ErrorCode;

/* Zero-initialise; release with error_clear() or _cleanup_(error_clear). */
typedef struct Error {
        ErrorCode code;
        char *message;
} Error;

/* Sets code and message (of at most about 9 KiB) unless an error is set already (the first one is the cause)
 * and returns the negative errno of the code. */
int error_set(Error *error, ErrorCode code, const char *format, ...) _printf_(3, 4);

/* As error_set(), for a failed system call: appends ": " and strerror(errnum); the code is chosen by errnum
 * (ENOSPC -> ERROR_NO_SPACE, ETIMEDOUT -> ERROR_TIMED_OUT, ...). errnum may be negative. Returns -|errnum|.
 */
int error_set_errno(Error *error, int errnum, const char *format, ...) _printf_(3, 4);

/* Puts what was being done before the message: "Cannot start domain web: " + message. Once per error. */
void error_prefix(Error *error, const char *format, ...) _printf_(2, 3);

bool error_is_set(const Error *error);
void error_clear(Error *error);
/* Moves *from to *to (which must be unset or NULL: then *from is cleared). */
void error_move(Error *to, Error *from);

/* The errno, positive, that stands for a code. */
int error_code_to_errno(ErrorCode code);

/* Refuses flags outside of `known`: the message names the unknown bits. */
int error_check_flags(Error *error, const char *operation, uint32_t flags, uint32_t known);
/* ERROR_NOT_SUPPORTED if a flag is given that exists and is not done, with its name and number. */
int error_refuse_flag(Error *error, const char *operation, uint32_t flags, uint32_t flag, const char *name);
