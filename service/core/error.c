/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Error codes and the errno that each stands for. Everybody calls it; it knows nobody. */

#include "core/error.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* In bytes. */
#define MESSAGE_HEAD 8192
#define MESSAGE_TAIL 1024

static const int code_errnos[_ERROR_MAX] = {
        [ERROR_INTERNAL] = EIO,
        [ERROR_INVALID_ARGUMENT] = EINVAL,
        [ERROR_INVALID_XML] = EBADMSG,
        [ERROR_CONFIG_UNSUPPORTED] = ENOTSUP,
        [ERROR_NOT_SUPPORTED] = EOPNOTSUPP,
        [ERROR_ACCESS_DENIED] = EACCES,
        [ERROR_NO_OBJECT] = ENOENT,
        [ERROR_NO_DOMAIN] = ENOENT,
        [ERROR_NO_SNAPSHOT] = ENOENT,
        [ERROR_NO_NETWORK] = ENOENT,
        [ERROR_NO_INTERFACE] = ENOENT,
        [ERROR_NO_NODE_DEVICE] = ENOENT,
        [ERROR_NO_NWFILTER] = ENOENT,
        [ERROR_NO_SECRET] = ENOENT,
        [ERROR_NO_STORAGE_POOL] = ENOENT,
        [ERROR_NO_STORAGE_VOLUME] = ENOENT,
        [ERROR_NO_METADATA] = ENODATA,
        [ERROR_NO_DEVICE] = ENODEV,
        [ERROR_NO_JOB] = ENOENT,
        [ERROR_EXISTS] = EEXIST,
        [ERROR_OPERATION_INVALID] = EPERM,
        [ERROR_OPERATION_FAILED] = EREMOTEIO,
        [ERROR_BUSY] = EBUSY,
        [ERROR_TIMED_OUT] = ETIMEDOUT,
        [ERROR_CANCELLED] = ECANCELED,
        [ERROR_AGENT_UNAVAILABLE] = EHOSTDOWN,
        [ERROR_NO_SPACE] = ENOSPC,
        [ERROR_LIMITS_EXCEEDED] = EDQUOT,
};

int error_code_to_errno(ErrorCode code)
{
        if (code <= ERROR_NONE || code >= _ERROR_MAX)
                return EIO;
        return code_errnos[code];
}

/* What a caller sent is quoted, and may be long: the middle is left out then, as the end often says what is
 * wrong. */
static char *shorten(char *message)
{
        size_t size = strlen(message);
        _cleanup_(freep) char *text = NULL, *owned = NULL;

        if (size <= MESSAGE_HEAD + MESSAGE_TAIL)
                return message;
        owned = message;
        text = g_strdup_printf("%.*s [...] %s", MESSAGE_HEAD, message, message + size - MESSAGE_TAIL);
        return g_utf8_make_valid(text, -1); /* the cuts may be in the middle of a letter */
}

static void set_message(Error *error, ErrorCode code, char *message)
{
        error->code = code;
        error->message = shorten(message);
}

int error_set(Error *error, ErrorCode code, const char *format, ...)
{
        if (error && !error_is_set(error)) {
                va_list arguments;

                va_start(arguments, format);
                set_message(error, code, g_strdup_vprintf(format, arguments));
                va_end(arguments);
        }
        return -error_code_to_errno(code);
}

static ErrorCode code_of_errno(int errnum)
{
        switch (errnum) {
        case ENOSPC:
        case EDQUOT:
                return ERROR_NO_SPACE;
        case ETIMEDOUT:
                return ERROR_TIMED_OUT;
        case ECANCELED:
                return ERROR_CANCELLED;
        case EEXIST:
                return ERROR_EXISTS;
        case EACCES:
        case EPERM:
        case ENOENT:
        case ENOTDIR:
        case ELOOP:
        case EBUSY:
        case ECONNRESET:
        case EPIPE:
                return ERROR_OPERATION_FAILED;
        default:
                return ERROR_INTERNAL;
        }
}

int error_set_errno(Error *error, int errnum, const char *format, ...)
{
        errnum = errnum < 0 ? -errnum : errnum;
        if (error && !error_is_set(error)) {
                _cleanup_(freep) char *what = NULL;
                va_list arguments;

                va_start(arguments, format);
                what = g_strdup_vprintf(format, arguments);
                va_end(arguments);
                set_message(error, code_of_errno(errnum),
                            g_strdup_printf("%s: %s", what, g_strerror(errnum)));
        }
        return -errnum;
}

void error_prefix(Error *error, const char *format, ...)
{
        if (!error_is_set(error))
                return;

        _cleanup_(freep) char *prefix = NULL, *old = TAKE_PTR(error->message);
        va_list arguments;

        va_start(arguments, format);
        prefix = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        error->message = g_strconcat(prefix, ": ", old, NULL);
}

bool error_is_set(const Error *error)
{
        return error && error->code != ERROR_NONE;
}

void error_clear(Error *error)
{
        if (!error)
                return;
        g_free(error->message);
        *error = (Error){ 0 };
}

void error_move(Error *to, Error *from)
{
        if (!to) {
                error_clear(from);
                return;
        }
        g_assert(!error_is_set(to));
        *to = *from;
        *from = (Error){ 0 };
}

int error_check_flags(Error *error, const char *operation, uint32_t flags, uint32_t known)
{
        uint32_t unknown = flags & ~known;

        if (unknown == 0)
                return 0;
        return error_set(error, ERROR_INVALID_ARGUMENT, "%s: unknown flags 0x%x (known are 0x%x)", operation,
                         unknown, known);
}

int error_refuse_flag(Error *error, const char *operation, uint32_t flags, uint32_t flag, const char *name)
{
        return flags & flag ? error_set(error, ERROR_NOT_SUPPORTED, "%s: the flag %s is not supported",
                                        operation, name)
                            : 0;
}
