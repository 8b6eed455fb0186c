/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a <cpu> means, and which <cpu> says what a processor has. */

#include "drivers/cpu/definition.h"
#include <string.h>

DomainCpu *cpu_definition_free(DomainCpu *cpu)
{
        return struct_free(&domain_cpu_type, cpu);
}

/* The host-model of <domainCapabilities>. */
static const XmlNode *find_host_model(const XmlNode *root)
{
        const XmlNode *cpu = xml_child(root, "cpu");

        for (const XmlNode *mode = cpu ? xml_child(cpu, "mode") : NULL; mode; mode = xml_next(mode))
                if (g_strcmp0(xml_attribute(mode, "name"), "host-model") == 0)
                        return mode;
        return NULL;
}

static const XmlNode *find_cpu(const XmlNode *root)
{
        const XmlNode *host;

        if (strcmp(root->name, "cpu") == 0)
                return root;
        if (strcmp(root->name, "domainCapabilities") == 0)
                return find_host_model(root);
        if (strcmp(root->name, "capabilities") != 0)
                return NULL;
        host = xml_child(root, "host");
        return host ? xml_child(host, "cpu") : NULL;
}

static int check_architecture(const DomainCpu *cpu, const char *what, Error *error)
{
        if (!cpu->arch || strcmp(cpu->arch, "x86_64") == 0 || strcmp(cpu->arch, "i686") == 0)
                return 0;
        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                         "%s is of the architecture '%s': models are known of x86_64 and i686", what,
                         cpu->arch);
}

static int check_features(const DomainCpu *cpu, const char *what, Error *error)
{
        CpuSet seen = {};

        LIST_FOREACH (feature, cpu->features) {
                int number = cpu_feature_find(feature->name);

                if (number < 0)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED, "%s: there is no CPU feature '%s'",
                                         what, feature->name);
                if (cpu_set_has(&seen, (unsigned)number))
                        return error_set(error, ERROR_INVALID_XML, "%s: the feature '%s' is given twice",
                                         what, feature->name);
                cpu_set_add(&seen, (unsigned)number);
        }
        return 0;
}

int cpu_definition_parse(const char *xml, const char *what, DomainCpu **ret_cpu, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(cpu_definition_freep) DomainCpu *cpu = NULL;
        const XmlNode *node;
        void *object = NULL;
        int r;

        r = xml_parse(xml, strlen(xml), what, &document, error);
        if (r < 0)
                return r;
        node = find_cpu(xml_document_root(document));
        if (!node)
                return error_set(error, ERROR_INVALID_XML,
                                 "%s is no definition of a CPU: the element is <%s>, not <cpu>", what,
                                 xml_document_root(document)->name);
        r = struct_parse(&domain_cpu_type, node, 0, &object, error);
        if (r < 0)
                return r;
        cpu = object;
        r = check_architecture(cpu, what, error);
        if (r >= 0)
                r = check_features(cpu, what, error);
        if (r >= 0 && cpu->vendor && !cpu_vendor_find(cpu->vendor))
                r = error_set(error, ERROR_CONFIG_UNSUPPORTED, "%s: there is no CPU vendor '%s'", what,
                              cpu->vendor);
        if (r >= 0 && cpu->model && cpu_model_find(cpu->model) < 0)
                r = error_set(error, ERROR_CONFIG_UNSUPPORTED, "%s: there is no CPU model '%s'", what,
                              cpu->model);
        if (r < 0)
                return r;
        *ret_cpu = TAKE_PTR(cpu);
        return 0;
}

int cpu_definition_features(const DomainCpu *cpu, CpuSet *ret_features, Error *error)
{
        CpuSet features;

        if (!cpu->model)
                return error_set(error, ERROR_INVALID_ARGUMENT, "The <cpu> names no <model>");
        features = *cpu_model_features((unsigned)cpu_model_find(cpu->model));
        LIST_FOREACH (feature, cpu->features) {
                unsigned number = (unsigned)cpu_feature_find(feature->name);

                if (feature->policy == CPU_POLICY_DISABLE || feature->policy == CPU_POLICY_FORBID)
                        cpu_set_remove(&features, number);
                else
                        cpu_set_add(&features, number);
        }
        *ret_features = features;
        return 0;
}

/* How a model compares to a processor. */
typedef struct Candidate {
        unsigned model, n_words, n_disabled;
        bool is_known; /* by its signature */
} Candidate;

static unsigned count(const CpuSet *set)
{
        unsigned n = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(set->words); i++)
                n += (unsigned)__builtin_popcountll(set->words[i]);
        return n;
}

static Candidate candidate_of(unsigned model, const CpuProcessor *processor)
{
        CpuSet more = processor->features, less = *cpu_model_features(model);

        cpu_set_subtract(&more, cpu_model_features(model));
        cpu_set_subtract(&less, &processor->features);
        return (Candidate){ model, count(&more) + count(&less), count(&less),
                            cpu_model_is(model, processor) };
}

static bool is_possible(const CpuChoice *choice, unsigned model, const Candidate *candidate)
{
        const CpuModelFact *fact = &cpu_models[model];
        const CpuVendorFact *vendor = choice->processor->vendor;

        if (choice->models && !g_hash_table_contains(choice->models, fact->name))
                return false;
        if (vendor && fact->vendor && strcmp(fact->vendor, vendor->name) != 0)
                return false;
        if (choice->is_host)
                return !fact->not_for_hosts && candidate->n_disabled == 0;
        return !fact->not_for_guests || g_strcmp0(fact->name, choice->preferred) == 0;
}

/* A product's own model first, then whatever takes the fewest words, and among those what takes least
 * away; or first of all what takes nothing away. */
static bool is_better(const CpuChoice *choice, const Candidate *a, const Candidate *b)
{
        if (a->is_known != b->is_known)
                return a->is_known;
        if (choice->only_adds && a->n_disabled != b->n_disabled)
                return a->n_disabled < b->n_disabled;
        if (a->n_words != b->n_words)
                return a->n_words < b->n_words;
        return a->n_disabled < b->n_disabled;
}

static void add_feature(DomainCpu *cpu, unsigned number, CpuPolicy policy)
{
        CpuFeature *feature = g_new0(CpuFeature, 1);

        feature->name = g_strdup(cpu_features[number].name);
        feature->policy = policy;
        list_append(&cpu->features, feature);
}

static DomainCpu *describe(const CpuChoice *choice, unsigned model)
{
        DomainCpu *cpu = struct_new(&domain_cpu_type);
        const CpuSet *own = cpu_model_features(model), *features = &choice->processor->features;
        g_auto(GStrv) removed =
                g_strsplit(cpu_models[model].removed ? cpu_models[model].removed : "", " ", -1);

        cpu->model = g_strdup(cpu_models[model].name);
        for (unsigned i = 0; i < cpu_n_features; i++) {
                bool is_there = cpu_set_has(features, i);

                if (cpu_features[i].is_systems || is_there == cpu_set_has(own, i))
                        continue;
                add_feature(cpu, i,
                            choice->is_host ? CPU_POLICY_ABSENT
                            : is_there      ? CPU_POLICY_REQUIRE
                                            : CPU_POLICY_DISABLE);
        }
        for (char **name = removed; *name && !choice->is_host; name++) {
                unsigned number = (unsigned)cpu_feature_find(*name);

                if (!cpu_set_has(features, number))
                        add_feature(cpu, number, CPU_POLICY_DISABLE);
        }
        if (choice->processor->vendor)
                cpu->vendor = g_strdup(choice->processor->vendor->name);
        return cpu;
}

int cpu_choose(const CpuChoice *choice, DomainCpu **ret_cpu, Error *error)
{
        Candidate best = {};
        bool is_found = false;

        /* From the latest: among equals, it is the newest. */
        for (unsigned i = cpu_n_models; i-- > 0;) {
                Candidate candidate = candidate_of(i, choice->processor);

                if (!is_possible(choice, i, &candidate))
                        continue;
                if (g_strcmp0(cpu_models[i].name, choice->preferred) == 0) {
                        best = candidate;
                        is_found = true;
                        break;
                }
                if (!is_found || is_better(choice, &candidate, &best))
                        best = candidate;
                is_found = true;
        }
        if (!is_found)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "No CPU model has the features that are left");
        *ret_cpu = describe(choice, best.model);
        return 0;
}
