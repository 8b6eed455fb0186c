/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One D-Bus call many times, with as many in flight as wanted, to any service: for compare.py, which runs it
 * against virtbusd and against the peer. One line on stdout: median and 99th percentile in microseconds of
 * the rounds from their sending to their reply, and how many were answered in a second.
 *
 *     calls [--peer] [--cold] [--in-flight=N] ADDRESS ROUNDS CALL [+ CALL]...
 *     CALL: PATH INTERFACE MEMBER [SIGNATURE [ARGUMENT...]]
 *
 * Arguments are strings (s) and unsigned numbers (u). Several calls are one round, one after the other.
 * --cold: no call before those that are measured. */

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
#define CALLS_MAX      16
#define TIMEOUT_USEC   (120 * UINT64_C(1000000))

typedef struct Call {
        const char *path, *interface, *member, *signature;
        char **arguments;
} Call;

typedef struct Run {
        sd_bus *bus;
        bool is_peer;
        Call calls[CALLS_MAX];
        size_t n_calls;
        size_t n_rounds, n_sent, n_answered;
        uint64_t *nsec; /* of each round */
        int error;
} Run;

typedef struct Round {
        Run *run;
        uint64_t started;
        size_t n_answered; /* of its calls */
} Round;

static uint64_t now_nsec(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static int round_start(Run *run);
static int round_go_on(Round *round);

static int answered(sd_bus_message *reply, void *data, sd_bus_error *error)
{
        Round *round = data;
        Run *run = round->run;
        const Call *call = &run->calls[round->n_answered++];

        (void)error;
        if (sd_bus_message_is_method_error(reply, NULL)) {
                fprintf(stderr, "calls: %s.%s: %s\n", call->interface, call->member,
                        sd_bus_message_get_error(reply)->message);
                run->error = -EIO;
        }
        if (run->error >= 0 && round->n_answered < run->n_calls) {
                run->error = round_go_on(round);
                return 1;
        }
        run->nsec[run->n_answered++] = now_nsec() - round->started;
        free(round);
        if (run->error >= 0 && run->n_sent < run->n_rounds)
                run->error = round_start(run);
        return 1;
}

/* Sends the next of its calls; frees it on failure. */
static int round_go_on(Round *round)
{
        Run *run = round->run;
        const Call *call = &run->calls[round->n_answered];
        sd_bus_message *message = NULL;
        int r = sd_bus_message_new_method_call(run->bus, &message, run->is_peer ? NULL : SERVICE, call->path,
                                               call->interface, call->member);

        for (size_t i = 0; r >= 0 && call->signature && call->signature[i]; i++)
                r = call->signature[i] == 's'
                            ? sd_bus_message_append(message, "s", call->arguments[i])
                            : sd_bus_message_append(message, "u",
                                                    (uint32_t)strtoul(call->arguments[i], NULL, 0));
        if (r >= 0)
                r = sd_bus_call_async(run->bus, NULL, message, answered, round, TIMEOUT_USEC);
        sd_bus_message_unref(message);
        if (r < 0)
                free(round);
        return r < 0 ? r : 0;
}

static int round_start(Run *run)
{
        Round *round = malloc(sizeof *round);

        if (!round)
                return -ENOMEM;
        *round = (Round){ run, now_nsec(), 0 };
        run->n_sent++;
        return round_go_on(round);
}

/* All rounds, `in_flight` of them at a time; the whole time in nanoseconds. */
static int measure(Run *run, size_t n_rounds, size_t in_flight, uint64_t *ret_nsec)
{
        uint64_t started = now_nsec();
        int r = 0;

        run->n_rounds = n_rounds;
        run->n_sent = run->n_answered = 0;
        for (size_t i = 0; i < in_flight && i < n_rounds && r >= 0; i++)
                r = round_start(run);
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

/* The calls of a round, from the command line. */
static int parse_calls(Run *run, char *words[])
{
        while (*words) {
                size_t n = 0;
                Call *call = &run->calls[run->n_calls];

                while (words[n] && strcmp(words[n], "+") != 0)
                        n++;
                if (run->n_calls++ == CALLS_MAX || n < 3 || (n > 3 && strlen(words[3]) != n - 4))
                        return -EINVAL;
                *call = (Call){ words[0], words[1], words[2], n > 3 ? words[3] : NULL, words + 4 };
                words += n + (words[n] ? 1 : 0);
        }
        return run->n_calls > 0 ? 0 : -EINVAL;
}

int main(int argc, char *argv[])
{
        static const struct option options[] = {
                { "peer", no_argument, NULL, 'p' },
                { "cold", no_argument, NULL, 'c' },
                { "in-flight", required_argument, NULL, 'n' },
                { 0 },
        };
        Run run = {};
        size_t in_flight = 1, n_rounds = 0, n_warm_up = WARM_UP_ROUNDS;
        uint64_t nsec = 0;
        int c, r;

        while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1)
                if (c == 'p')
                        run.is_peer = true;
                else if (c == 'c')
                        n_warm_up = 0;
                else if (c == 'n')
                        in_flight = strtoul(optarg, NULL, 10);
                else
                        return 2;
        argv += optind;
        argc -= optind;
        if (argc < 5 || in_flight == 0 || (n_rounds = strtoul(argv[1], NULL, 10)) == 0 ||
            parse_calls(&run, argv + 2) < 0) {
                fprintf(stderr,
                        "usage: calls [--peer] [--cold] [--in-flight=N] ADDRESS ROUNDS CALL [+ CALL]...\n"
                        "CALL: PATH INTERFACE MEMBER [SIGNATURE [ARGUMENT...]]\n");
                return 2;
        }
        run.nsec = calloc(n_rounds + WARM_UP_ROUNDS, sizeof(uint64_t));
        if (!run.nsec)
                return 1;
        r = connect_to(argv[0], run.is_peer, &run.bus);
        if (r >= 0)
                r = measure(&run, n_warm_up, 1, &nsec);
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
