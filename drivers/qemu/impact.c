/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/impact.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/definitions.h"
#include <string.h>

int impact_choose(const Domain *domain, const char *operation, uint32_t known, uint32_t *flags, Error *error)
{
        int r = error_check_flags(error, operation, *flags, AFFECT_LIVE | AFFECT_CONFIG | known);

        if (!(*flags & (AFFECT_LIVE | AFFECT_CONFIG)))
                *flags |= domain_is_active(domain) ? AFFECT_LIVE : AFFECT_CONFIG;
        if (r >= 0 && *flags & AFFECT_LIVE)
                r = domain_check_active(domain, error);
        if (r >= 0 && *flags & AFFECT_CONFIG && !domain->is_persistent)
                r = error_set(error, ERROR_OPERATION_INVALID, "The %s has no persistent definition",
                              object_describe(&domain->object));
        return r;
}

const DomainDefinition *impact_definition(const Domain *domain, uint32_t flags)
{
        return flags & AFFECT_LIVE ? domain->live : domain->definition;
}

int impact_check(const DomainDefinition *definition, Error *error)
{
        _cleanup_(freep) char *xml =
                domain_definition_format(definition, DEFINITION_SECURE | DEFINITION_INACTIVE);
        _cleanup_(domain_definition_freep) DomainDefinition *read = NULL;

        return domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &read, error);
}

int impact_begin(Domain *domain, const DomainDefinition *changed, Error *error)
{
        int r = impact_check(changed, error);

        return r < 0 ? r : definitions_save(domain, changed, domain->is_autostart, error);
}

int impact_end(Domain *domain, DomainDefinition **changed, int result)
{
        _cleanup_(error_clear) Error error = {};

        if (result >= 0) {
                domain_set_definition(domain, TAKE_PTR(*changed));
                return result;
        }
        fiber_clear_cancel(); /* the old definition is written all the same */
        if (definitions_save(domain, domain->definition, domain->is_autostart, &error) < 0)
                log_error(domain->object.path,
                          "the definition of machine %s on the disk has a change that did not happen: %s",
                          domain->object.name, error.message);
        return result;
}

int impact_store(Domain *domain, DomainDefinition **changed, Error *error)
{
        int r = impact_begin(domain, *changed, error);

        return r < 0 ? r : impact_end(domain, changed, 0);
}
