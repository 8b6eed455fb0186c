/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Questions about a definition that change nothing: what it says (natively), whether it would be taken, and
 * what it would change. */

#include "bus/call.h"
#include "bus/find.h"
#include "bus/lookup.h"
#include "bus/options.h"
#include "handlers.h"
#include <string.h>

int domain_native_get_definition(CallFrame *frame, Domain *domain, GVariant *options,
                                 GVariant **ret_definition, Error *error)
{
        static const Option known[] = { { "inactive", DEFINITION_INACTIVE, 0 }, {} };
        const DriverType *type = frame->path.driver->type;
        const DomainDefinition *definition = domain_current_definition(domain);
        _cleanup_(domain_definition_freep) DomainDefinition *shown = NULL;
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r < 0)
                return r;
        if (flags & DEFINITION_INACTIVE && domain->definition)
                definition = domain->definition;
        if (!(flags & DEFINITION_INACTIVE) && domain->live && type->show_live) {
                shown = domain_definition_copy(domain->live);
                type->show_live(domain, shown);
                definition = shown;
        }
        *ret_definition = g_variant_ref_sink(domain_definition_to_variant(definition));
        return 0;
}

static void add_problem(GVariantBuilder *problems, const char *kind, const char *what)
{
        g_variant_builder_add(problems, "(ss)", kind, what);
}

/* An error of a definition, as a problem that it has. */
static void add_error(GVariantBuilder *problems, const Error *error)
{
        bool is_of_the_host = error->code == ERROR_CONFIG_UNSUPPORTED || error->code == ERROR_NOT_SUPPORTED;

        add_problem(problems, is_of_the_host ? "unsupported" : "invalid", error->message);
}

static void add_unknown(const char *what, void *data)
{
        add_problem(data, "unknown", what);
}

/* Whether an error is about what was asked, and not about the asking. */
static bool is_an_answer(const Error *error)
{
        return error->code == ERROR_INVALID_XML || error->code == ERROR_INVALID_ARGUMENT ||
               error->code == ERROR_CONFIG_UNSUPPORTED || error->code == ERROR_NOT_SUPPORTED ||
               error->code == ERROR_OPERATION_FAILED;
}

static int list_problems(CallFrame *frame, const char *xml, GVariantBuilder *problems, Error *error) AWAITS
{
        const DriverType *type = frame->path.driver->type;
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        int r;

        r = domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);
        if (r < 0)
                return r;
        r = xml_parse(xml, strlen(xml), "domain", &document, error);
        if (r < 0)
                return r;
        struct_unknown(&domain_definition_type, xml_document_root(document), add_unknown, problems);
        if (type->prepare_domain)
                r = type->prepare_domain(frame->path.driver, definition, frame->call.owner, error);
        if (r >= 0 && type->check_domain)
                r = type->check_domain(&frame->call, definition, error);
        return r;
}

int connect_native_validate(CallFrame *frame, const char *xml, GVariant **ret_problems, Error *error)
{
        _cleanup_(error_clear) Error problem = {};
        GVariantBuilder problems;
        int r = find_check_kind(frame, OBJECT_DOMAIN, error);

        if (r < 0)
                return r;
        g_variant_builder_init(&problems, G_VARIANT_TYPE("a(ss)"));
        r = list_problems(frame, xml, &problems, &problem);
        if (r < 0 && !is_an_answer(&problem)) {
                g_variant_builder_clear(&problems);
                error_move(error, &problem);
                return r;
        }
        if (r < 0)
                add_error(&problems, &problem);
        *ret_problems = g_variant_ref_sink(g_variant_builder_end(&problems));
        return 0;
}

/* What changes something of a running machine: a path without its indices, and the methods for what is there
 * and changes, what comes, and what goes; the latter two are mostly the first one. The first row that fits
 * counts. */
typedef struct Way {
        const char *path, *change, *add, *remove;
} Way;

static const Way ways[] = {
        { "title", "SetMetadata" },
        { "description", "SetMetadata" },
        { "metadata", "SetMetadata" },
        { "current_memory_kib", "SetMemory" },
        { "current_vcpus", "SetVcpus" },
        { "blkio_tune", "SetBlockIOParameters" },
        { "memory_tune", "SetMemoryParameters" },
        { "numatune", "SetNumaParameters" },
        { "cpu_tune.vcpupins", "PinVcpu" },
        { "cpu_tune.emulatorpin", "PinEmulator" },
        { "cpu_tune.iothreadpins", "PinIOThread" },
        { "cpu_tune", "SetSchedulerParameters" },
        { "iothread_list", NULL, "AddIOThread", "DelIOThread" },
        { "perf_events", "SetPerfEvents" },
        { "devices.disks[].tune", "SetBlockIOTune" },
        { "devices.disks[].", "UpdateDevice" },
        { "devices.interfaces[].bandwidth", "SetInterfaceParameters" },
        { "devices.interfaces[].", "UpdateDevice" },
        { "devices.graphics[].", "UpdateDevice" },
        { "devices.memballoon.stats_period_sec", "SetMemoryStatsPeriod" },
        { "devices.", NULL, "AttachDevice", "DetachDevice" },
};

/* "devices.disks[].target"; the caller frees. */
static char *without_indices(const char *path)
{
        GString *text = g_string_new(NULL);

        for (const char *at = path; *at; at++) {
                if (at > path && at[-1] == '[')
                        at += strspn(at, "0123456789");
                g_string_append_c(text, *at);
        }
        return g_string_free(text, FALSE);
}

static const char *way_find(const StructChange *change)
{
        _cleanup_(freep) char *path = without_indices(change->path);

        for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
                const Way *way = &ways[i];

                if (!g_str_has_prefix(path, way->path))
                        continue;
                if (change->kind == CHANGE_ADDED && way->add)
                        return way->add;
                return change->kind == CHANGE_REMOVED && way->remove ? way->remove : way->change;
        }
        return NULL;
}

typedef struct Plan {
        const CallFrame *frame;
        const Domain *domain;
        GVariantBuilder entries;
} Plan;

static void plan_add(Plan *plan, const char *path, const char *kind, const char *why)
{
        g_variant_builder_add(&plan->entries, "(sss)", path, kind, why);
}

static const char *wait_reason(const StructChange *change)
{
        return change->is_abi ? "the guest would see another machine"
                              : "nothing changes it in a running machine";
}

static void plan_change(const StructChange *change, void *data)
{
        Plan *plan = data;
        _cleanup_(error_clear) Error reason = {};
        _cleanup_(freep) char *why = NULL;
        const InterfaceMethod *method = NULL;
        const char *way = change->is_tunable ? way_find(change) : NULL;

        if (strcmp(change->path, "uuid") == 0 || strcmp(change->path, "name") == 0)
                return; /* said already */
        if (!domain_is_active(plan->domain)) {
                plan_add(plan, change->path, "next-start", "the machine does not run");
                return;
        }
        if (way)
                method = interface_find_method("org.libvirt.Domain", way, OBJECT_DOMAIN);
        if (!method) {
                plan_add(plan, change->path, "next-start", wait_reason(change));
        } else if (call_operation_check(plan->frame, method, &reason) < 0) {
                plan_add(plan, change->path, "next-start", reason.message);
        } else {
                why = g_strdup_printf("org.libvirt.Domain.%s does it", way);
                plan_add(plan, change->path, "live", why);
        }
}

/* Who the machine is does not change by a definition. */
static void plan_identity(Plan *plan, DomainDefinition *definition)
{
        const Object *object = &plan->domain->object;

        if (!definition->uuid[0]) {
                plan_add(plan, "uuid", "refused", "without one the definition is of a new machine");
                g_strlcpy(definition->uuid, object->uuid, sizeof definition->uuid);
        } else if (strcmp(definition->uuid, object->uuid) != 0) {
                plan_add(plan, "uuid", "refused", "the definition is of another machine");
        }
        if (strcmp(definition->name, object->name) != 0)
                plan_add(plan, "name", "refused", "org.libvirt.Domain.Rename gives another name");
}

/* What runs, without what belongs to the run alone. */
static int settled_definition(const Domain *domain, DomainDefinition **ret_definition, Error *error)
{
        _cleanup_(freep) char *xml = domain_definition_format(domain_current_definition(domain),
                                                              DEFINITION_INACTIVE | DEFINITION_SECURE);

        return domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, ret_definition, error);
}

int domain_native_plan(CallFrame *frame, Domain *domain, const char *xml, GVariant **ret_plan, Error *error)
{
        const Driver *driver = frame->path.driver;
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL, *now = NULL;
        _cleanup_(error_clear) Error refusal = {};
        Plan plan = { .frame = frame, .domain = domain };
        int r;

        r = domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);
        if (r >= 0)
                r = settled_definition(domain, &now, error);
        if (r < 0)
                return r;
        g_variant_builder_init(&plan.entries, G_VARIANT_TYPE("a(sss)"));
        plan_identity(&plan, definition);
        /* It may name any emulator, which runs to be asked: with the rights of who named it. */
        r = driver->type->prepare_domain
                    ? driver->type->prepare_domain(driver, definition, frame->call.owner, &refusal)
                    : 0;
        if (r < 0)
                plan_add(&plan, "", "refused", refusal.message);
        else
                struct_changes(&domain_definition_type, now, definition, plan_change, &plan);
        *ret_plan = g_variant_ref_sink(g_variant_builder_end(&plan.entries));
        return 0;
}
