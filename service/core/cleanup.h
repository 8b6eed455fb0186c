/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ownership: a variable that owns something says so with _cleanup_(), and handing it over is visible as
 * TAKE_PTR() or TAKE_FD() at the call. Memory comes from GLib's allocator, which ends the process when there
 * is none. Every x_free() and x_unref() accepts NULL and returns NULL. */

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define _cleanup_(function)       __attribute__((cleanup(function)))
#define _printf_(template, first) __attribute__((format(printf, template, first)))
#define _unused_                  __attribute__((unused))

/* Marks a function that may suspend the calling fiber (core/fiber.h). Everything may have changed when it
 * returns: hold a counted reference and look at the state of objects again. */
#define AWAITS

#define TAKE_PTR(pointer)                                                                                   \
        ({                                                                                                  \
                typeof(pointer) _taken = (pointer);                                                         \
                (pointer) = NULL;                                                                           \
                _taken;                                                                                     \
        })

#define TAKE_FD(fd)                                                                                         \
        ({                                                                                                  \
                int _taken = (fd);                                                                          \
                (fd) = -EBADF;                                                                              \
                _taken;                                                                                     \
        })

/* Defines x_freep() for _cleanup_(x_freep) from `Type *x_free(Type *)`. */
#define DEFINE_CLEANUP(Type, function)                                                                      \
        static inline void function##p(Type **pointer)                                                      \
        {                                                                                                   \
                *pointer = function(*pointer);                                                              \
        }

/* The same for foreign functions that return nothing and do not take NULL. */
#define DEFINE_FOREIGN_CLEANUP(Type, function)                                                              \
        static inline void function##p(Type **pointer)                                                      \
        {                                                                                                   \
                if (*pointer)                                                                               \
                        function(*pointer);                                                                 \
        }

static inline void freep(void *pointer)
{
        g_free(*(void **)pointer);
}

static inline void closep(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* nobody could do anything about a failure */
}

DEFINE_FOREIGN_CLEANUP(GArray, g_array_unref)
DEFINE_FOREIGN_CLEANUP(GPtrArray, g_ptr_array_unref)
DEFINE_FOREIGN_CLEANUP(GHashTable, g_hash_table_unref)
DEFINE_FOREIGN_CLEANUP(GVariant, g_variant_unref)
DEFINE_FOREIGN_CLEANUP(GVariantBuilder, g_variant_builder_unref)

static inline void string_builder_freep(GString **string)
{
        if (*string)
                g_string_free(*string, TRUE);
}

static inline void strvp(char ***strings)
{
        g_strfreev(*strings);
}
