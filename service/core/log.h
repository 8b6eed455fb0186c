/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Structured log lines: to the journal where there is one, to stderr elsewhere. Log once, where the event is
 * handled; name the object and the reason; never a secret. */

#include "core/cleanup.h"
#include <syslog.h>

/* Chooses the target; `level` is a syslog priority, lines above it are dropped. */
void log_open(int level);
void log_set_level(int level);
int log_get_level(void);
/* "journal" or "console". */
const char *log_get_target(void);

/* "debug", "info", ... <-> LOG_DEBUG, LOG_INFO, ...; -EINVAL or NULL for anything else. */
int log_level_from_string(const char *name);
const char *log_level_to_string(int level);

/* `object` names what the line is about (an object path, a file, a unit) and becomes the field
 * VIRTBUS_OBJECT; NULL if there is none. */
void log_write(int level, const char *object, const char *file, int line, const char *function,
               const char *format, ...) _printf_(6, 7);

#define log_debug(object, ...)                                                                              \
        do {                                                                                                \
                if (log_get_level() >= LOG_DEBUG)                                                           \
                        log_write(LOG_DEBUG, (object), __FILE__, __LINE__, __func__, __VA_ARGS__);          \
        } while (0)
#define log_info(object, ...)    log_write(LOG_INFO, (object), __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_warning(object, ...) log_write(LOG_WARNING, (object), __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_error(object, ...)   log_write(LOG_ERR, (object), __FILE__, __LINE__, __func__, __VA_ARGS__)
