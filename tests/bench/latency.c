/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Measures what small calls to virtbusd cost, to the microsecond: for spine.py, which starts the daemon and
 * prints the table. All calls take turns in one loop, so that whatever else the machine does hits all of
 * them alike, and the differences between them stand. One line for each call on stdout: its name, median,
 * 99th percentile and mean in microseconds.
 *
 *     latency [--peer] ADDRESS DOMAIN-PATH ROUNDS     each of the calls below, ROUNDS times
 *     latency [--peer] --repeat=CALL ADDRESS DOMAIN-PATH ROUNDS     one of them only
 */

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define SERVICE              "org.libvirt"
#define OLD_INTERFACE        "org.libvirt.Domain"
#define NATIVE_INTERFACE     "org.virtbus1.Domain"
#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"
#define WARM_UP_ROUNDS       50

typedef struct Sample {
        const char *name;
        const char *path; /* NULL: the machine's */
        const char *interface, *member;
        const char *arguments[2]; /* strings, or for GetState the flags */
        uint64_t *nsec;
} Sample;

static Sample samples[] = {
        { .name = "Ping", .interface = "org.freedesktop.DBus.Peer", .member = "Ping" },
        { .name = "Get",
          .interface = PROPERTIES_INTERFACE,
          .member = "Get",
          .arguments = { OLD_INTERFACE, "Active" } },
        { .name = "GetAll",
          .interface = PROPERTIES_INTERFACE,
          .member = "GetAll",
          .arguments = { OLD_INTERFACE } },
        { .name = "GetState", .interface = OLD_INTERFACE, .member = "GetState" },
        { .name = "Get, native",
          .interface = PROPERTIES_INTERFACE,
          .member = "Get",
          .arguments = { NATIVE_INTERFACE, "State" } },
        { .name = "GetAll, native",
          .interface = PROPERTIES_INTERFACE,
          .member = "GetAll",
          .arguments = { NATIVE_INTERFACE } },
};
static const size_t n_samples = sizeof(samples) / sizeof(samples[0]);

static uint64_t now_nsec(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static int connect_to(const char *address, bool is_peer, sd_bus **ret_bus)
{
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, !is_peer);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        *ret_bus = bus;
        return 0;
}

static int append_arguments(sd_bus_message *message, const Sample *sample)
{
        int r;

        if (strcmp(sample->member, "GetState") == 0)
                return sd_bus_message_append(message, "u", 0);
        for (size_t i = 0; i < 2 && sample->arguments[i]; i++) {
                r = sd_bus_message_append(message, "s", sample->arguments[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One call, timed from the making of the message to the reading of the reply's header. */
static int call_once(sd_bus *bus, bool is_peer, const char *path, const Sample *sample, uint64_t *ret_nsec)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *message = NULL, *reply = NULL;
        uint64_t started = now_nsec();
        int r;

        r = sd_bus_message_new_method_call(bus, &message, is_peer ? NULL : SERVICE, sample->path ?: path,
                                           sample->interface, sample->member);
        if (r >= 0)
                r = append_arguments(message, sample);
        if (r >= 0)
                r = sd_bus_call(bus, message, 0, &error, &reply);
        if (r < 0)
                fprintf(stderr, "latency: %s: %s\n", sample->name, error.message ?: strerror(-r));
        else
                *ret_nsec = now_nsec() - started;
        sd_bus_message_unref(message);
        sd_bus_message_unref(reply);
        sd_bus_error_free(&error);
        return r < 0 ? r : 0;
}

static int compare_nsec(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

static void print_sample(Sample *sample, size_t n)
{
        double sum = 0;

        qsort(sample->nsec, n, sizeof(uint64_t), compare_nsec);
        for (size_t i = 0; i < n; i++)
                sum += (double)sample->nsec[i];
        printf("%s\t%.2f\t%.2f\t%.2f\n", sample->name, (double)sample->nsec[n / 2] / 1000,
               (double)sample->nsec[n * 99 / 100] / 1000, sum / (double)n / 1000);
}

static int measure(sd_bus *bus, bool is_peer, const char *path, const char *only, size_t n_rounds)
{
        for (size_t round = 0; round < n_rounds + WARM_UP_ROUNDS; round++)
                for (size_t i = 0; i < n_samples; i++) {
                        uint64_t nsec;
                        int r;

                        if (only && strcmp(only, samples[i].name) != 0)
                                continue;
                        r = call_once(bus, is_peer, path, &samples[i], &nsec);
                        if (r < 0)
                                return r;
                        if (round >= WARM_UP_ROUNDS)
                                samples[i].nsec[round - WARM_UP_ROUNDS] = nsec;
                }
        for (size_t i = 0; i < n_samples; i++)
                if (!only || strcmp(only, samples[i].name) == 0)
                        print_sample(&samples[i], n_rounds);
        return 0;
}

int main(int argc, char *argv[])
{
        static const struct option options[] = {
                { "peer", no_argument, NULL, 'p' },
                { "repeat", required_argument, NULL, 'r' },
                { 0 },
        };
        bool is_peer = false;
        const char *only = NULL;
        sd_bus *bus = NULL;
        size_t n_rounds;
        int c, r;

        while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
                if (c == 'p')
                        is_peer = true;
                else if (c == 'r')
                        only = optarg;
                else
                        return 2;
        if (argc - optind != 3 || (n_rounds = strtoul(argv[optind + 2], NULL, 10)) == 0) {
                fprintf(stderr, "usage: latency [--peer] [--repeat=CALL] ADDRESS DOMAIN-PATH ROUNDS\n");
                return 2;
        }
        for (size_t i = 0; i < n_samples; i++) {
                samples[i].nsec = calloc(n_rounds, sizeof(uint64_t));
                if (!samples[i].nsec)
                        return 1;
        }
        r = connect_to(argv[optind], is_peer, &bus);
        if (r < 0)
                fprintf(stderr, "latency: %s: %s\n", argv[optind], strerror(-r));
        else
                r = measure(bus, is_peer, argv[optind + 1], only, n_rounds);
        sd_bus_flush_close_unref(bus);
        for (size_t i = 0; i < n_samples; i++)
                free(samples[i].nsec);
        return r < 0 ? 1 : 0;
}
