/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The same as calls.c for the peer's own protocol: libvirt's client library, which is loaded at run time as
 * the project is built without it. Several calls in flight are several threads on one connection.
 *
 *     rpc [--in-flight=N] LIBRARY URI DOMAIN-NAME CALL ROUNDS
 *
 * CALL is one of those in the table below; they read what the D-Bus call of that name reads. */

#include <dlfcn.h>
#include <getopt.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WARM_UP_ROUNDS 3

/* libvirt's interface, as far as it is used: pointers to it are opaque here. */
static struct {
        void *(*open)(const char *uri);
        int (*lib_version)(void *connect, unsigned long *version);
        int (*list_all)(void *connect, void ***domains, unsigned flags);
        void *(*lookup)(void *connect, const char *name);
        int (*free)(void *domain);
        int (*state)(void *domain, int *state, int *reason, unsigned flags);
        char *(*xml)(void *domain, unsigned flags);
        int (*all_stats)(void *connect, unsigned stats, void ***records, unsigned flags);
        void (*stats_free)(void **records);
        int (*is_active)(void *domain);
        int (*is_persistent)(void *domain);
        int (*is_updated)(void *domain);
        int (*autostart)(void *domain, int *autostart);
        char *(*os_type)(void *domain);
        char *(*scheduler)(void *domain, int *n_parameters);
        int (*list_stats)(void **domains, unsigned stats, void ***records, unsigned flags);
        int (*list_snapshots)(void *domain, void ***snapshots, unsigned flags);
} virt;

static const struct {
        const char *symbol;
        void *place;
} symbols[] = {
        { "virConnectOpen", &virt.open },
        { "virConnectGetLibVersion", &virt.lib_version },
        { "virConnectListAllDomains", &virt.list_all },
        { "virDomainLookupByName", &virt.lookup },
        { "virDomainFree", &virt.free },
        { "virDomainGetState", &virt.state },
        { "virDomainGetXMLDesc", &virt.xml },
        { "virConnectGetAllDomainStats", &virt.all_stats },
        { "virDomainStatsRecordListFree", &virt.stats_free },
        { "virDomainIsActive", &virt.is_active },
        { "virDomainIsPersistent", &virt.is_persistent },
        { "virDomainIsUpdated", &virt.is_updated },
        { "virDomainGetAutostart", &virt.autostart },
        { "virDomainGetOSType", &virt.os_type },
        { "virDomainGetSchedulerType", &virt.scheduler },
        { "virDomainListGetStats", &virt.list_stats },
        { "virDomainListAllSnapshots", &virt.list_snapshots },
};

static int call_ping(void *connect, void *domain)
{
        unsigned long version;

        (void)domain;
        return virt.lib_version(connect, &version);
}

static int call_list(void *connect, void *domain)
{
        void **domains;
        int n = virt.list_all(connect, &domains, 0);

        (void)domain;
        for (int i = 0; i < n; i++)
                virt.free(domains[i]);
        if (n >= 0)
                free(domains);
        return n;
}

static int call_state(void *connect, void *domain)
{
        int state, reason;

        (void)connect;
        return virt.state(domain, &state, &reason, 0);
}

static int call_properties(void *connect, void *domain)
{
        int autostart, n_parameters;
        char *os_type = virt.os_type(domain), *scheduler = virt.scheduler(domain, &n_parameters);

        (void)connect;
        free(os_type);
        free(scheduler);
        if (virt.is_active(domain) < 0 || virt.is_persistent(domain) < 0 || virt.is_updated(domain) < 0)
                return -1;
        return virt.autostart(domain, &autostart);
}

static int call_xml(void *connect, void *domain)
{
        char *xml = virt.xml(domain, 0);

        (void)connect;
        free(xml);
        return xml ? 0 : -1;
}

static int call_stats(void *connect, void *domain)
{
        void **records;
        int n = virt.all_stats(connect, 0, &records, 0);

        (void)domain;
        if (n >= 0)
                virt.stats_free(records);
        return n;
}

/* What Cockpit reads of a machine without snapshots: compare.py has the same calls. */
static int call_cockpit(void *connect, void *domain)
{
        char *live = virt.xml(domain, 0), *stored = virt.xml(domain, 2);
        void *one[] = { domain, NULL }, **records = NULL, **snapshots = NULL;
        int r = live && stored ? call_state(connect, domain) : -1;

        free(live);
        free(stored);
        if (r >= 0)
                r = call_properties(connect, domain);
        if (r >= 0)
                r = virt.list_snapshots(domain, &snapshots, 0);
        free(snapshots);
        if (r >= 0)
                r = virt.list_stats(one, 45, &records, 0);
        if (r >= 0)
                virt.stats_free(records);
        return r;
}

static const struct {
        const char *name;
        int (*function)(void *connect, void *domain);
} calls[] = {
        { "Ping", call_ping },         { "ListDomains", call_list }, { "GetState", call_state },
        { "GetAll", call_properties }, { "GetXMLDesc", call_xml },   { "GetAllDomainStats", call_stats },
        { "Cockpit", call_cockpit },
};

typedef struct Worker {
        pthread_t thread;
        void *connect, *domain;
        int (*function)(void *connect, void *domain);
        uint64_t *nsec;
        size_t n_rounds;
        int result;
} Worker;

static uint64_t now_nsec(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void *work(void *data)
{
        Worker *worker = data;

        for (size_t i = 0; i < worker->n_rounds && worker->result >= 0; i++) {
                uint64_t started = now_nsec();

                worker->result = worker->function(worker->connect, worker->domain);
                worker->nsec[i] = now_nsec() - started;
        }
        return NULL;
}

static int compare_nsec(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

static int measure(Worker model, size_t n_rounds, size_t n_workers)
{
        Worker *workers = calloc(n_workers, sizeof *workers);
        uint64_t *nsec = calloc(n_rounds, sizeof *nsec), started;
        size_t each = n_rounds / n_workers;
        int r = 0;

        if (!workers || !nsec)
                return -1;
        for (size_t i = 0; i < WARM_UP_ROUNDS && r >= 0; i++)
                r = model.function(model.connect, model.domain);
        started = now_nsec();
        for (size_t i = 0; i < n_workers; i++) {
                workers[i] = model;
                workers[i].nsec = nsec + i * each;
                workers[i].n_rounds = each;
                if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
                        return -1;
        }
        for (size_t i = 0; i < n_workers; i++) {
                pthread_join(workers[i].thread, NULL);
                r = workers[i].result < 0 ? -1 : r;
        }
        n_rounds = each * n_workers;
        started = now_nsec() - started;
        qsort(nsec, n_rounds, sizeof *nsec, compare_nsec);
        if (r >= 0)
                printf("%.1f %.1f %.1f\n", (double)nsec[n_rounds / 2] / 1000,
                       (double)nsec[n_rounds * 99 / 100] / 1000, (double)n_rounds * 1e9 / (double)started);
        free(nsec);
        free(workers);
        return r;
}

static int load(const char *path)
{
        void *library = dlopen(path, RTLD_NOW);

        if (!library) {
                fprintf(stderr, "rpc: %s\n", dlerror());
                return -1;
        }
        for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
                void *symbol = dlsym(library, symbols[i].symbol);

                if (!symbol) {
                        fprintf(stderr, "rpc: %s\n", dlerror());
                        return -1;
                }
                memcpy(symbols[i].place, &symbol, sizeof symbol);
        }
        return 0;
}

int main(int argc, char *argv[])
{
        static const struct option options[] = { { "in-flight", required_argument, NULL, 'n' }, { 0 } };
        size_t in_flight = 1, n_rounds;
        Worker model = {};
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
                if (c == 'n')
                        in_flight = strtoul(optarg, NULL, 10);
                else
                        return 2;
        argv += optind;
        if (argc - optind != 5 || in_flight == 0 || (n_rounds = strtoul(argv[4], NULL, 10)) < in_flight) {
                fprintf(stderr, "usage: rpc [--in-flight=N] LIBRARY URI DOMAIN-NAME CALL ROUNDS\n");
                return 2;
        }
        for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
                if (strcmp(calls[i].name, argv[3]) == 0)
                        model.function = calls[i].function;
        if (!model.function || load(argv[0]) < 0)
                return 2;
        model.connect = virt.open(argv[1]);
        model.domain = model.connect ? virt.lookup(model.connect, argv[2]) : NULL;
        return model.domain && measure(model, n_rounds, in_flight) >= 0 ? 0 : 1;
}
