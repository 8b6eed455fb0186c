/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One connection to one QEMU's monitor. A command is a small object that two share: the fiber that waits for
 * it and the table of those without answer. Whichever of both goes first, the other does not notice: a late
 * answer finds no command and is dropped, a closed monitor ends every command with the reason. */

#include "drivers/qemu/qmp.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

struct QmpCommand {
        Qmp *qmp; /* NULL when answered, or when the monitor is closed */
        uint64_t id;
        char *name;
        bool is_done;
        json_t *answer; /* of "return" */
        Error error;
        Condition done;
};

struct Qmp {
        JsonStream *stream;
        const QmpHandlers *handlers;
        void *data;
        GHashTable *pending; /* id -> QmpCommand, borrowed: who waits owns it */
        uint64_t next_id;
        uint64_t answered_id; /* answers come in the order of the commands */
        uint64_t asked_usec;  /* since when the oldest command without answer has had its turn */
        uint64_t version;
        bool is_greeted;
        char *closed_reason; /* NULL while it is open */
};

static void command_finish(QmpCommand *command)
{
        command->qmp = NULL;
        command->is_done = true;
        condition_wake_all(&command->done);
}

/* Ends every command that has no answer. */
static void commands_abandon(Qmp *qmp)
{
        GHashTableIter i;
        void *value;

        g_hash_table_iter_init(&i, qmp->pending);
        while (g_hash_table_iter_next(&i, NULL, &value)) {
                QmpCommand *command = value;

                error_set(&command->error, ERROR_OPERATION_FAILED,
                          "The monitor of QEMU was closed during %s: %s", command->name, qmp->closed_reason);
                g_hash_table_iter_remove(&i);
                command_finish(command);
        }
}

/* Returns true if it was open until now. */
static bool monitor_close(Qmp *qmp, const char *reason)
{
        if (qmp->closed_reason)
                return false;
        qmp->closed_reason = g_strdup(reason);
        json_stream_close(qmp->stream);
        commands_abandon(qmp);
        return true;
}

static void protocol_broken(Qmp *qmp, const char *reason)
{
        if (monitor_close(qmp, reason))
                qmp->handlers->closed(reason, qmp->data);
}

static void greet(Qmp *qmp, json_t *greeting)
{
        json_t *numbers = json_object_get(json_object_get(greeting, "version"), "qemu");
        json_int_t major, minor, micro;

        if (json_unpack(numbers, "{s:I, s:I, s:I}", "major", &major, "minor", &minor, "micro", &micro) < 0 ||
            major < 0 || minor < 0 || micro < 0 || major > 1000 || minor > 999 || micro > 999) {
                protocol_broken(qmp, "its greeting has no version");
                return;
        }
        qmp->is_greeted = true;
        qmp->version = (uint64_t)major * 1000000 + (uint64_t)minor * 1000 + (uint64_t)micro;
}

static void answer(Qmp *qmp, json_t *message)
{
        json_t *id = json_object_get(message, "id"), *problem = json_object_get(message, "error");
        json_t *value = json_object_get(message, "return");
        QmpCommand *command;
        uint64_t number;

        if (!json_is_integer(id)) {
                protocol_broken(qmp, "it answered what was not asked");
                return;
        }
        number = (uint64_t)json_integer_value(id);
        if (number == 0 || number >= qmp->next_id || (!problem && !value)) {
                protocol_broken(qmp, "it answered what was not asked");
                return;
        }
        qmp->answered_id = number;
        qmp->asked_usec = loop_now_usec();
        command = g_hash_table_lookup(qmp->pending, &number);
        if (!command)
                return; /* nobody waits any more */
        g_hash_table_remove(qmp->pending, &number);
        if (problem) {
                const char *class = json_string_value(json_object_get(problem, "class"));
                const char *text = json_string_value(json_object_get(problem, "desc"));

                error_set(&command->error,
                          g_strcmp0(class, "CommandNotFound") == 0 ? ERROR_NOT_SUPPORTED
                                                                   : ERROR_OPERATION_FAILED,
                          "QEMU refused %s: %.1000s", command->name, text ? text : "without a reason");
        } else
                command->answer = json_incref(value);
        command_finish(command);
}

static void message_arrived(json_t *message, void *data)
{
        Qmp *qmp = data;
        const char *event = json_string_value(json_object_get(message, "event"));
        json_t *greeting = json_object_get(message, "QMP");

        if (event) {
                qmp->handlers->event(event, json_object_get(message, "data"), qmp->data);
                return;
        }
        if (greeting && !qmp->is_greeted) {
                greet(qmp, greeting);
                return;
        }
        answer(qmp, message);
}

static void stream_closed(const char *reason, void *data)
{
        Qmp *qmp = data;

        if (monitor_close(qmp, reason ? reason : "QEMU hung up"))
                qmp->handlers->closed(reason, qmp->data);
}

static void stream_flooded(void *data)
{
        Qmp *qmp = data;

        if (qmp->handlers->flooded)
                qmp->handlers->flooded(qmp->data);
}

static const JsonStreamHandlers stream_handlers = {
        .message = message_arrived,
        .closed = stream_closed,
        .flooded = stream_flooded,
};

int qmp_new(int fd, const QmpHandlers *handlers, void *data, Qmp **ret_qmp, Error *error)
{
        _cleanup_(closep) int owned = fd;
        _cleanup_(freep) Qmp *qmp = g_new0(Qmp, 1);
        int r;

        r = json_stream_new(fd, &stream_handlers, qmp, &qmp->stream, error);
        if (r < 0)
                return r;
        (void)TAKE_FD(owned);
        qmp->handlers = handlers;
        qmp->data = data;
        qmp->next_id = 1;
        qmp->pending = g_hash_table_new(g_int64_hash, g_int64_equal);
        *ret_qmp = TAKE_PTR(qmp);
        return 0;
}

Qmp *qmp_free(Qmp *qmp)
{
        if (!qmp)
                return NULL;
        (void)monitor_close(qmp, "the machine is gone");
        g_hash_table_unref(qmp->pending);
        json_stream_free(qmp->stream);
        g_free(qmp->closed_reason);
        g_free(qmp);
        return NULL;
}

int qmp_connect(const char *path, const QmpHandlers *handlers, void *data, Qmp **ret_qmp, Error *error)
{
        _cleanup_(closep) int fd = -EBADF;
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(path) >= sizeof address.sun_path)
                return error_set(error, ERROR_INTERNAL, "The monitor's path is too long for a socket: %s",
                                 path);
        g_strlcpy(address.sun_path, path, sizeof address.sun_path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return error_set_errno(error, errno, "Cannot make a socket");
        /* A connection to a socket with room in its queue is made at once, even while QEMU stands still. */
        if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
                return error_set_errno(error, errno, "Cannot connect to the monitor %s", path);
        return qmp_new(TAKE_FD(fd), handlers, data, ret_qmp, error);
}

/* The command as a line; the caller frees it. Takes arguments over. */
static char *command_format(const QmpCommand *command, json_t *arguments)
{
        _cleanup_(json_decrefp) json_t *document = NULL;

        document = json_pack("{s:s, s:I}", "execute", command->name, "id", (json_int_t)command->id);
        if (arguments)
                json_object_set_new(document, "arguments", arguments);
        return json_dumps(document, JSON_COMPACT);
}

QmpCommand *qmp_send(Qmp *qmp, const char *name, json_t *arguments, int fd)
{
        QmpCommand *command = g_new0(QmpCommand, 1);
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        command->name = g_strdup(name);
        if (qmp->closed_reason || g_hash_table_size(qmp->pending) >= QMP_PENDING_MAX) {
                json_decref(arguments);
                error_set(&command->error, ERROR_OPERATION_FAILED, "Cannot send %s to QEMU: %s", name,
                          qmp->closed_reason ? qmp->closed_reason : "too many commands are without answer");
                command->is_done = true;
                return command;
        }
        if (qmp->answered_id + 1 == qmp->next_id)
                qmp->asked_usec = loop_now_usec();
        command->id = qmp->next_id++;
        text = command_format(command, arguments);
        size = strlen(text);
        text[size] = '\n'; /* in the place of its NUL */
        r = json_stream_send(qmp->stream, text, size + 1, fd);
        if (r < 0) {
                error_set_errno(&command->error, r, "Cannot send %s to QEMU", name);
                command->is_done = true;
                return command;
        }
        command->qmp = qmp;
        g_hash_table_insert(qmp->pending, &command->id, command);
        return command;
}

uint64_t qmp_waiting_usec(const Qmp *qmp)
{
        return qmp->answered_id + 1 < qmp->next_id ? MAX(loop_now_usec() - qmp->asked_usec, 1) : 0;
}

QmpCommand *qmp_command_free(QmpCommand *command)
{
        if (!command)
                return NULL;
        if (command->qmp)
                g_hash_table_remove(command->qmp->pending, &command->id);
        condition_clear(&command->done);
        json_decref(command->answer);
        error_clear(&command->error);
        g_free(command->name);
        g_free(command);
        return NULL;
}

int qmp_wait(QmpCommand *command, uint64_t deadline_usec, json_t **ret_answer, Error *error)
{
        while (!command->is_done) {
                int r = condition_wait(&command->done, deadline_usec);

                if (command->is_done)
                        break;
                if (r == -ETIMEDOUT)
                        return error_set(error, ERROR_TIMED_OUT, "QEMU's monitor did not answer %s in time",
                                         command->name);
                if (r < 0)
                        return error_set(error, ERROR_CANCELLED, "%s was cancelled", command->name);
        }
        if (error_is_set(&command->error)) {
                int r = -error_code_to_errno(command->error.code);

                error_move(error, &command->error);
                return r;
        }
        if (ret_answer)
                *ret_answer = TAKE_PTR(command->answer);
        return 0;
}

int qmp_call(Qmp *qmp, const char *name, json_t *arguments, uint64_t deadline_usec, json_t **ret_answer,
             Error *error)
{
        _cleanup_(qmp_command_freep) QmpCommand *command = qmp_send(qmp, name, arguments, -EBADF);

        return qmp_wait(command, deadline_usec, ret_answer, error);
}

uint64_t qmp_get_version(const Qmp *qmp)
{
        return qmp->version;
}

void qmp_receive(Qmp *qmp, const char *bytes, size_t size)
{
        json_stream_receive(qmp->stream, bytes, size);
}

void qmp_drain(Qmp *qmp)
{
        json_stream_drain(qmp->stream);
}
