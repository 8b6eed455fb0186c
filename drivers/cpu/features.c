/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table's words turned into sets, once, and questions to them. */

#include "drivers/cpu/features.h"
#include <stdio.h>
#include <string.h>

void cpu_set_intersect(CpuSet *set, const CpuSet *other)
{
        for (size_t i = 0; i < G_N_ELEMENTS(set->words); i++)
                set->words[i] &= other->words[i];
}

void cpu_set_subtract(CpuSet *set, const CpuSet *other)
{
        for (size_t i = 0; i < G_N_ELEMENTS(set->words); i++)
                set->words[i] &= ~other->words[i];
}

bool cpu_set_is_empty(const CpuSet *set)
{
        for (size_t i = 0; i < G_N_ELEMENTS(set->words); i++)
                if (set->words[i])
                        return false;
        return true;
}

char *cpu_set_to_string(const CpuSet *set)
{
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < cpu_n_features; i++) {
                if (!cpu_set_has(set, i))
                        continue;
                if (text->len > 0)
                        g_string_append_c(text, ' ');
                g_string_append(text, cpu_features[i].name);
        }
        return g_string_free(text, FALSE);
}

/* QEMU writes dashes where the kernel writes underscores. */
static bool is_same_name(const char *a, const char *b, size_t size_b)
{
        size_t i = 0;

        for (; i < size_b && a[i]; i++)
                if (a[i] != b[i] && !(strchr("-_", a[i]) && strchr("-_", b[i])))
                        return false;
        return i == size_b && !a[i];
}

static bool has_name(const CpuFeatureFact *feature, const char *name)
{
        if (is_same_name(name, feature->name, strlen(feature->name)))
                return true;
        for (const char *other = feature->other_names; other && *other;) {
                size_t size = strcspn(other, " ");

                if (is_same_name(name, other, size))
                        return true;
                other += size + strspn(other + size, " ");
        }
        return false;
}

int cpu_feature_find(const char *name)
{
        for (unsigned i = 0; i < cpu_n_features; i++)
                if (has_name(&cpu_features[i], name))
                        return (int)i;
        return -1;
}

int cpu_model_find(const char *name)
{
        for (unsigned i = 0; i < cpu_n_models; i++)
                if (strcmp(cpu_models[i].name, name) == 0)
                        return (int)i;
        return -1;
}

const CpuVendorFact *cpu_vendor_find(const char *name)
{
        for (unsigned i = 0; i < cpu_n_vendors; i++)
                if (strcmp(cpu_vendors[i].name, name) == 0)
                        return &cpu_vendors[i];
        return NULL;
}

const CpuVendorFact *cpu_vendor_find_id(const char *id)
{
        for (unsigned i = 0; i < cpu_n_vendors; i++)
                if (strcmp(cpu_vendors[i].id, id) == 0)
                        return &cpu_vendors[i];
        return NULL;
}

static void apply_changes(CpuSet *set, const char *changes)
{
        g_auto(GStrv) words = g_strsplit(changes, " ", -1);

        for (char **word = words; *word; word++) {
                bool is_less = **word == '-';
                int feature = cpu_feature_find(*word + is_less);

                g_assert(feature >= 0); /* the table's own */
                if (is_less)
                        cpu_set_remove(set, (unsigned)feature);
                else
                        cpu_set_add(set, (unsigned)feature);
        }
}

const CpuSet *cpu_model_features(unsigned model)
{
        static CpuSet *sets; /* of all models: worked out from the table by the first who asks */

        if (!sets) {
                g_assert(cpu_n_features <= CPU_FEATURES_MAX);
                sets = g_new0(CpuSet, cpu_n_models);
                for (unsigned i = 0; i < cpu_n_models; i++) {
                        if (cpu_models[i].base)
                                sets[i] = sets[cpu_model_find(cpu_models[i].base)];
                        apply_changes(&sets[i], cpu_models[i].changes);
                }
        }
        return &sets[model];
}

bool cpu_model_is(unsigned model, const CpuProcessor *processor)
{
        g_auto(GStrv) words =
                g_strsplit(cpu_models[model].signatures ? cpu_models[model].signatures : "", " ", -1);

        for (char **word = words; processor->has_signature && *word; word++) {
                unsigned family = 0, number = 0, first = 0, last = 15;

                if (sscanf(*word, "%u:%u:%u-%u", &family, &number, &first, &last) >= 2 &&
                    family == processor->family && number == processor->model &&
                    first <= processor->stepping && processor->stepping <= last)
                        return true;
        }
        return false;
}
