/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever stands in a lease is a guest's word, and whoever writes to the socket may be somebody else: only
 * dnsmasq's user and root are listened to, and of what they say only what has the right form is taken. */

#include "drivers/network/leases.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/store.h"
#include "core/worker.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_NAME      "leases.sock"
#define FILE_SIZE_MAX    (64 * 1024 * 1024)
#define MESSAGE_MAX      4096
#define MESSAGES_AT_ONCE 64
#define USER_TEXT_MAX    16384
#define TEXT_MAX         255
#define READ_TRIES_MAX   5

/* The texts of a message, in their order. */
enum {
        TOLD_NETWORK,
        TOLD_ACTION,
        TOLD_HARDWARE, /* of IPv6: the DUID */
        TOLD_ADDRESS,
        TOLD_NAME,
        TOLD_EXPIRY,
        TOLD_CLIENT_ID,
        TOLD_IAID,
        TOLD_MAC, /* of IPv6, if dnsmasq knows it */
        _TOLD_MAX,
};

typedef struct User {
        const char *name;
        uid_t uid;
} User;

static int find_user_step(void *data)
{
        static const char *const names[] = { "dnsmasq", "nobody" };
        User *user = data;
        char text[USER_TEXT_MAX];

        for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
                struct passwd entry, *found = NULL;

                if (getpwnam_r(names[i], &entry, text, sizeof text, &found) != 0 || !found)
                        continue;
                *user = (User){ names[i], entry.pw_uid };
                return 0;
        }
        return -ENOENT;
}

static char *check_text(const char *text)
{
        if (!text || strcmp(text, "*") == 0 || strlen(text) > TEXT_MAX || !g_utf8_validate(text, -1, NULL))
                return g_strdup("");
        for (const char *c = text; *c; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f)
                        return g_strdup("");
        return g_strdup(text);
}

static char *check_mac(const char *text)
{
        unsigned bytes[6];
        int end = 0;

        if (!text ||
            sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4],
                   &bytes[5], &end) != 6 ||
            text[end] != '\0')
                return g_strdup("");
        return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3],
                               bytes[4], bytes[5]);
}

/* Most DUIDs have the hardware address of one of the client's cards: "00:01:00:01:time:mac" and
 * "00:03:00:01:mac". */
static char *mac_of_duid(const char *duid)
{
        static const struct {
                const char *prefix;
                size_t skipped;
        } kinds[] = { { "00:01:00:01:", 24 }, { "00:03:00:01:", 12 } };

        for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
                if (g_str_has_prefix(duid, kinds[i].prefix) && strlen(duid) > kinds[i].skipped)
                        return check_mac(duid + kinds[i].skipped);
        return g_strdup("");
}

static unsigned prefix_of(const NetworkDefinition *definition, const char *address)
{
        LIST_FOREACH (ip, definition->ips) {
                IpNetwork network;

                if (network_ip_read(ip, &network, NULL) >= 0 && ip_family(address) == network.family &&
                    ip_network_contains(&network, address))
                        return network.prefix;
        }
        return 0;
}

typedef struct Words {
        const char *expiry, *hardware, *address, *name, *client_id, *iaid, *mac; /* NULL: not known */
} Words;

/* NULL if it is no lease. */
static NetworkLease *lease_new(const NetworkDefinition *definition, const Words *words)
{
        int family = words->address ? ip_family(words->address) : 0;
        gint64 expiry = 0;
        NetworkLease *lease;

        if (family == 0 || (words->expiry && *words->expiry &&
                            !g_ascii_string_to_signed(words->expiry, 10, 0, INT64_MAX, &expiry, NULL)))
                return NULL;
        lease = g_new0(NetworkLease, 1);
        lease->is_ipv6 = family == AF_INET6;
        lease->address = g_strdup(words->address);
        lease->hostname = check_text(words->name);
        lease->client_id = check_text(lease->is_ipv6 ? words->hardware : words->client_id);
        lease->iaid = check_text(lease->is_ipv6 ? words->iaid : NULL);
        lease->mac = check_mac(lease->is_ipv6 ? words->mac : words->hardware);
        if (lease->is_ipv6 && !*lease->mac) {
                g_free(lease->mac);
                lease->mac = mac_of_duid(lease->client_id);
        }
        lease->prefix = prefix_of(definition, lease->address);
        lease->expiry = expiry;
        return lease;
}

/* "expiry mac address name client-id", or for IPv6 "expiry iaid address name duid"; 0: for ever. */
GPtrArray *leases_parse(const NetworkDefinition *definition, char *text, int64_t now)
{
        GPtrArray *leases = g_ptr_array_new();
        char *rest = NULL;

        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                char *words[5], *word_rest = NULL;
                NetworkLease *lease;
                unsigned n = 0;
                bool is_ipv6;

                for (char *word = strtok_r(line, " ", &word_rest); word && n < G_N_ELEMENTS(words);
                     word = strtok_r(NULL, " ", &word_rest))
                        words[n++] = word;
                if (n < G_N_ELEMENTS(words))
                        continue; /* dnsmasq's own DUID, or nothing that it wrote */
                is_ipv6 = strchr(words[2], ':') != NULL;
                lease = lease_new(definition, &(Words){ .expiry = words[0],
                                                        .hardware = is_ipv6 ? words[4] : words[1],
                                                        .address = words[2],
                                                        .name = words[3],
                                                        .client_id = words[4],
                                                        .iaid = words[1] });
                if (lease && lease->expiry != 0 && lease->expiry < now)
                        lease = network_lease_free(lease);
                if (lease)
                        g_ptr_array_add(leases, lease);
        }
        return leases;
}

static void announce(VirtualNetwork *network, const char *mac)
{
        event_raise(network->network.object.driver->events, EVENT_LEASES_CHANGED,
                    &(LeasesEvent){ .network = &network->network.object, .mac = mac });
}

void leases_told(Driver *driver, const char *message, size_t size)
{
        const char *fields[_TOLD_MAX], *at = message, *end = message + size;
        _cleanup_(freep) char *mac = NULL;
        VirtualNetwork *network;
        NetworkLease *lease;

        for (unsigned i = 0; i < _TOLD_MAX; i++) {
                const char *stop = memchr(at, '\0', (size_t)(end - at));

                if (!stop)
                        return;
                fields[i] = at;
                at = stop + 1;
        }
        network = (VirtualNetwork *)object_table_by_uuid(driver->objects, OBJECT_NETWORK,
                                                         fields[TOLD_NETWORK]);
        if (!network || !network->live)
                return;
        lease = lease_new(network->live, &(Words){ .expiry = fields[TOLD_EXPIRY],
                                                   .hardware = fields[TOLD_HARDWARE],
                                                   .address = fields[TOLD_ADDRESS],
                                                   .name = fields[TOLD_NAME],
                                                   .client_id = fields[TOLD_CLIENT_ID],
                                                   .iaid = fields[TOLD_IAID],
                                                   .mac = fields[TOLD_MAC] });
        if (!lease)
                return;
        network->n_lease_changes++;
        mac = g_strdup(lease->mac);
        if (strcmp(fields[TOLD_ACTION], "del") == 0) {
                if (network_remove_lease(&network->network, lease->address))
                        announce(network, mac);
                network_lease_free(lease);
        } else if (strcmp(fields[TOLD_ACTION], "add") != 0 && strcmp(fields[TOLD_ACTION], "old") != 0) {
                network_lease_free(lease);
        } else if (network_put_lease(&network->network, lease)) {
                announce(network, mac);
        }
}

/* Whose message it is, as the kernel says. */
static bool is_trusted(struct msghdr *header, uid_t user)
{
        for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
                struct ucred sender;

                if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS)
                        continue;
                memcpy(&sender, CMSG_DATA(part), sizeof sender);
                return sender.uid == 0 || sender.uid == user;
        }
        return false;
}

static int message_arrived(sd_event_source *source, int fd, uint32_t events, void *data)
{
        Driver *driver = data;

        (void)source, (void)events;
        for (unsigned i = 0; i < MESSAGES_AT_ONCE; i++) {
                char text[MESSAGE_MAX], control[CMSG_SPACE(sizeof(struct ucred))];
                struct iovec part = { text, sizeof text };
                struct msghdr header = { .msg_iov = &part,
                                         .msg_iovlen = 1,
                                         .msg_control = control,
                                         .msg_controllen = sizeof control };
                ssize_t size = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

                if (size < 0)
                        break;
                if (!(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
                    is_trusted(&header, driver->networks->dnsmasq_uid))
                        leases_told(driver, text, (size_t)size);
        }
        return 0;
}

/* By the open folder: its path may be longer than a socket's name can be. */
static int bind_in(int folder, uid_t uid, Error *error)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const int yes = 1;

        (void)unlinkat(folder, SOCKET_NAME, 0); /* of the daemon before */
        g_snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" SOCKET_NAME, folder);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0 ||
            bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
            fchmodat(folder, SOCKET_NAME, 0600, 0) < 0 ||
            (geteuid() == 0 && fchownat(folder, SOCKET_NAME, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0))
                return error_set_errno(error, errno, "Cannot listen for leases");
        return TAKE_FD(fd);
}

static char *find_hook(void)
{
        _cleanup_(freep) char *self = g_file_read_link("/proc/self/exe", NULL),
                              *folder = self ? g_path_get_dirname(self) : g_strdup("/"),
                              *beside = g_build_filename(folder, "virtbus-lease", NULL);

        if (access(beside, X_OK) >= 0)
                return TAKE_PTR(beside); /* of a build that is not installed */
        return access(VIRTBUS_LEASE_HOOK, X_OK) >= 0 ? g_strdup(VIRTBUS_LEASE_HOOK) : NULL;
}

int leases_open(Driver *driver, Error *error)
{
        struct NetworkState *state = driver->networks;
        _cleanup_(closep) int folder = -EBADF, fd = -EBADF;
        User user = {};
        int r;

        r = worker_finish(find_user_step, &user);
        if (r < 0)
                return error_set_errno(error, r, "There is neither a user dnsmasq nor a user nobody");
        state->dnsmasq_user = user.name;
        state->dnsmasq_uid = user.uid;
        state->lease_hook = find_hook();
        if (!state->lease_hook)
                return error_set(error, ERROR_NOT_SUPPORTED, "There is no %s", VIRTBUS_LEASE_HOOK);
        folder = store_open_folder(state->dnsmasq_path, 0755, error);
        if (folder < 0)
                return folder;
        fd = bind_in(folder, user.uid, error);
        if (fd < 0)
                return fd;
        r = sd_event_add_io(loop_get(), &state->lease_source, fd, EPOLLIN, message_arrived, driver);
        if (r < 0)
                return error_set_errno(error, r, "Cannot listen for leases");
        (void)sd_event_source_set_io_fd_own(state->lease_source, true); /* it is one of a descriptor */
        (void)TAKE_FD(fd);
        return 0;
}

void leases_close(struct NetworkState *state)
{
        state->lease_source = sd_event_source_disable_unref(state->lease_source);
        g_clear_pointer(&state->lease_hook, g_free);
}

static int read_file(const VirtualNetwork *network, char **ret_text, Error *error) AWAITS
{
        const struct NetworkState *state = network->network.object.driver->networks;
        _cleanup_(closep) int fd = store_open_folder(state->leases_path, 0755, error);
        _cleanup_(freep) char *name = g_strconcat(network->live->uuid, ".leases", NULL);
        size_t size;

        if (fd < 0)
                return fd;
        if (faccessat(fd, name, F_OK, 0) >= 0)
                return store_read(fd, name, FILE_SIZE_MAX, ret_text, &size, error);
        *ret_text = g_strdup("");
        return 0;
}

/* What is told while the file is read may not be in it: it is read again then. */
int leases_read(VirtualNetwork *network, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *leases = NULL;
        _cleanup_(freep) char *text = NULL;
        uint64_t n_changes = UINT64_MAX;

        for (unsigned i = 0; i < READ_TRIES_MAX && n_changes != network->n_lease_changes; i++) {
                int r;

                n_changes = network->n_lease_changes;
                g_clear_pointer(&text, g_free);
                r = read_file(network, &text, error);
                if (r < 0)
                        return r;
                if (!network->live)
                        return error_set(error, ERROR_OPERATION_INVALID, "The network '%s' went down",
                                         network->network.object.name);
        }
        network_clear_leases(&network->network);
        leases = leases_parse(network->live, text, g_get_real_time() / G_USEC_PER_SEC);
        for (unsigned i = 0; i < leases->len; i++)
                (void)network_put_lease(&network->network, leases->pdata[i]); /* told below, all at once */
        announce(network, NULL);
        return 0;
}

GVariant *leases_to_variant(const Network *network, const char *mac)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *leases = network_list_leases(network);
        GVariantBuilder all;

        g_variant_builder_init(&all, G_VARIANT_TYPE("a(sxisssuss)"));
        for (unsigned i = 0; i < leases->len; i++) {
                const NetworkLease *lease = leases->pdata[i];

                if (mac && *mac && g_ascii_strcasecmp(mac, lease->mac) != 0)
                        continue;
                g_variant_builder_add(&all, "(sxisssuss)", network->bridge, lease->expiry,
                                      (gint32)lease->is_ipv6, lease->mac, lease->iaid, lease->address,
                                      lease->prefix, lease->hostname, lease->client_id);
        }
        return g_variant_ref_sink(g_variant_builder_end(&all));
}
