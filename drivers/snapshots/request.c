/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/snapshots/request.h"
#include <string.h>

int snapshot_request_check_flags(uint32_t flags, Error *error)
{
        static const struct {
                uint32_t flag, needs;
                const char *text;
        } needed[] = {
                { CREATE_CURRENT, CREATE_REDEFINE, "CURRENT (2) needs REDEFINE (1)" },
                { CREATE_QUIESCE, CREATE_DISK_ONLY, "QUIESCE (64) needs DISK_ONLY (16)" },
        };
        static const struct {
                uint32_t flags;
                const char *text;
        } excluded[] = {
                { CREATE_REDEFINE | CREATE_NO_METADATA, "REDEFINE (1) excludes NO_METADATA (4)" },
                { CREATE_REDEFINE | CREATE_HALT, "REDEFINE (1) excludes HALT (8)" },
                { CREATE_REDEFINE | CREATE_LIVE, "REDEFINE (1) excludes LIVE (256)" },
                { CREATE_DISK_ONLY | CREATE_LIVE, "DISK_ONLY (16) excludes LIVE (256)" },
        };
        int r = error_check_flags(error, "SnapshotCreateXML", flags, CREATE_ALL);

        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(needed); i++)
                if (flags & needed[i].flag && !(flags & needed[i].needs))
                        r = error_set(error, ERROR_INVALID_ARGUMENT, "SnapshotCreateXML: %s",
                                      needed[i].text);
        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(excluded); i++)
                if ((flags & excluded[i].flags) == excluded[i].flags)
                        r = error_set(error, ERROR_INVALID_ARGUMENT, "SnapshotCreateXML: %s",
                                      excluded[i].text);
        return r;
}

/* As it would be defined: without what belongs to the run alone. */
static int copy_inactive(const DomainDefinition *definition, DomainDefinition **ret, Error *error)
{
        _cleanup_(freep) char *xml =
                domain_definition_format(definition, DEFINITION_INACTIVE | DEFINITION_SECURE);

        return domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, ret, error);
}

static SnapshotState state_of(const Domain *domain)
{
        switch (domain->state) {
        case DOMAIN_STATE_RUNNING:
                return SNAPSHOT_RUNNING;
        case DOMAIN_STATE_PAUSED:
                return SNAPSHOT_PAUSED;
        case DOMAIN_STATE_PMSUSPENDED:
                return SNAPSHOT_PMSUSPENDED;
        case DOMAIN_STATE_CRASHED:
                return SNAPSHOT_CRASHED;
        case DOMAIN_STATE_SHUTDOWN:
                return SNAPSHOT_SHUTDOWN;
        default:
                return SNAPSHOT_SHUTOFF;
        }
}

int snapshot_request_set_domains(SnapshotDefinition *definition, const Domain *domain, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *now = NULL, *next = NULL;
        int r = copy_inactive(domain_current_definition(domain), &now, error);

        if (r >= 0 && domain_is_active(domain))
                r = copy_inactive(domain->definition, &next, error);
        if (r >= 0)
                snapshot_definition_set_domain(definition, TAKE_PTR(now), TAKE_PTR(next));
        return r;
}

int snapshot_request_decide(SnapshotDefinition *definition, const Domain *domain, uint32_t flags,
                            DiskSnapshot *ret_usual, Error *error)
{
        bool is_disk_only = flags & CREATE_DISK_ONLY;

        definition->state = is_disk_only && domain_is_active(domain) ? SNAPSHOT_DISK_ONLY : state_of(domain);
        if (definition->memory > DISK_SNAPSHOT_NO && (is_disk_only || !domain_is_active(domain)))
                return error_set(error, ERROR_INVALID_ARGUMENT, "There is no memory to be saved: %s",
                                 is_disk_only ? "flag DISK_ONLY (16) leaves it out"
                                              : "the machine does not run");
        if (definition->memory == DISK_SNAPSHOT_NO && domain_is_active(domain) && !is_disk_only)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "A snapshot of a running machine without memory needs flag DISK_ONLY (16)");
        if (flags & CREATE_LIVE && definition->memory != DISK_SNAPSHOT_EXTERNAL)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "Flag LIVE (256) is for memory that is written to a file of its own");
        *ret_usual = is_disk_only || definition->memory == DISK_SNAPSHOT_EXTERNAL ? DISK_SNAPSHOT_EXTERNAL
                                                                                  : DISK_SNAPSHOT_INTERNAL;
        if (definition->memory == DISK_SNAPSHOT_DEFAULT)
                definition->memory = domain_is_active(domain) && !is_disk_only ? DISK_SNAPSHOT_INTERNAL
                                                                               : DISK_SNAPSHOT_NO;
        return 0;
}
