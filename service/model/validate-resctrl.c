/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shares of the host's caches and of its memory's bandwidth: <cachetune> and <memorytune>. The host knows
 * groups of vCPUs: two of these elements are about the same group, or about groups that share no vCPU. */

#include "model/complete.h"
#include "model/cpuset.h"
#include <string.h>

static bool is_empty(const DomainDefinition *definition, const char *vcpus)
{
        for (unsigned i = 0; i < MIN(definition->vcpus, CPUSET_MAX); i++)
                if (cpuset_has(vcpus, i))
                        return false;
        return true;
}

/* Of the vCPUs that the machine has; others are not looked at. */
static bool are_equal(const DomainDefinition *definition, const char *a, const char *b)
{
        for (unsigned i = 0; i < MIN(definition->vcpus, CPUSET_MAX); i++)
                if (cpuset_has(a, i) != cpuset_has(b, i))
                        return false;
        return true;
}

static bool do_overlap(const DomainDefinition *definition, const char *a, const char *b)
{
        for (unsigned i = 0; i < MIN(definition->vcpus, CPUSET_MAX); i++)
                if (cpuset_has(a, i) && cpuset_has(b, i))
                        return true;
        return false;
}

static bool contains(const DomainDefinition *definition, const char *set, const char *subset)
{
        for (unsigned i = 0; i < MIN(definition->vcpus, CPUSET_MAX); i++)
                if (cpuset_has(subset, i) && !cpuset_has(set, i))
                        return false;
        return true;
}

/* Two groups; `is_same_kind`: two cachetunes or two memorytunes, which cannot be about the same one. */
static int check_pair(const DomainDefinition *definition, const char *element, const char *a, const char *b,
                      bool is_same_kind, Error *error)
{
        if (is_empty(definition, a) || !do_overlap(definition, a, b))
                return 0;
        if (!are_equal(definition, a, b))
                return error_set(error, ERROR_INVALID_XML,
                                 "%s: the vcpus '%s' and '%s' overlap: groups are the same or apart",
                                 element, a, b);
        return is_same_kind ? error_set(error, ERROR_INVALID_XML, "Two elements %s are for the vcpus '%s'",
                                        element, a)
                            : 0;
}

static int check_groups(const DomainDefinition *definition, Error *error)
{
        const CpuTune *tune = definition->cpu_tune;
        int r = 0;

        for (uint32_t i = 0; i < tune->cachetunes.count; i++) {
                const char *vcpus = tune->cachetunes.items[i]->vcpus;

                for (uint32_t j = 0; j < i && r >= 0; j++)
                        r = check_pair(definition, "cachetune", vcpus, tune->cachetunes.items[j]->vcpus,
                                       true, error);
                for (uint32_t j = 0; j < tune->memorytunes.count && r >= 0; j++)
                        r = check_pair(definition, "memorytune", vcpus, tune->memorytunes.items[j]->vcpus,
                                       false, error);
        }
        for (uint32_t i = 0; i < tune->memorytunes.count; i++)
                for (uint32_t j = 0; j < i && r >= 0; j++)
                        r = check_pair(definition, "memorytune", tune->memorytunes.items[i]->vcpus,
                                       tune->memorytunes.items[j]->vcpus, true, error);
        return r;
}

static int check_allocations(const CacheTune *tune, Error *error)
{
        for (uint32_t i = 0; i < tune->caches.count; i++)
                for (uint32_t j = 0; j < i; j++) {
                        const CacheAllocation *a = tune->caches.items[i], *b = tune->caches.items[j];

                        if (a->level == b->level && a->id == b->id &&
                            (g_strcmp0(a->type, b->type) == 0 || g_strcmp0(a->type, "both") == 0 ||
                             g_strcmp0(b->type, "both") == 0))
                                return error_set(error, ERROR_INVALID_XML,
                                                 "cachetune '%s': the cache %u of level %u is given out "
                                                 "twice, as '%s' and as '%s'",
                                                 tune->vcpus, a->id, a->level, b->type, a->type);
                }
        return 0;
}

static int check_monitor(const DomainDefinition *definition, const char *element, const char *group,
                         const char *vcpus, Error *error)
{
        if (contains(definition, group, vcpus))
                return 0;
        return error_set(error, ERROR_INVALID_XML,
                         "%s '%s': the vcpus '%s' of a monitor are not among those of the group", element,
                         group, vcpus);
}

static int check_contents(const DomainDefinition *definition, Error *error)
{
        int r = 0;

        LIST_FOREACH (tune, definition->cpu_tune->cachetunes) {
                if (r >= 0)
                        r = check_allocations(tune, error);
                LIST_FOREACH (monitor, tune->monitors) {
                        if (r >= 0)
                                r = check_monitor(definition, "cachetune", tune->vcpus, monitor->vcpus,
                                                  error);
                }
        }
        LIST_FOREACH (tune, definition->cpu_tune->memorytunes) {
                LIST_FOREACH (monitor, tune->monitors) {
                        if (r >= 0)
                                r = check_monitor(definition, "memorytune", tune->vcpus, monitor->vcpus,
                                                  error);
                }
        }
        return r;
}

int domain_definition_validate_resctrl(const DomainDefinition *definition, Error *error)
{
        const CpuTune *tune = definition->cpu_tune;
        int r;

        if (!tune || (tune->cachetunes.count == 0 && tune->memorytunes.count == 0))
                return 0;
        r = check_groups(definition, error);
        if (r >= 0)
                r = check_contents(definition, error);
        if (r >= 0 && definition->type == DOMAIN_TYPE_QEMU)
                r = error_set(error, ERROR_CONFIG_UNSUPPORTED,
                              "cachetune and memorytune are for machines of type 'kvm', whose vCPUs are "
                              "threads of the host");
        return r;
}
