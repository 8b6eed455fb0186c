/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One connection for each conversation: it begins with a number that the agent must say back (guest-sync),
 * so that answers to somebody's earlier questions are told from ours, and ends with it. */

#include "drivers/qemu/agent.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/json-stream.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define AGENT_CHANNEL "org.qemu.guest_agent.0"
#define AGENT_USEC    (10 * G_USEC_PER_SEC)
/* An agent that shuts its guest down says nothing; one that cannot says so at once. */
#define AGENT_REFUSAL_USEC (1 * G_USEC_PER_SEC)

typedef struct Agent {
        JsonStream *stream;
        json_int_t number; /* of guest-sync */
        bool is_synchronised, is_closed, has_answer;
        json_t *answer;
        char *refusal;
        Condition changed;
} Agent;

static const DomainChannel *find_channel(const Domain *domain)
{
        if (!domain->live)
                return NULL;
        LIST_FOREACH (channel, domain->live->devices.channels) {
                if (g_strcmp0(channel->name, AGENT_CHANNEL) == 0 &&
                    channel->source.type == CHARDEV_TYPE_UNIX)
                        return channel;
        }
        return NULL;
}

bool agent_is_there(const Domain *domain)
{
        const DomainChannel *channel = find_channel(domain);

        return channel && channel->state == CHANNEL_CONNECTED;
}

static void message_arrived(json_t *message, void *data)
{
        Agent *agent = data;
        json_t *answer = json_object_get(message, "return"), *problem = json_object_get(message, "error");
        const char *text = json_string_value(json_object_get(problem, "desc"));

        if (!agent->is_synchronised) {
                agent->is_synchronised =
                        json_is_integer(answer) && json_integer_value(answer) == agent->number;
        } else {
                agent->has_answer = true;
                if (answer && !agent->answer)
                        agent->answer = json_incref(answer);
                if (problem && !agent->refusal)
                        agent->refusal = g_strdup(text ? text : "without a reason");
        }
        condition_wake_all(&agent->changed);
}

static void closed(const char *reason, void *data)
{
        Agent *agent = data;

        (void)reason; /* a guest's, of no use to anybody */
        agent->is_closed = true;
        condition_wake_all(&agent->changed);
}

static const JsonStreamHandlers handlers = { .message = message_arrived, .closed = closed };

static void agent_clear(Agent *agent)
{
        json_stream_free(agent->stream);
        condition_clear(&agent->changed);
        g_free(agent->refusal);
        json_decref(agent->answer);
}

static int connect_to(const Domain *domain, const DomainChannel *channel, Agent *agent, Error *error)
{
        _cleanup_(freep) char *own = folder_path(domain), *name = g_path_get_basename(channel->source.path),
                              *path = NULL;
        _cleanup_(closep) int folder = folder_open(domain, error);
        _cleanup_(closep) int fd = -EBADF;
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (folder < 0)
                return folder;
        /* A socket elsewhere is its owner's, and whoever it wants may stand there. */
        if (!g_str_has_prefix(channel->source.path, own))
                return error_set(error, ERROR_AGENT_UNAVAILABLE,
                                 "The agent's channel of the %s has a socket of its own, %s",
                                 object_describe(&domain->object), channel->source.path);
        path = folder_socket_path(folder, name);
        if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
                return error_set(error, ERROR_AGENT_UNAVAILABLE,
                                 "The name of the agent's channel is too long");
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
                return error_set(error, ERROR_AGENT_UNAVAILABLE, "Cannot connect to the agent of the %s: %s",
                                 object_describe(&domain->object), g_strerror(errno));
        return json_stream_new(TAKE_FD(fd), &handlers, agent, &agent->stream, error);
}

static int say(Agent *agent, const char *command, json_t *arguments, Error *error)
{
        _cleanup_(json_decrefp) json_t *document =
                json_pack("{s:s, s:o}", "execute", command, "arguments", arguments);
        _cleanup_(freep) char *text = json_dumps(document, JSON_COMPACT),
                              *line = g_strconcat(text, "\n", NULL);
        int r = json_stream_send(agent->stream, line, strlen(line), -EBADF);

        return r < 0 ? error_set_errno(error, r, "Cannot speak to the guest's agent") : 0;
}

static int wait_for_sync(Agent *agent, uint64_t deadline_usec, Error *error) AWAITS
{
        while (!agent->is_synchronised && !agent->is_closed) {
                int r = condition_wait(&agent->changed, deadline_usec);

                if (r == -ECANCELED)
                        return error_set(error, ERROR_CANCELLED, "Asking the guest's agent was cancelled");
                if (r < 0)
                        break;
        }
        if (!agent->is_synchronised)
                return error_set(error, ERROR_AGENT_UNAVAILABLE, "The guest's agent does not answer");
        return 0;
}

/* A connection whose next answer is ours. */
static int begin(const Domain *domain, Agent *agent, uint64_t deadline_usec, Error *error) AWAITS
{
        const DomainChannel *channel = find_channel(domain);
        int r;

        if (!channel)
                return error_set(error, ERROR_AGENT_UNAVAILABLE, "The %s has no channel for a guest agent",
                                 object_describe(&domain->object));
        agent->number = (json_int_t)g_random_int();
        r = connect_to(domain, channel, agent, error);
        if (r >= 0)
                r = say(agent, "guest-sync", json_pack("{s:I}", "id", agent->number), error);
        return r < 0 ? r : wait_for_sync(agent, MIN(deadline_usec, deadline_after_usec(AGENT_USEC)), error);
}

static int check_refusal(const Agent *agent, Error *error)
{
        return agent->refusal ? error_set(error, ERROR_OPERATION_FAILED,
                                          "The guest's agent refused: %.1000s", agent->refusal)
                              : 0;
}

int agent_shut_down(Domain *domain, const char *mode, uint64_t deadline_usec, Error *error)
{
        _cleanup_(agent_clear) Agent agent = {};
        uint64_t refusal_usec;
        int r = begin(domain, &agent, deadline_usec, error);

        if (r >= 0)
                r = say(&agent, "guest-shutdown", json_pack("{s:s}", "mode", mode), error);
        if (r < 0)
                return r;
        refusal_usec = MIN(deadline_usec, deadline_after_usec(AGENT_REFUSAL_USEC));
        while (!agent.has_answer && !agent.is_closed)
                if (condition_wait(&agent.changed, refusal_usec) < 0)
                        break; /* silence is consent */
        return check_refusal(&agent, error);
}

int agent_ask(Domain *domain, const char *command, json_t *arguments, uint64_t deadline_usec,
              json_t **ret_answer, Error *error)
{
        _cleanup_(json_decrefp) json_t *owned = arguments ? arguments : json_object();
        _cleanup_(agent_clear) Agent agent = {};
        int r = begin(domain, &agent, deadline_usec, error);

        if (r >= 0)
                r = say(&agent, command, TAKE_PTR(owned), error);
        while (r >= 0 && !agent.has_answer) {
                if (agent.is_closed)
                        return error_set(error, ERROR_AGENT_UNAVAILABLE, "The guest's agent is gone");
                if (condition_wait(&agent.changed, deadline_usec) < 0)
                        return error_set(error, ERROR_AGENT_UNAVAILABLE,
                                         "The guest's agent does not answer %s", command);
        }
        if (r >= 0)
                r = check_refusal(&agent, error);
        if (r >= 0)
                *ret_answer = agent.answer ? TAKE_PTR(agent.answer) : json_null();
        return r;
}
