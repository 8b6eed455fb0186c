/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One D-Bus call many times, with as many in flight as wanted, to any service: for compare.py, which runs it
 * against virtbusd and against the peer. One line on stdout: median and 99th percentile in microseconds of
 * the calls from their sending to their reply, and how many were answered in a second.
 *
 *     calls [--peer] [--in-flight=N] ADDRESS PATH INTERFACE MEMBER ROUNDS [SIGNATURE [ARGUMENT...]]
 *
 * Arguments are strings (s) and unsigned numbers (u). */

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define SERVICE        "org.libvirt"
#define WARM_UP_ROUNDS 3
#define TIMEOUT_USEC   (120 * UINT64_C(1000000))

typedef struct Run {
        sd_bus *bus;
        bool is_peer;
        const char *path, *interface, *member, *signature;
        char **arguments;
        size_t n_rounds, n_sent, n_answered;
        uint64_t *nsec; /* of each round */
        int error;
} Run;

typedef struct Round {
        Run *run;
        uint64_t started;
} Round;

static uint64_t now_nsec(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static int send_one(Run *run);

static int answered(sd_bus_message *reply, void *data, sd_bus_error *error)
{
        Round *round = data;
        Run *run = round->run;

        (void)error;
        if (sd_bus_message_is_method_error(reply, NULL)) {
                fprintf(stderr, "calls: %s.%s: %s\n", run->interface, run->member,
                        sd_bus_message_get_error(reply)->message);
                run->error = -EIO;
        }
        run->nsec[run->n_answered++] = now_nsec() - round->started;
        free(round);
        if (run->error >= 0 && run->n_sent < run->n_rounds)
                run->error = send_one(run);
        return 1;
}

static int send_one(Run *run)
{
        sd_bus_message *message = NULL;
        Round *round = malloc(sizeof *round);
        int r;

        if (!round)
                return -ENOMEM;
        *round = (Round){ run, now_nsec() };
        r = sd_bus_message_new_method_call(run->bus, &message, run->is_peer ? NULL : SERVICE, run->path,
                                           run->interface, run->member);
        for (size_t i = 0; r >= 0 && run->signature && run->signature[i]; i++)
                r = run->signature[i] == 's'
                            ? sd_bus_message_append(message, "s", run->arguments[i])
                            : sd_bus_message_append(message, "u",
                                                    (uint32_t)strtoul(run->arguments[i], NULL, 0));
        if (r >= 0)
                r = sd_bus_call_async(run->bus, NULL, message, answered, round, TIMEOUT_USEC);
        sd_bus_message_unref(message);
        if (r < 0)
                free(round);
        else
                run->n_sent++;
        return r < 0 ? r : 0;
}

/* All rounds, `in_flight` of them at a time; the whole time in nanoseconds. */
static int measure(Run *run, size_t n_rounds, size_t in_flight, uint64_t *ret_nsec)
{
        uint64_t started = now_nsec();
        int r = 0;

        run->n_rounds = n_rounds;
        run->n_sent = run->n_answered = 0;
        for (size_t i = 0; i < in_flight && i < n_rounds && r >= 0; i++)
                r = send_one(run);
        while (r >= 0 && run->error >= 0 && run->n_answered < n_rounds) {
                r = sd_bus_process(run->bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(run->bus, UINT64_MAX);
        }
        *ret_nsec = now_nsec() - started;
        return r < 0 ? r : run->error;
}

static int connect_to(const char *address, bool is_peer, sd_bus **ret_bus)
{
        sd_bus *bus = NULL;
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, !is_peer);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                *ret_bus = bus;
        else
                sd_bus_unref(bus);
        return r;
}

static int compare_nsec(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

int main(int argc, char *argv[])
{
        static const struct option options[] = {
                { "peer", no_argument, NULL, 'p' },
                { "in-flight", required_argument, NULL, 'n' },
                { 0 },
        };
        Run run = {};
        size_t in_flight = 1, n_rounds;
        uint64_t nsec = 0;
        int c, r;

        while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
                if (c == 'p')
                        run.is_peer = true;
                else if (c == 'n')
                        in_flight = strtoul(optarg, NULL, 10);
                else
                        return 2;
        argv += optind;
        argc -= optind;
        if (argc < 5 || in_flight == 0 || (n_rounds = strtoul(argv[4], NULL, 10)) == 0 ||
            (argc > 5 && strlen(argv[5]) != (size_t)argc - 6)) {
                fprintf(stderr, "usage: calls [--peer] [--in-flight=N] ADDRESS PATH INTERFACE MEMBER ROUNDS "
                                "[SIGNATURE [ARGUMENT...]]\n");
                return 2;
        }
        run.path = argv[1];
        run.interface = argv[2];
        run.member = argv[3];
        run.signature = argc > 5 ? argv[5] : NULL;
        run.arguments = argv + 6;
        run.nsec = calloc(n_rounds + WARM_UP_ROUNDS, sizeof(uint64_t));
        if (!run.nsec)
                return 1;
        r = connect_to(argv[0], run.is_peer, &run.bus);
        if (r >= 0)
                r = measure(&run, WARM_UP_ROUNDS, 1, &nsec);
        if (r >= 0)
                r = measure(&run, n_rounds, in_flight, &nsec);
        if (r >= 0) {
                qsort(run.nsec, n_rounds, sizeof(uint64_t), compare_nsec);
                printf("%.1f %.1f %.1f\n", (double)run.nsec[n_rounds / 2] / 1000,
                       (double)run.nsec[n_rounds * 99 / 100] / 1000, (double)n_rounds * 1e9 / (double)nsec);
        } else
                fprintf(stderr, "calls: %s: %s\n", argv[0], strerror(-r));
        sd_bus_flush_close_unref(run.bus);
        free(run.nsec);
        return r < 0 ? 1 : 0;
}
