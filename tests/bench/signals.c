/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How fast news reach everybody: machines are suspended and resumed, each after all subscribers have heard
 * of its last change, for compare.py, which runs it against virtbusd and against the peer. One line on
 * stdout: median and 99th percentile in microseconds from a call's sending until the last subscriber has its
 * signal, and how many changes were told in a second.
 *
 *     signals ADDRESS SUBSCRIBERS CHANGES PATH...
 *
 * PATH: a running machine; as many changes are on their way at once as there are machines. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <time.h>

#define SERVICE "org.libvirt"

typedef struct Run Run;

typedef struct Machine {
        Run *run;
        const char *path;
        uint64_t started;
        size_t n_heard; /* subscribers that know, and the caller, who has its reply */
        unsigned is_suspended;
} Machine;

struct Run {
        sd_event *loop;
        sd_bus *caller, **subscribers;
        size_t n_subscribers;
        Machine *machines;
        size_t n_machines, n_changes, n_sent, n_told;
        uint64_t *nsec;    /* of each change */
        uint64_t all_nsec; /* from the first's sending until the last is told */
};

static uint64_t now_nsec(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static int answered(sd_bus_message *reply, void *data, sd_bus_error *error);

static int change(Machine *machine)
{
        Run *run = machine->run;

        run->n_sent++;
        machine->n_heard = 0;
        machine->started = now_nsec();
        machine->is_suspended = !machine->is_suspended;
        return sd_bus_call_method_async(run->caller, NULL, SERVICE, machine->path, "org.libvirt.Domain",
                                        machine->is_suspended ? "Suspend" : "Resume", answered, machine,
                                        NULL);
}

static int heard(Machine *machine)
{
        Run *run = machine->run;

        if (++machine->n_heard < run->n_subscribers + 1)
                return 0;
        run->nsec[run->n_told++] = now_nsec() - machine->started;
        if (run->n_told == run->n_changes)
                return sd_event_exit(run->loop, 0);
        return run->n_sent < run->n_changes ? change(machine) : 0;
}

static int answered(sd_bus_message *reply, void *data, sd_bus_error *error)
{
        Machine *machine = data;

        (void)error;
        if (sd_bus_message_is_method_error(reply, NULL)) {
                fprintf(stderr, "signals: %s: %s\n", machine->path,
                        sd_bus_message_get_error(reply)->message);
                return sd_event_exit(machine->run->loop, 1);
        }
        return heard(machine);
}

static int signal_came(sd_bus_message *message, void *data, sd_bus_error *error)
{
        Run *run = data;
        const char *path;
        int r = sd_bus_message_read(message, "o", &path);

        (void)error;
        for (size_t i = 0; r > 0 && i < run->n_machines; i++)
                if (strcmp(run->machines[i].path, path) == 0)
                        return heard(&run->machines[i]);
        return r < 0 ? r : 0;
}

static int connect_to(const Run *run, const char *address, sd_bus **ret_bus)
{
        sd_bus *bus = NULL;
        const char *name;
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, 1);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                r = sd_bus_attach_event(bus, run->loop, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_get_unique_name(bus, &name); /* waits until it has one */
        *ret_bus = bus;
        return r;
}

static int compare_nsec(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

static int measure(Run *run, const char *address)
{
        uint64_t started;
        int r = sd_event_new(&run->loop);

        if (r >= 0)
                r = connect_to(run, address, &run->caller);
        for (size_t i = 0; i < run->n_subscribers && r >= 0; i++) {
                r = connect_to(run, address, &run->subscribers[i]);
                if (r >= 0)
                        r = sd_bus_match_signal(run->subscribers[i], NULL, SERVICE, NULL,
                                                "org.libvirt.Connect", "DomainEvent", signal_came, run);
        }
        started = now_nsec();
        for (size_t i = 0; i < run->n_machines && r >= 0; i++)
                r = change(&run->machines[i]);
        if (r >= 0)
                r = sd_event_loop(run->loop);
        run->all_nsec = now_nsec() - started;
        return r;
}

int main(int argc, char *argv[])
{
        Run run = {};
        int r;

        if (argc < 5 || (run.n_subscribers = strtoul(argv[2], NULL, 10)) == 0 ||
            (run.n_changes = strtoul(argv[3], NULL, 10)) < (size_t)argc - 4) {
                fprintf(stderr, "usage: signals ADDRESS SUBSCRIBERS CHANGES PATH...\n");
                return 2;
        }
        run.n_machines = (size_t)argc - 4;
        run.subscribers = calloc(run.n_subscribers, sizeof *run.subscribers);
        run.machines = calloc(run.n_machines, sizeof *run.machines);
        run.nsec = calloc(run.n_changes, sizeof *run.nsec);
        if (!run.subscribers || !run.machines || !run.nsec)
                return 1;
        for (size_t i = 0; i < run.n_machines; i++)
                run.machines[i] = (Machine){ .run = &run, .path = argv[4 + i] };
        r = measure(&run, argv[1]);
        if (r == 0) {
                qsort(run.nsec, run.n_changes, sizeof *run.nsec, compare_nsec);
                printf("%.1f %.1f %.1f\n", (double)run.nsec[run.n_changes / 2] / 1000,
                       (double)run.nsec[run.n_changes * 99 / 100] / 1000,
                       (double)run.n_changes * 1e9 / (double)run.all_nsec);
        } else if (r < 0)
                fprintf(stderr, "signals: %s: %s\n", argv[1], strerror(-r));
        for (size_t i = 0; i < run.n_subscribers; i++)
                sd_bus_flush_close_unref(run.subscribers[i]);
        sd_bus_flush_close_unref(run.caller);
        sd_event_unref(run.loop);
        free(run.subscribers);
        free(run.machines);
        free(run.nsec);
        return r == 0 ? 0 : 1;
}
