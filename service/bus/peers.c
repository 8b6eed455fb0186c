/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The private socket. Each connection is an sd-bus server of its own with the same handlers as the message
 * bus's. Connections are counted by user, so that one user cannot take all of them; root's are not limited.
 */

#include "bus/peers.h"
#include "bus/dispatch.h"
#include "bus/front.h"
#include "core/log.h"
#include "core/loop.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int listener = -EBADF;
static sd_event_source *listener_source;
static char *socket_path;

/* The unique name that a peer is told; there is no bus that could give it another. */
#define PEER_NAME ":1.0"

static int peer_uid(sd_bus *bus, uid_t *ret_uid)
{
        struct ucred credentials;
        socklen_t size = sizeof credentials;

        if (getsockopt(sd_bus_get_fd(bus), SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
                return -errno;
        *ret_uid = credentials.uid;
        return 0;
}

static unsigned count_of_uid(uid_t uid)
{
        const GPtrArray *peers = front_end()->peers;
        unsigned count = 0;

        for (unsigned i = 0; i < peers->len; i++) {
                uid_t other = (uid_t)-1;

                if (peer_uid(peers->pdata[i], &other) >= 0 && other == uid)
                        count++;
        }
        return count;
}

/* Methods of a message bus that clients call without being asked to. Nothing can be matched or owned here:
 * signals come anyway, and the other end is always the daemon. */
static int bus_method(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        static const struct {
                const char *member, *signature;
                bool has_name;
        } methods[] = {
                { "Hello", "", true },
                { "AddMatch", "s", false },
                { "RemoveMatch", "s", false },
                { "GetNameOwner", "s", true },
        };

        (void)data;
        (void)ret_error;
        for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
                if (!sd_bus_message_is_method_call(message, "org.freedesktop.DBus", methods[i].member) ||
                    sd_bus_message_has_signature(message, methods[i].signature) <= 0)
                        continue;
                return methods[i].has_name ? sd_bus_reply_method_return(message, "s", PEER_NAME)
                                           : sd_bus_reply_method_return(message, NULL);
        }
        return 0;
}

static void peer_free(void *data)
{
        sd_bus *bus = data;

        caller_table_remove_bus(front_end()->callers, bus);
        sd_bus_detach_event(bus);
        (void)sd_bus_close_unref(bus);
}

static void peer_forget(void *data)
{
        sd_bus *bus = data;

        if (front_end()->peers) /* at the end of the daemon all have been let go */
                (void)g_ptr_array_remove(front_end()->peers, bus);
        sd_bus_unref(bus);
}

/* Not freed at once: its own dispatch is on the stack. */
static int peer_left(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        (void)data;
        (void)ret_error;
        loop_defer(peer_forget, sd_bus_ref(sd_bus_message_get_bus(message)));
        return 0;
}

/* Messages of 32 bytes at least in 64 KiB: what came with the authentication. Whoever writes all the time
 * has more read in its turn. */
#define BUFFERED_MAX 2048

static void peer_process(void *data)
{
        _cleanup_(sd_bus_unrefp) sd_bus *bus = data;

        for (int i = 0; i < BUFFERED_MAX && sd_bus_process(bus, NULL) > 0; i++)
                ;
}

/* A first call that came in one piece with the end of the authentication lies in sd-bus's buffer already,
 * and the socket will not become readable for it: it is asked for. */
static int peer_connected(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        (void)data;
        (void)ret_error;
        loop_defer(peer_process, sd_bus_ref(sd_bus_message_get_bus(message)));
        return 0;
}

static int peer_prepare(sd_bus *bus, int fd)
{
        sd_id128_t id;
        int r;

        r = sd_bus_set_fd(bus, fd, fd);
        if (r < 0) {
                (void)close(fd); /* still ours */
                return r;
        }
        r = sd_id128_randomize(&id);
        if (r >= 0)
                r = sd_bus_set_server(bus, true, id);
        if (r >= 0)
                r = sd_bus_negotiate_fds(bus, true);
        if (r >= 0)
                r = sd_bus_set_connected_signal(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                r = sd_bus_attach_event(bus, loop_get(), LOOP_PRIORITY_BUS);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, NULL, "/org/freedesktop/DBus/Local",
                                        "org.freedesktop.DBus.Local", "Disconnected", peer_left, NULL);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, NULL, "/org/freedesktop/DBus/Local",
                                        "org.freedesktop.DBus.Local", "Connected", peer_connected, NULL);
        if (r >= 0)
                r = sd_bus_add_object(bus, NULL, "/org/freedesktop/DBus", bus_method, NULL);
        return r;
}

/* Takes the descriptor over. */
static int peer_accept(int fd, Error *error)
{
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        struct ucred credentials;
        socklen_t size = sizeof credentials;
        int r;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
                r = error_set_errno(error, errno, "Cannot tell who connects");
                (void)close(fd);
                return r;
        }
        if (front_end()->peers->len >= PEERS_MAX ||
            (credentials.uid != 0 && count_of_uid(credentials.uid) >= PEERS_PER_UID_MAX)) {
                (void)close(fd);
                return error_set(error, ERROR_LIMITS_EXCEEDED, "User %u has too many connections",
                                 credentials.uid);
        }
        r = sd_bus_new(&bus);
        if (r < 0) {
                (void)close(fd);
                return error_set_errno(error, r, "Cannot make a connection");
        }
        r = peer_prepare(bus, fd);
        if (r < 0)
                return error_set_errno(error, r, "Cannot serve a connection");
        r = dispatch_install(bus, error);
        if (r >= 0)
                r = caller_table_add_bus(front_end()->callers, bus, true, error);
        if (r < 0)
                return r;
        g_ptr_array_add(front_end()->peers, TAKE_PTR(bus));
        return 0;
}

static int connection_arrived(sd_event_source *source, int fd, uint32_t events, void *data)
{
        _cleanup_(error_clear) Error error = {};
        int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        (void)source;
        (void)events;
        (void)data;
        if (connection < 0) {
                if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                        log_warning(socket_path, "cannot take a connection: %s", g_strerror(errno));
                return 0;
        }
        if (peer_accept(connection, &error) < 0)
                log_warning(socket_path, "connection refused: %s", error.message);
        return 0;
}

static int bind_at(const char *path, Error *error)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        mode_t mode =
                front_end()->config->is_system ? 0666 : 0600; /* polkit decides, or the user is alone */
        int r;

        if (strlen(path) >= sizeof address.sun_path)
                return error_set(
                        error, ERROR_INVALID_ARGUMENT,
                        "The path of the private socket, %s, is longer than the %zu bytes a socket may have",
                        path, sizeof address.sun_path - 1);
        memcpy(address.sun_path, path, strlen(path) + 1);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (listener < 0)
                return error_set_errno(error, errno, "Cannot make the private socket");
        if (unlink(path) < 0 && errno != ENOENT)
                return error_set_errno(error, errno, "Cannot remove the old socket %s", path);
        if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0)
                return error_set_errno(error, errno, "Cannot bind the private socket %s", path);
        if (chmod(path, mode) < 0 || listen(listener, SOMAXCONN) < 0)
                return error_set_errno(error, errno, "Cannot open the private socket %s", path);
        r = sd_event_add_io(loop_get(), &listener_source, listener, EPOLLIN, connection_arrived, NULL);
        return r < 0 ? error_set_errno(error, r, "Cannot watch the private socket %s", path) : 0;
}

int peers_listen(Error *error)
{
        front_end()->peers = g_ptr_array_new_with_free_func(peer_free);
        socket_path = g_build_filename(front_end()->config->run_dir, "socket", NULL);
        return bind_at(socket_path, error);
}

void peers_close(void)
{
        listener_source = sd_event_source_disable_unref(listener_source);
        closep(&listener);
        listener = -EBADF;
        if (socket_path)
                (void)unlink(socket_path); /* the next daemon replaces it anyway */
        g_clear_pointer(&socket_path, g_free);
        g_clear_pointer(&front_end()->peers, g_ptr_array_unref);
}
