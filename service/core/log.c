/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Log lines as journal fields, or as text on stderr where there is no journal. Safe from worker threads. */

#include "core/log.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static int log_level = LOG_INFO;
static bool is_journal;

static const char *const level_names[] = {
        [LOG_EMERG] = "emerg",     [LOG_ALERT] = "alert",   [LOG_CRIT] = "crit", [LOG_ERR] = "err",
        [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

void log_open(int level)
{
        log_level = level;
        /* A service of systemd has its stderr connected to the journal; a terminal wants to see the lines
         * itself. */
        is_journal = g_getenv("JOURNAL_STREAM") && access(JOURNAL_SOCKET, W_OK) == 0;
}

void log_set_level(int level)
{
        log_level = level;
}

int log_get_level(void)
{
        return log_level;
}

const char *log_get_target(void)
{
        return is_journal ? "journal" : "console";
}

int log_level_from_string(const char *name)
{
        for (size_t i = 0; i < G_N_ELEMENTS(level_names); i++)
                if (g_str_equal(name, level_names[i]))
                        return (int)i;
        return -EINVAL;
}

const char *log_level_to_string(int level)
{
        return level >= 0 && level < (int)G_N_ELEMENTS(level_names) ? level_names[level] : NULL;
}

static struct iovec field(const char *text)
{
        return (struct iovec){ .iov_base = (void *)text, .iov_len = strlen(text) };
}

static void write_journal(int level, const char *object, const char *file, int line, const char *function,
                          const char *message)
{
        _cleanup_(freep) char *message_field = g_strdup_printf("MESSAGE=%s", message);
        _cleanup_(freep) char *level_field = g_strdup_printf("PRIORITY=%d", level);
        _cleanup_(freep) char *file_field = g_strdup_printf("CODE_FILE=%s", file);
        _cleanup_(freep) char *line_field = g_strdup_printf("CODE_LINE=%d", line);
        _cleanup_(freep) char *function_field = g_strdup_printf("CODE_FUNC=%s", function);
        _cleanup_(freep) char *object_field = g_strdup_printf("VIRTBUS_OBJECT=%s", object ? object : "");
        struct iovec fields[] = { field(message_field), field(level_field),    field(file_field),
                                  field(line_field),    field(function_field), field(object_field) };

        (void)sd_journal_sendv(fields, G_N_ELEMENTS(fields)); /* there is no other place to complain */
}

/* Control characters in names that others chose must not draw lines of their own. */
static void write_console(int level, const char *object, const char *message)
{
        _cleanup_(freep) char *line =
                object ? g_strdup_printf("%s: %s: %s", level_names[level], object, message)
                       : g_strdup_printf("%s: %s", level_names[level], message);

        for (char *c = line; *c; c++)
                if ((unsigned char)*c < ' ' && *c != '\t')
                        *c = ' ';
        (void)fprintf(stderr, "%s\n", line);
}

void log_write(int level, const char *object, const char *file, int line, const char *function,
               const char *format, ...)
{
        if (level > log_level)
                return;

        _cleanup_(freep) char *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        message = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        if (is_journal)
                write_journal(level, object, file, line, function, message);
        else
                write_console(level, object, message);
}
