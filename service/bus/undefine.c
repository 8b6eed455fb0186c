/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Undefine of org.virtbus1.Domain, and what it would do. */

#include "objects/undefine.h"
#include "bus/call.h"
#include "bus/options.h"
#include "handlers.h"
#include "objects/snapshot.h"

/* What the daemon keeps for the machine goes with it unless the caller says otherwise. */
static int read_flags(GVariant *options, uint32_t *ret_flags, Error *error)
{
        /* Of those that are no TPM's, the bits of what is not to go. */
        static const Option known[] = {
                { "managed-save", 0, UNDEFINE_MANAGED_SAVE },
                { "snapshots-metadata", 0, UNDEFINE_SNAPSHOTS_METADATA },
                { "nvram", 0, UNDEFINE_NVRAM },
                { "checkpoints-metadata", 0, UNDEFINE_CHECKPOINTS_METADATA },
                { "tpm", UNDEFINE_TPM, UNDEFINE_KEEP_TPM },
                {},
        };
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r < 0)
                return r;
        flags ^= UNDEFINE_MANAGED_SAVE | UNDEFINE_SNAPSHOTS_METADATA | UNDEFINE_NVRAM |
                 UNDEFINE_CHECKPOINTS_METADATA;
        if (!(flags & UNDEFINE_NVRAM))
                flags |= UNDEFINE_KEEP_NVRAM;
        *ret_flags = flags;
        return 0;
}

int domain_native_undefine(CallFrame *frame, Domain *domain, GVariant *options, Error *error)
{
        const DriverOperations *operations = frame->path.driver->operations;
        uint32_t flags;
        int r = read_flags(options, &flags, error);

        if (r < 0)
                return r;
        return operations->domain.undefine(&frame->call, domain, flags, error);
}

static void add(GVariantBuilder *things, const char *kind, const char *what, const char *fate)
{
        _cleanup_(freep) char *text = g_utf8_make_valid(what, -1);

        g_variant_builder_add(things, "(sss)", kind, text, fate);
}

static void add_disks(GVariantBuilder *things, const DomainDefinition *definition)
{
        LIST_FOREACH (disk, definition->devices.disks) {
                const char *path = disk->source.file ? disk->source.file : disk->source.dev;

                if (!disk_source_is_empty(&disk->source))
                        add(things, "disk", path ? path : disk->target, "kept");
        }
}

int domain_native_plan_undefine(CallFrame *frame, Domain *domain, GVariant *options, GVariant **ret_things,
                                Error *error)
{
        const DriverType *type = frame->path.driver->type;
        DomainKept kept = {};
        GVariantBuilder things;
        uint32_t flags;
        int r = read_flags(options, &flags, error);

        if (r >= 0)
                r = domain_check_persistent(domain, error);
        if (r >= 0 && type->find_kept)
                r = type->find_kept(&frame->call, domain, &kept, error);
        if (r < 0)
                return r;
        _cleanup_(freep) char *variables = kept.variables, *tpm = kept.tpm;
        r = call_require_object(frame, error);
        if (r >= 0)
                r = domain_check_persistent(domain, error);
        if (r < 0)
                return r;
        g_variant_builder_init(&things, G_VARIANT_TYPE("a(sss)"));
        add(&things, "definition", domain->object.name, "removed");
        if (domain->has_managed_save)
                add(&things, "saved-state", "", flags & UNDEFINE_MANAGED_SAVE ? "removed" : "refused");
        for (unsigned i = 0; i < domain->snapshots->len; i++)
                add(&things, "snapshot", ((const DomainSnapshot *)domain->snapshots->pdata[i])->object.name,
                    flags & UNDEFINE_SNAPSHOTS_METADATA ? "removed" : "refused");
        if (variables)
                add(&things, "nvram", variables, flags & UNDEFINE_NVRAM ? "removed" : "kept");
        if (tpm)
                add(&things, "tpm", tpm,
                    undefine_removes_tpm(domain_current_definition(domain), flags) ? "removed" : "kept");
        add_disks(&things, domain->definition);
        *ret_things = g_variant_ref_sink(g_variant_builder_end(&things));
        return 0;
}
