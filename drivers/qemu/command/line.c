/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The container that every file of this folder adds its arguments to. JSON is used wherever QEMU takes it,
 * so that a file's name is never more than a name; the old notation has its commas doubled. */

#include "drivers/qemu/command/line.h"
#include <stdarg.h>
#include <string.h>

static void passed_file_free(void *data)
{
        PassedFile *file = data;

        g_free(file->path);
        g_free(file);
}

static void passed_overlay_free(void *data)
{
        PassedOverlay *overlay = data;

        g_free(overlay->path);
        g_free(overlay);
}

static void passed_socket_free(void *data)
{
        PassedSocket *socket = data;

        g_free(socket->path);
        g_free(socket);
}

static void passed_secret_free(void *data)
{
        PassedSecret *secret = data;

        if (secret->text)
                explicit_bzero(secret->text, strlen(secret->text));
        g_free(secret->text);
        g_free(secret->id);
        g_free(secret);
}

CommandLine *command_line_new(const DomainDefinition *definition, const CommandHost *host)
{
        CommandLine *line = g_new(CommandLine, 1);

        *line = (CommandLine){
                .definition = definition,
                .host = *host,
                .arguments = g_ptr_array_new_with_free_func(g_free),
                .environment = g_ptr_array_new_with_free_func(g_free),
                .files = g_ptr_array_new_with_free_func(passed_file_free),
                .overlays = g_ptr_array_new_with_free_func(passed_overlay_free),
                .sockets = g_ptr_array_new_with_free_func(passed_socket_free),
                .taps = g_ptr_array_new_with_free_func(g_free),
                .helpers = g_ptr_array_new_with_free_func(g_free),
                .secrets = g_ptr_array_new_with_free_func(passed_secret_free),
                .next_fd = 3,
        };
        return line;
}

CommandLine *command_line_free(CommandLine *line)
{
        if (!line)
                return NULL;
        g_ptr_array_unref(line->arguments);
        g_ptr_array_unref(line->environment);
        g_ptr_array_unref(line->files);
        g_ptr_array_unref(line->taps);
        g_ptr_array_unref(line->secrets);
        g_ptr_array_unref(line->helpers);
        g_ptr_array_unref(line->overlays);
        g_ptr_array_unref(line->sockets);
        domain_definition_free(line->resolved);
        g_free(line);
        return NULL;
}

void command_add(CommandLine *line, const char *argument)
{
        g_ptr_array_add(line->arguments, g_strdup(argument));
}

void command_add_option(CommandLine *line, const char *option, const char *format, ...)
{
        va_list arguments;

        command_add(line, option);
        va_start(arguments, format);
        g_ptr_array_add(line->arguments, g_strdup_vprintf(format, arguments));
        va_end(arguments);
}

void command_add_json(CommandLine *line, const char *option, json_t *value)
{
        _cleanup_(json_decrefp) json_t *owned = value;

        command_add(line, option);
        g_ptr_array_add(line->arguments, json_dumps(owned, JSON_COMPACT));
}

char *command_escape(const char *text)
{
        GString *escaped = g_string_new(NULL);

        for (; *text; text++) {
                g_string_append_c(escaped, *text);
                if (*text == ',')
                        g_string_append_c(escaped, ',');
        }
        return g_string_free(escaped, FALSE);
}

static PassedFile *pass(CommandLine *line, const char *path)
{
        PassedFile *file = g_new(PassedFile, 1);

        *file = (PassedFile){ .path = g_strdup(path), .fd = line->next_fd++ };
        g_ptr_array_add(line->files, file);
        return file;
}

char *command_file(CommandLine *line, const char *path, bool is_writable, bool is_direct)
{
        PassedFile *file;

        if (!line->host.passes_files)
                return g_strdup(path);
        file = pass(line, path);
        file->is_writable = is_writable;
        file->is_direct = is_direct;
        command_add_option(line, "-add-fd", "set=%u,fd=%u", file->fd, file->fd);
        return g_strdup_printf("/dev/fdset/%u", file->fd);
}

char *command_group(CommandLine *line, const char *group, bool is_writable)
{
        PassedFile *file = pass(line, group);

        file->is_group = true;
        file->is_writable = is_writable;
        command_add_option(line, "-add-fd", "set=%u,fd=%u", file->fd, file->fd);
        return g_strdup_printf("/dev/fdset/%u", file->fd);
}

char *command_overlay(CommandLine *line, const char *path)
{
        PassedOverlay *overlay = g_new(PassedOverlay, 1);

        *overlay = (PassedOverlay){ .path = g_strdup(path), .fd = line->next_fd++ };
        g_ptr_array_add(line->overlays, overlay);
        command_add_option(line, "-add-fd", "set=%u,fd=%u", overlay->fd, overlay->fd);
        return g_strdup_printf("/dev/fdset/%u", overlay->fd);
}

char *command_whole_file(CommandLine *line, const char *path)
{
        PassedFile *file;

        if (!line->host.passes_files)
                return g_strdup(path);
        file = pass(line, path);
        file->is_reopened = true;
        return g_strdup_printf("/proc/self/fd/%u", file->fd);
}

char *command_device_file(CommandLine *line, const char *path)
{
        _cleanup_(freep) char *escaped = NULL;
        PassedFile *file;

        if (!line->host.passes_files)
                return g_strdup(path);
        file = pass(line, path);
        file->is_writable = file->is_device = true;
        /* The path is how the set is found when the device goes. */
        escaped = command_escape(path);
        command_add_option(line, "-add-fd", "set=%u,fd=%u,opaque=%s", file->fd, file->fd, escaped);
        return g_strdup_printf("/dev/fdset/%u", file->fd);
}

char *command_descriptor(CommandLine *line, const char *path)
{
        PassedFile *file = pass(line, path);

        file->is_writable = file->is_device = file->is_named = true;
        return command_fd(line, file->fd);
}

void command_helper(CommandLine *line, HelperKind kind, unsigned index, const char *id, const char *alias)
{
        PassedHelper *helper;

        if (!line->host.runs) { /* as a person would connect them */
                command_add_option(line, "-chardev", "socket,id=%s,path=%s/%s-%s.sock", id,
                                   line->host.folder, alias, kind == HELPER_TPM ? "swtpm" : "fs");
                return;
        }
        helper = g_new(PassedHelper, 1);
        *helper = (PassedHelper){ .kind = kind, .index = index, .fd = line->next_fd++ };
        g_ptr_array_add(line->helpers, helper);
        command_add_option(line, "-chardev", "socket,id=%s,fd=%u", id, helper->fd);
}

char *command_fd(const CommandLine *line, unsigned fd)
{
        return g_strdup_printf("%s%u", line->host.is_plugged ? "fd" : "", fd);
}

unsigned command_socket(CommandLine *line, const char *path)
{
        PassedSocket *socket = g_new(PassedSocket, 1);

        *socket = (PassedSocket){ .path = g_strdup(path), .fd = line->next_fd++ };
        g_ptr_array_add(line->sockets, socket);
        return socket->fd;
}

unsigned command_taps(CommandLine *line, unsigned index, unsigned n_queues, bool has_header)
{
        PassedTap *tap = g_new(PassedTap, 1);

        *tap = (PassedTap){
                .index = index, .fd = line->next_fd, .n_queues = n_queues, .has_header = has_header
        };
        line->next_fd += n_queues;
        g_ptr_array_add(line->taps, tap);
        return tap->fd;
}

/* Nothing of the secret stands in the line until it is encrypted. */
static PassedSecret *add_secret(CommandLine *line, const char *id)
{
        PassedSecret *secret = g_new(PassedSecret, 1);

        command_add_json(line, "-object",
                         json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "qom-type", "secret", "id", id, "data",
                                   "", "keyid", MASTER_KEY_ID, "iv", "", "format", "base64"));
        *secret = (PassedSecret){ .argument = line->arguments->len - 1, .id = g_strdup(id) };
        g_ptr_array_add(line->secrets, secret);
        return secret;
}

void command_secret(CommandLine *line, const char *id, const SecretReference *reference, bool is_base64)
{
        PassedSecret *secret = add_secret(line, id);

        secret->reference = reference;
        secret->is_base64 = is_base64;
}

void command_secret_text(CommandLine *line, const char *id, const char *text)
{
        add_secret(line, id)->text = g_strdup(text);
}

void json_set_string(json_t *object, const char *key, const char *value)
{
        if (value)
                json_object_set_new(object, key, json_string(value));
}

void json_set_number(json_t *object, const char *key, uint64_t value)
{
        if (value > 0)
                json_object_set_new(object, key, json_integer((json_int_t)value));
}

void json_set_bool(json_t *object, const char *key, bool value)
{
        json_object_set_new(object, key, json_boolean(value));
}

void json_set_on_off(json_t *object, const char *key, OnOff value)
{
        if (value != ON_OFF_ABSENT)
                json_set_bool(object, key, value == ON);
}

void json_set_on_off_word(json_t *object, const char *key, OnOff value)
{
        json_set_string(object, key, on_off_to_string(value));
}
