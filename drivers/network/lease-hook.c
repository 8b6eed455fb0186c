/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* virtbus-lease, a program of its own: dnsmasq runs it, as dnsmasq's user, for every address that it gives
 * out or takes back. It says so to the daemon (leases.c) in one datagram of texts that end with NUL, and
 * ends at once. If no daemon listens nothing is lost: the next one reads dnsmasq's file. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char message[4096];
static size_t size;

static void add(const char *text)
{
        int length = snprintf(message + size, sizeof message - size, "%s", text ? text : "");

        if (length < 0 || (size_t)length >= sizeof message - size)
                exit(EXIT_SUCCESS); /* no lease has so much to say */
        size += (size_t)length + 1;
}

/* virtbus-lease ACTION HARDWARE-ADDRESS-OR-DUID ADDRESS [NAME] */
int main(int argc, char *argv[])
{
        const char *folder = getenv("VIRTBUS_LEASES");
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "leases.sock" };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (argc < 4 || !folder || fd < 0 || chdir(folder) < 0)
                return EXIT_SUCCESS; /* "init" and the like */
        add(getenv("VIRTBUS_NETWORK"));
        for (int i = 1; i <= 4; i++)
                add(i < argc ? argv[i] : NULL);
        add(getenv("DNSMASQ_LEASE_EXPIRES"));
        add(getenv("DNSMASQ_CLIENT_ID"));
        add(getenv("DNSMASQ_IAID"));
        add(getenv("DNSMASQ_MAC"));
        (void)sendto(fd, message, size, 0, (const struct sockaddr *)&address, sizeof address);
        return EXIT_SUCCESS;
}
