/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a QEMU without a machine, only to ask it: all questions go out at once, over a socket pair that
 * nobody else can reach, and the answers are boiled down to the names that are worth keeping. Where KVM
 * works, a second run without it tells the processors that QEMU emulates. */

#include "drivers/qemu/probe.h"
#include "core/child.h"
#include "drivers/qemu/qmp.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

/* Of what the binary complains about, this much is told. */
#define COMPLAINT_MAX 4096

static void ignore_event(const char *name, json_t *arguments, void *data)
{
        (void)name;
        (void)arguments;
        (void)data;
}

/* Whoever waits for an answer learns it from qmp_wait(). */
static void ignore_end(const char *reason, void *data)
{
        (void)reason;
        (void)data;
}

static const QmpHandlers handlers = { .event = ignore_event, .closed = ignore_end };

/* Adds what the binary said before it failed. */
static void complaint_add(int fd, const char *binary, Error *error)
{
        char text[COMPLAINT_MAX + 1] = "";
        ssize_t size = pread(fd, text, COMPLAINT_MAX, 0);

        if (size > 0)
                g_strstrip(text);
        if (text[0] && g_utf8_validate(text, -1, NULL))
                error_prefix(error, "Cannot ask %s what it can do (it says: %s)", binary, text);
        else
                error_prefix(error, "Cannot ask %s what it can do", binary);
}

static int start(const char *binary, const ProbeUser *user, bool with_kvm, int complaint,
                 uint64_t deadline_usec, Child **ret_child, Qmp **ret_qmp, Error *error) AWAITS
{
        const char *const arguments[] = { binary,
                                          "-S",
                                          "-no-user-config",
                                          "-nodefaults",
                                          "-display",
                                          "none",
                                          "-machine",
                                          with_kvm ? "none,accel=kvm:tcg" : "none,accel=tcg",
                                          "-chardev",
                                          "socket,id=monitor,fd=3",
                                          "-mon",
                                          "chardev=monitor,mode=control",
                                          NULL };
        _cleanup_(child_freep) Child *child = NULL;
        _cleanup_(closep) int ours = -EBADF, theirs = -EBADF;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(error, errno, "Cannot make a pair of sockets");
        ours = pair[0];
        theirs = pair[1];
        if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
                return error_set_errno(error, errno, "Cannot set up a socket");
        const ChildOptions options = {
                .arguments = arguments,
                .fds = &theirs,
                .n_fds = 1,
                .stdin_fd = -EBADF,
                .stdout_fd = -EBADF,
                .stderr_fd = complaint,
                .ends_with_us = true,
                .set_user = user->set_user,
                .uid = user->uid,
                .gid = user->gid,
                .groups = user->groups,
                .n_groups = user->n_groups,
        };
        r = child_spawn(&options, deadline_usec, &child, error);
        if (r < 0)
                return r;
        r = qmp_new(TAKE_FD(ours), &handlers, NULL, ret_qmp, error);
        if (r < 0) {
                (void)child_signal(child, SIGKILL); /* it has nothing to lose */
                return r;
        }
        *ret_child = TAKE_PTR(child);
        return 0;
}

typedef struct Question {
        const char *command, *key;
        bool every_run;      /* also asked without KVM */
        bool may_be_refused; /* not every architecture has an answer */
} Question;

static const Question questions[] = {
        { "query-version", "query-version", false, false },
        { "query-target", "query-target", false, false },
        { "query-kvm", "query-kvm", true, false },
        { "query-machines", "query-machines", false, false },
        { "query-cpu-definitions", "query-cpu-definitions", true, false },
        { "query-cpu-model-expansion", "query-cpu-model-expansion", true, true },
        { "qom-list-types", "qom-list-types", false, false },
        { "query-commands", "query-commands", false, false },
        { "query-command-line-options", "query-command-line-options", false, false },
};

static json_t *question_arguments(const Question *question)
{
        if (strcmp(question->command, "qom-list-types") == 0)
                return json_pack("{s:s, s:b}", "implements", "object", "abstract", 0);
        /* The model that has everything: with KVM, all that the host has and KVM lets pass. */
        if (strcmp(question->command, "query-cpu-model-expansion") == 0)
                return json_pack("{s:s, s:{s:s}}", "type", "full", "model", "name", "max");
        return NULL;
}

/* All answers by the name of their command. A question that the binary does not know stays without. */
static int ask(Qmp *qmp, bool is_first, uint64_t deadline_usec, json_t **ret_answers, Error *error)
{
        _cleanup_(json_decrefp) json_t *answers = json_object();
        _cleanup_(qmp_command_freep) QmpCommand *greeting = qmp_send_capabilities(qmp);
        QmpCommand *commands[G_N_ELEMENTS(questions)] = { NULL };
        int r;

        for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
                if (is_first || questions[i].every_run)
                        commands[i] = qmp_send(qmp, questions[i].command, question_arguments(&questions[i]),
                                               -EBADF);
        }
        r = qmp_wait(greeting, deadline_usec, NULL, error);
        for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
                _cleanup_(qmp_command_freep) QmpCommand *command = commands[i];
                _cleanup_(error_clear) Error refusal = { 0 };
                json_t *answer = NULL;

                if (r < 0 || !command)
                        continue;
                r = qmp_wait(command, deadline_usec, &answer, &refusal);
                if (r >= 0)
                        json_object_set_new(answers, questions[i].key, answer);
                else if (refusal.code == ERROR_NOT_SUPPORTED ||
                         (questions[i].may_be_refused && refusal.code == ERROR_OPERATION_FAILED))
                        r = 0;
                else
                        error_move(error, &refusal);
        }
        if (r < 0)
                return r;
        *ret_answers = TAKE_PTR(answers);
        return 0;
}

/* One run of the binary. */
static int run_once(const char *binary, const ProbeUser *user, bool is_first, uint64_t deadline_usec,
                    json_t **ret_answers, Error *error)
{
        _cleanup_(closep) int complaint = child_messages_open(COMPLAINT_MAX, error);
        _cleanup_(child_freep) Child *child = NULL;
        _cleanup_(qmp_freep) Qmp *qmp = NULL;
        int r;

        if (complaint < 0)
                return complaint;
        r = start(binary, user, is_first, complaint, deadline_usec, &child, &qmp, error);
        if (r < 0)
                return r;
        r = ask(qmp, is_first, deadline_usec, ret_answers, error);
        (void)child_signal(child, SIGKILL); /* nothing depends on how it ends */
        if (r < 0) {
                /* What it has to say is complete once it is gone. */
                (void)child_wait(child, deadline_usec, NULL, NULL);
                complaint_add(complaint, binary, error);
        }
        return r;
}

/* ["name", ...] of [{"name": ...}, ...]. */
static json_t *names(json_t *array)
{
        json_t *result = json_array(), *value;
        size_t i;

        json_array_foreach(array, i, value)
        {
                json_t *name = json_object_get(value, "name");

                if (json_is_string(name))
                        json_array_append(result, name);
        }
        return result;
}

/* ["sandbox", "sandbox.spawn", ...] */
static json_t *option_names(json_t *array)
{
        json_t *result = json_array(), *value, *parameter;
        size_t i, j;

        json_array_foreach(array, i, value)
        {
                const char *option = json_string_value(json_object_get(value, "option"));

                if (!option)
                        continue;
                json_array_append_new(result, json_string(option));
                json_array_foreach(json_object_get(value, "parameters"), j, parameter)
                {
                        const char *name = json_string_value(json_object_get(parameter, "name"));

                        if (name)
                                json_array_append_new(result, json_sprintf("%s.%s", option, name));
                }
        }
        return result;
}

/* What we read of each object, by its keys: the rest is not worth a file. */
static json_t *select_members(json_t *array, const char *const *keys)
{
        json_t *result = json_array(), *value;
        size_t i;

        json_array_foreach(array, i, value)
        {
                json_t *object = json_object();

                for (const char *const *key = keys; *key; key++) {
                        json_t *member = json_object_get(value, *key);

                        if (member)
                                json_object_set(object, *key, member);
                }
                json_array_append_new(result, object);
        }
        return result;
}

static const char *const machine_keys[] = { "name",       "alias",      "default-cpu-type",  "cpu-max",
                                            "is-default", "deprecated", "hotpluggable-cpus", NULL };
static const char *const cpu_keys[] = { "name", "unavailable-features", "deprecated", NULL };

/* {"vendor": "AuthenticAMD", "family": 15, ..., "features": ["aes", ...]} of an expanded model. */
static json_t *processor(json_t *answer)
{
        static const char *const numbers[] = { "vendor", "family", "model", "stepping" };
        json_t *result = json_object(), *features = json_array(), *value,
               *properties = json_object_get(json_object_get(answer, "model"), "props");
        const char *name;

        for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
                if (json_object_get(properties, numbers[i]))
                        json_object_set(result, numbers[i], json_object_get(properties, numbers[i]));
        json_object_foreach(properties, name, value)
        {
                if (json_is_true(value))
                        json_array_append_new(features, json_string(name));
        }
        json_object_set_new(result, "features", features);
        return result;
}

static bool uses_kvm(json_t *answers)
{
        return json_is_true(json_object_get(json_object_get(answers, "query-kvm"), "enabled"));
}

static json_t *make_document(json_t *answers, json_t *tcg_answers)
{
        json_t *document = json_object(), *version = json_object_get(answers, "query-version");
        json_t *numbers = json_object_get(version, "qemu");
        json_int_t major = 0, minor = 0, micro = 0;

        /* A version that is none stays 0, which capabilities_new() refuses. */
        (void)json_unpack(numbers, "{s:I, s:I, s:I}", "major", &major, "minor", &minor, "micro", &micro);
        if (major >= 0 && major <= 1000 && minor >= 0 && minor <= 999 && micro >= 0 && micro <= 999)
                json_object_set_new(document, "version",
                                    json_integer(major * 1000000 + minor * 1000 + micro));
        if (json_is_string(json_object_get(version, "package")))
                json_object_set(document, "package", json_object_get(version, "package"));
        if (json_is_string(json_object_get(json_object_get(answers, "query-target"), "arch")))
                json_object_set(document, "arch",
                                json_object_get(json_object_get(answers, "query-target"), "arch"));
        json_object_set_new(document, "kvm", json_boolean(uses_kvm(answers)));
        json_object_set_new(document, "machines",
                            select_members(json_object_get(answers, "query-machines"), machine_keys));
        if (uses_kvm(answers))
                json_object_set_new(
                        document, "kvm-cpus",
                        select_members(json_object_get(answers, "query-cpu-definitions"), cpu_keys));
        json_object_set_new(document, "tcg-cpus",
                            select_members(json_object_get(tcg_answers, "query-cpu-definitions"), cpu_keys));
        if (uses_kvm(answers))
                json_object_set_new(document, "kvm-processor",
                                    processor(json_object_get(answers, "query-cpu-model-expansion")));
        json_object_set_new(document, "tcg-processor",
                            processor(json_object_get(tcg_answers, "query-cpu-model-expansion")));
        json_object_set_new(document, "types", names(json_object_get(answers, "qom-list-types")));
        json_object_set_new(document, "commands", names(json_object_get(answers, "query-commands")));
        json_object_set_new(document, "options",
                            option_names(json_object_get(answers, "query-command-line-options")));
        return document;
}

int probe_run(const char *binary, const ProbeUser *user, uint64_t deadline_usec, json_t **ret_document,
              Error *error)
{
        _cleanup_(json_decrefp) json_t *answers = NULL, *tcg_answers = NULL;
        int r;

        r = run_once(binary, user, true, deadline_usec, &answers, error);
        if (r < 0)
                return r;
        if (uses_kvm(answers)) {
                r = run_once(binary, user, false, deadline_usec, &tcg_answers, error);
                if (r < 0)
                        return r;
        }
        *ret_document = make_document(answers, tcg_answers ? tcg_answers : answers);
        return 0;
}
