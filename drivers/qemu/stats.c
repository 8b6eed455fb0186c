/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Statistics of machines. Everything that QEMUs must be asked is sent to all of them before the first answer
 * is waited for, so that none waits for another; what does not come in time is left out. A QEMU that has
 * owed an answer for long is not asked again before it has answered. */

#include "drivers/qemu/stats.h"
#include "drivers/qemu/stats-groups.h"

/* virConnectGetAllDomainStatsFlags that choose no machines. */
enum {
        STATS_NOWAIT = 1 << 29,
        STATS_BACKING = 1 << 30,
};
#define STATS_ENFORCE (UINT32_C(1) << 31)

/* How long a QEMU may take: statistics are read every second. */
#define STATS_TIMEOUT_USEC (2 * G_USEC_PER_SEC)
#define SILENCE_USEC       (1 * G_USEC_PER_SEC)

/* Answers of one machine that are on their way. */
typedef struct Round {
        Domain *domain; /* counted */
        uint64_t run;
        QmpCommand *commands[_STATS_QUERY_MAX];
        StatsSources sources;
} Round;

static void round_free(void *data)
{
        Round *round = data;

        for (size_t i = 0; i < _STATS_QUERY_MAX; i++) {
                qmp_command_free(round->commands[i]);
                json_decref(round->sources.answers[i]);
        }
        domain_unref(round->domain);
        g_free(round);
}

/* NULL arguments: the machine has nothing that could be asked so. */
static json_t *balloon_arguments(const Domain *domain)
{
        const DomainMemballoon *balloon = domain->live->devices.memballoon;
        _cleanup_(freep) char *path = NULL;

        if (!balloon || balloon->model == MEMBALLOON_MODEL_NONE || !balloon->info.alias)
                return NULL;
        path = g_strconcat("/machine/peripheral/", balloon->info.alias, NULL);
        return json_pack("{s:s, s:s}", "path", path, "property", "guest-stats");
}

static void round_ask(Round *round, uint32_t stats, uint32_t flags)
{
        static const struct {
                uint32_t group;
                const char *command;
        } queries[_STATS_QUERY_MAX] = {
                [STATS_QUERY_BLOCKS] = { STATS_BLOCK, "query-block" },
                [STATS_QUERY_BLOCKSTATS] = { STATS_BLOCK, "query-blockstats" },
                [STATS_QUERY_NODES] = { STATS_BLOCK, "query-named-block-nodes" },
                [STATS_QUERY_CPUS] = { STATS_VCPU, "query-cpus-fast" },
                [STATS_QUERY_BALLOON] = { STATS_BALLOON, "query-balloon" },
                [STATS_QUERY_GUEST_MEMORY] = { STATS_BALLOON, "qom-get" },
                [STATS_QUERY_IOTHREADS] = { STATS_IOTHREAD, "query-iothreads" },
                [STATS_QUERY_DIRTYRATE] = { STATS_DIRTYRATE, "query-dirty-rate" },
        };
        Qmp *qmp;

        if (!domain_is_active(round->domain) || machine_check_monitor(round->domain, NULL) < 0)
                return;
        qmp = machine_of(round->domain)->qmp;
        if (qmp_waiting_usec(qmp) > (flags & STATS_NOWAIT ? 0 : SILENCE_USEC))
                return;
        round->run = machine_of(round->domain)->run;
        for (size_t i = 0; i < _STATS_QUERY_MAX; i++) {
                json_t *arguments = NULL;

                if (!(stats & queries[i].group))
                        continue;
                if (queries[i].group == STATS_BALLOON) {
                        arguments = balloon_arguments(round->domain);
                        if (!arguments)
                                continue;
                        if (i == STATS_QUERY_BALLOON)
                                g_clear_pointer(&arguments, json_decref); /* it takes none */
                }
                if (i == STATS_QUERY_NODES)
                        arguments = json_pack("{s:b}", "flat", 1);
                round->commands[i] = qmp_send(qmp, queries[i].command, arguments, -EBADF);
        }
}

static void round_wait(Round *round, uint64_t deadline_usec) AWAITS
{
        for (size_t i = 0; i < _STATS_QUERY_MAX; i++)
                if (round->commands[i]) /* what fails is left out of the answer */
                        (void)qmp_wait(round->commands[i], deadline_usec, &round->sources.answers[i], NULL);
        /* Of another run by now, or of none: that is not what was asked about. */
        if (!domain_is_active(round->domain) || machine_of(round->domain)->run != round->run)
                for (size_t i = 0; i < _STATS_QUERY_MAX; i++)
                        g_clear_pointer(&round->sources.answers[i], json_decref);
}

static int choose(uint32_t *stats, uint32_t flags, Error *error)
{
        uint32_t unknown = *stats & ~(uint32_t)STATS_KNOWN;

        if (unknown && flags & STATS_ENFORCE)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The QEMU driver has no statistics 0x%x (it has 0x%x)", unknown,
                                 STATS_KNOWN);
        *stats = *stats ? *stats & STATS_KNOWN : STATS_KNOWN;
        return 0;
}

/* Rounds in the order of the machines, with all answers that came. */
static GPtrArray *ask_all(const Call *call, const GPtrArray *domains, uint32_t stats, uint32_t flags) AWAITS
{
        GPtrArray *rounds = g_ptr_array_new_full(domains->len, round_free);
        uint64_t deadline_usec = MIN(call->deadline_usec, deadline_after_usec(STATS_TIMEOUT_USEC));

        for (unsigned i = 0; i < domains->len; i++) {
                Round *round = g_new0(Round, 1);

                round->domain = domain_ref(domains->pdata[i]);
                round->sources.with_backing = flags & STATS_BACKING;
                g_ptr_array_add(rounds, round);
                round_ask(round, stats, flags);
        }
        for (unsigned i = 0; i < rounds->len; i++)
                round_wait(rounds->pdata[i], deadline_usec);
        return rounds;
}

int qemu_get_domain_stats(Call *call, const GPtrArray *domains, uint32_t stats, uint32_t flags,
                          Records **ret_records, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *rounds = NULL;
        _cleanup_(g_hash_table_unrefp) GHashTable *counters = NULL;
        Records *records;
        int r = choose(&stats, flags, error);

        if (r < 0)
                return r;
        rounds = ask_all(call, domains, stats, flags);
        counters = stats & STATS_INTERFACE ? stats_read_counters() : NULL;
        records = records_new();
        for (unsigned i = 0; i < rounds->len; i++) {
                Round *round = rounds->pdata[i];

                if (round->domain->object.is_gone)
                        continue;
                round->sources.counters = counters;
                records_begin(records, round->domain->object.name);
                stats_add_groups(records, round->domain, stats, &round->sources);
        }
        *ret_records = records;
        return 0;
}

int qemu_domain_get_stats(Call *call, Domain *domain, uint32_t stats, uint32_t flags, Records **ret_records,
                          Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = g_ptr_array_new(), *rounds = NULL;
        _cleanup_(g_hash_table_unrefp) GHashTable *counters = NULL;
        Round *round;
        int r = error_check_flags(error, "GetStats", flags, STATS_NOWAIT | STATS_BACKING | STATS_ENFORCE);

        if (r >= 0)
                r = choose(&stats, flags, error);
        if (r < 0)
                return r;
        g_ptr_array_add(domains, domain);
        rounds = ask_all(call, domains, stats, flags);
        round = rounds->pdata[0];
        counters = stats & STATS_INTERFACE ? stats_read_counters() : NULL;
        round->sources.counters = counters;
        *ret_records = records_new();
        stats_add_groups(*ret_records, domain, stats, &round->sources);
        return 0;
}
