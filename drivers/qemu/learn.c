/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Only what this definition needs is asked. The answers are checked like everything a QEMU says: a terminal
 * is one of /dev/pts, a port is a number. */

#include "drivers/qemu/learn.h"
#include "drivers/qemu/migration.h"
#include <string.h>
#include <time.h>

#define PTS_PREFIX "pty:/dev/pts/"

typedef struct Question {
        QmpCommand *command;
        void (*learn)(DomainDefinition *live, json_t *answer); /* NULL: only whether it worked */
} Question;

static void question_free(void *data)
{
        Question *question = data;

        qmp_command_free(question->command);
        g_free(question);
}

static void ask(GPtrArray *questions, QmpCommand *command,
                void (*learned)(DomainDefinition *live, json_t *answer))
{
        Question *question = g_new(Question, 1);

        *question = (Question){ command, learned };
        g_ptr_array_add(questions, question);
}

/* "3" of "/dev/pts/3" and nothing else. */
static bool is_terminal(const char *name)
{
        return *name && strlen(name) < 8 && strspn(name, "0123456789") == strlen(name);
}

static void set_terminal(ChardevSource *source, const char *path)
{
        if (source->type != CHARDEV_TYPE_PTY)
                return;
        g_free(source->path);
        source->path = g_strdup(path);
}

static void learn_chardev(DomainDefinition *live, const char *alias, const char *path)
{
        DomainDevices *devices = &live->devices;

        LIST_FOREACH (serial, devices->serials) {
                if (g_strcmp0(serial->info.alias, alias) == 0)
                        set_terminal(&serial->source, path);
        }
        LIST_FOREACH (parallel, devices->parallels) {
                if (g_strcmp0(parallel->info.alias, alias) == 0)
                        set_terminal(&parallel->source, path);
        }
        LIST_FOREACH (channel, devices->channels) {
                if (g_strcmp0(channel->info.alias, alias) == 0)
                        set_terminal(&channel->source, path);
        }
        LIST_FOREACH (console, devices->consoles) {
                if (g_strcmp0(console->info.alias, alias) != 0 || console->source.type != CHARDEV_TYPE_PTY)
                        continue;
                set_terminal(&console->source, path);
                g_free(console->source.tty);
                console->source.tty = g_strdup(path);
        }
}

static void learn_chardevs(DomainDefinition *live, json_t *answer)
{
        json_t *item;
        size_t i;

        json_array_foreach(answer, i, item)
        {
                const char *label = json_string_value(json_object_get(item, "label"));
                const char *name = json_string_value(json_object_get(item, "filename"));

                if (label && name && g_str_has_prefix(label, "char") && g_str_has_prefix(name, PTS_PREFIX) &&
                    is_terminal(name + strlen(PTS_PREFIX)))
                        learn_chardev(live, label + strlen("char"), name + strlen("pty:"));
        }
}

static void learn_vnc(DomainDefinition *live, json_t *answer)
{
        const char *service = json_string_value(json_object_get(answer, "service"));
        guint64 port;

        if (!service || !g_ascii_string_to_unsigned(service, 10, 1, 65535, &port, NULL))
                return;
        LIST_FOREACH (graphics, live->devices.graphics) {
                if (graphics->type != GRAPHICS_TYPE_VNC || graphics->socket)
                        continue;
                graphics->has_port = true;
                graphics->port = (int32_t)port;
        }
}

static bool uses_terminals(const DomainDevices *devices)
{
        LIST_FOREACH (serial, devices->serials) {
                if (serial->source.type == CHARDEV_TYPE_PTY)
                        return true;
        }
        LIST_FOREACH (parallel, devices->parallels) {
                if (parallel->source.type == CHARDEV_TYPE_PTY)
                        return true;
        }
        LIST_FOREACH (channel, devices->channels) {
                if (channel->source.type == CHARDEV_TYPE_PTY)
                        return true;
        }
        LIST_FOREACH (console, devices->consoles) {
                if (console->source.type == CHARDEV_TYPE_PTY)
                        return true;
        }
        return false;
}

/* "2027-01-31T12:00:00", UTC, as seconds since 1970; the caller frees. */
static char *moment(const char *text, Error *error)
{
        struct tm parts = {};
        const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);

        if (!end || *end) {
                (void)error_set(error, ERROR_INVALID_XML,
                                "'%s' is no moment until which a password is valid", text);
                return NULL;
        }
        return g_strdup_printf("%" G_GINT64_FORMAT, (gint64)timegm(&parts));
}

static int ask_password(Machine *machine, GPtrArray *questions, const DomainGraphics *graphics, Error *error)
{
        const char *protocol = graphics_type_to_string(graphics->type);
        static const char *const connected[] = { NULL, "fail", "disconnect", "keep" };
        json_t *arguments;
        _cleanup_(freep) char *time = NULL;

        arguments = json_pack("{s:s, s:s}", "protocol", protocol, "password", graphics->password);
        if (graphics->connected < G_N_ELEMENTS(connected) && connected[graphics->connected])
                json_object_set_new(arguments, "connected", json_string(connected[graphics->connected]));
        ask(questions, qmp_send(machine->qmp, "set_password", arguments, -EBADF), NULL);
        if (!graphics->password_valid_to)
                return 0;
        time = moment(graphics->password_valid_to, error);
        if (!time)
                return -EINVAL;
        ask(questions,
            qmp_send(machine->qmp, "expire_password",
                     json_pack("{s:s, s:s}", "protocol", protocol, "time", time), -EBADF),
            NULL);
        return 0;
}

static int hear(const GPtrArray *questions, DomainDefinition *live, uint64_t deadline_usec,
                Error *error) AWAITS
{
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < questions->len; i++) {
                const Question *question = questions->pdata[i];
                _cleanup_(json_decrefp) json_t *answer = NULL;

                r = qmp_wait(question->command, deadline_usec, &answer, error);
                if (r >= 0 && question->learn)
                        question->learn(live, answer);
        }
        return r;
}

int learn_password(Machine *machine, const DomainGraphics *graphics, uint64_t deadline_usec, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *questions = g_ptr_array_new_with_free_func(question_free);
        int r = ask_password(machine, questions, graphics, error);

        return r < 0 ? r : hear(questions, NULL, deadline_usec, error);
}

int learn(Machine *machine, DomainDefinition *live, uint64_t deadline_usec, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *questions = g_ptr_array_new_with_free_func(question_free);
        bool has_vnc = false;
        int r = 0;

        ask(questions, qmp_send_capabilities(machine->qmp), NULL);
        if (machine->migration_speed_mib > 0)
                ask(questions, migration_send_speed(machine), NULL);
        LIST_FOREACH (graphics, live->devices.graphics) {
                has_vnc |= graphics->type == GRAPHICS_TYPE_VNC;
                if (r >= 0 && graphics->password &&
                    (graphics->type == GRAPHICS_TYPE_VNC || graphics->type == GRAPHICS_TYPE_SPICE))
                        r = ask_password(machine, questions, graphics, error);
        }
        LIST_FOREACH (interface, live->devices.interfaces) {
                if (interface->link == LINK_DOWN)
                        ask(questions,
                            qmp_send(machine->qmp, "set_link",
                                     json_pack("{s:s, s:b}", "name", interface->info.alias, "up", 0),
                                     -EBADF),
                            NULL);
        }
        if (uses_terminals(&live->devices))
                ask(questions, qmp_send(machine->qmp, "query-chardev", NULL, -EBADF), learn_chardevs);
        if (has_vnc)
                ask(questions, qmp_send(machine->qmp, "query-vnc", NULL, -EBADF), learn_vnc);
        return r < 0 ? r : hear(questions, live, deadline_usec, error);
}
