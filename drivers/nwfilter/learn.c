/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A packet socket on the guest's device, whose filter in the kernel lets little through: until an address is
 * known, IPv4 and ARP from the guest's hardware address that name a sender, of which the first is enough;
 * and what comes to the guest from port 67. */

#include "drivers/nwfilter/learn.h"
#include "core/loop.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ether.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define FRAME_MAX    2048
#define FRAMES_MAX   32 /* at a stretch */
#define MAC_SIZE     6
#define DHCP_OPTIONS 240 /* behind the header of UDP */

struct Learner {
        int fd;
        sd_event_source *source;
        unsigned device;
        uint8_t mac[MAC_SIZE];
        LearnMode mode;
        GPtrArray *servers;
        bool knows;
        LearnFound found;
        void *data;
};

Learner *learner_free(Learner *learner)
{
        if (!learner)
                return NULL;
        sd_event_source_unref(learner->source);
        closep(&learner->fd);
        g_ptr_array_unref(learner->servers);
        g_free(learner);
        return NULL;
}

static uint32_t read_32(const uint8_t *bytes)
{
        return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static unsigned read_16(const uint8_t *bytes)
{
        return (unsigned)bytes[0] << 8 | bytes[1];
}

static bool is_trusted(const uint8_t *server, const GPtrArray *servers)
{
        char text[INET_ADDRSTRLEN];

        (void)inet_ntop(AF_INET, server, text, sizeof text); /* cannot fail: it fits */
        for (unsigned i = 0; i < servers->len; i++)
                if (strcmp(servers->pdata[i], text) == 0)
                        return true;
        return servers->len == 0;
}

/* Of the options: whether it is an acknowledgement, and for how long. */
static bool read_options(const uint8_t *options, size_t size, uint32_t *ret_seconds)
{
        bool is_ack = false;

        for (size_t at = 0; at < size && options[at] != 255;) {
                size_t length;

                if (options[at] == 0) {
                        at++;
                        continue;
                }
                if (at + 2 > size)
                        break;
                length = options[at + 1];
                if (at + 2 + length > size)
                        break;
                if (options[at] == 53 && length == 1)
                        is_ack = options[at + 2] == 5;
                if (options[at] == 51 && length == 4)
                        *ret_seconds = read_32(options + at + 2);
                at += 2 + length;
        }
        return is_ack;
}

bool learn_read_dhcp(const uint8_t *frame, size_t size, const uint8_t *mac, const GPtrArray *servers,
                     char address[static 16], uint32_t *ret_seconds)
{
        const uint8_t *ip = frame + ETH_HLEN, *dhcp;
        size_t header;

        if (size < ETH_HLEN + 20 || read_16(frame + 12) != ETH_P_IP || ip[0] >> 4 != 4 || ip[9] != 17)
                return false;
        header = (size_t)(ip[0] & 0xf) * 4;
        if (header < 20 || size < ETH_HLEN + header + 8 + DHCP_OPTIONS || read_16(ip + 6) & 0x1fff ||
            read_16(ip + header) != 67 || read_16(ip + header + 2) != 68)
                return false;
        dhcp = ip + header + 8;
        if (dhcp[0] != 2 || dhcp[2] != MAC_SIZE || memcmp(dhcp + 28, mac, MAC_SIZE) != 0 ||
            read_32(dhcp + 236) != 0x63825363 || read_32(dhcp + 16) == 0 || !is_trusted(ip + 12, servers))
                return false;
        *ret_seconds = UINT32_MAX;
        if (!read_options(dhcp + DHCP_OPTIONS, size - (size_t)(dhcp + DHCP_OPTIONS - frame), ret_seconds))
                return false;
        if (*ret_seconds == UINT32_MAX) /* for ever, also by the protocol */
                *ret_seconds = 0;
        (void)inet_ntop(AF_INET, dhcp + 16, address, 16); /* cannot fail: it fits */
        return true;
}

/* Instructions that jump to the end say so by numbers that count from themselves; the last two are "take it"
 * and "leave it". */
static int set_filter(const Learner *learner)
{
        const uint8_t *mac = learner->mac;
        bool listens = learner->mode == LEARN_ANY && !learner->knows;
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
                BPF_JUMP(BPF_JMP | BPF_JEQ, PACKET_OUTGOING, 12, listens ? 0 : 24),
                /* from the guest */
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 6),
                BPF_JUMP(BPF_JMP | BPF_JEQ, read_32(mac), 0, 22),
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 10),
                BPF_JUMP(BPF_JMP | BPF_JEQ, read_16(mac + 4), 0, 20),
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
                BPF_JUMP(BPF_JMP | BPF_JEQ, ETH_P_ARP, 0, 2),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 28),
                BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 16, 15),
                BPF_JUMP(BPF_JMP | BPF_JEQ, ETH_P_IP, 0, 15),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 26),
                BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 13, 12),
                BPF_STMT(BPF_RET | BPF_K, 0),
                /* to the guest */
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
                BPF_JUMP(BPF_JMP | BPF_JEQ, ETH_P_IP, 0, 10),
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
                BPF_JUMP(BPF_JMP | BPF_JEQ, 17, 0, 8),
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
                BPF_JUMP(BPF_JMP | BPF_JSET, 0x1fff, 6, 0),
                BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
                BPF_STMT(BPF_LD | BPF_H | BPF_IND, 14),
                BPF_JUMP(BPF_JMP | BPF_JEQ, 67, 0, 3),
                BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
                BPF_JUMP(BPF_JMP | BPF_JEQ, 68, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
                BPF_STMT(BPF_RET | BPF_K, 0),
        };
        const struct sock_fprog program = { G_N_ELEMENTS(code), code };

        return setsockopt(learner->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno
                                                                                                   : 0;
}

static void tell(Learner *learner, const char *address, uint32_t seconds)
{
        learner->knows = true;
        (void)set_filter(learner); /* what comes without need is left alone */
        learner->found(address, seconds, learner->mode == LEARN_ANY, learner->data);
}

static void look_at(Learner *learner, const uint8_t *frame, size_t size, bool is_outgoing)
{
        char address[INET_ADDRSTRLEN];
        unsigned offset;
        uint32_t seconds;

        if (is_outgoing) {
                if (learn_read_dhcp(frame, size, learner->mac, learner->servers, address, &seconds))
                        tell(learner, address, seconds);
                return;
        }
        if (learner->mode != LEARN_ANY || learner->knows || size < ETH_HLEN + 20 ||
            memcmp(frame + MAC_SIZE, learner->mac, MAC_SIZE) != 0)
                return;
        offset = read_16(frame + 12) == ETH_P_ARP ? 28 : read_16(frame + 12) == ETH_P_IP ? 26 : 0;
        if (offset == 0 || read_32(frame + offset) == 0)
                return;
        (void)inet_ntop(AF_INET, frame + offset, address, sizeof address); /* cannot fail: it fits */
        tell(learner, address, 0);
}

static int frames_came(sd_event_source *source, int fd, uint32_t events, void *data)
{
        Learner *learner = data;

        (void)source;
        (void)events;
        for (unsigned i = 0; i < FRAMES_MAX; i++) {
                uint8_t frame[FRAME_MAX];
                struct sockaddr_ll from;
                socklen_t length = sizeof from;
                ssize_t size =
                        recvfrom(fd, frame, sizeof frame, MSG_DONTWAIT, (struct sockaddr *)&from, &length);

                if (size < 0)
                        break; /* none is left, or the device is gone */
                look_at(learner, frame, (size_t)size, from.sll_pkttype == PACKET_OUTGOING);
        }
        return 0;
}

static int listen_on(Learner *learner)
{
        const struct sockaddr_ll address = { .sll_family = AF_PACKET,
                                             .sll_protocol = htons(ETH_P_ALL),
                                             .sll_ifindex = (int)learner->device };
        int r;

        learner->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (learner->fd < 0)
                return -errno;
        r = set_filter(learner); /* before the first frame */
        if (r < 0)
                return r;
        if (bind(learner->fd, (const struct sockaddr *)&address, sizeof address) < 0)
                return -errno;
        return sd_event_add_io(loop_get(), &learner->source, learner->fd, EPOLLIN, frames_came, learner);
}

int learner_new(unsigned device, const char *mac, LearnMode mode, const GPtrArray *servers, bool knows,
                LearnFound found, void *data, Learner **ret_learner, Error *error)
{
        Learner *learner = g_new0(Learner, 1);
        int r;

        *learner = (Learner){ .fd = -EBADF,
                              .device = device,
                              .mode = mode,
                              .servers = g_ptr_array_new_with_free_func(g_free),
                              .knows = knows,
                              .found = found,
                              .data = data };
        for (unsigned i = 0; servers && i < servers->len; i++)
                g_ptr_array_add(learner->servers, g_strdup(servers->pdata[i]));
        (void)ether_aton_r(mac, (struct ether_addr *)learner->mac); /* the model has written it */
        r = listen_on(learner);
        if (r >= 0) {
                *ret_learner = learner;
                return 0;
        }
        learner_free(learner);
        return error_set_errno(error, r, "Cannot listen on the guest's device");
}
