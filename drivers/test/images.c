/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/test/images.h"
#include "drivers/test/control.h"
#include "drivers/test/define.h"
#include "drivers/test/machine.h"
#include "drivers/test/save.h"
#include "drivers/test/state.h"
#include "model/saved-definition.h"
#include <string.h>

/* What a client can leave behind. */
#define SAVED_MAX 1000

typedef struct Saved {
        char *path;
        uid_t owner;
        DomainDefinition *definition;
        bool is_running; /* how it goes on */
} Saved;

void images_release(void *data)
{
        Saved *saved = data;

        g_free(saved->path);
        domain_definition_free(saved->definition);
        g_free(saved);
}

static Saved *find(const Driver *driver, const char *path, uid_t owner)
{
        const GPtrArray *all = test_state(driver)->saved;

        for (unsigned i = 0; i < all->len; i++) {
                Saved *saved = all->pdata[i];

                if (saved->owner == owner && strcmp(saved->path, path) == 0)
                        return saved;
        }
        return NULL;
}

static int check_path(const char *path, Error *error)
{
        return g_path_is_absolute(path)
                       ? 0
                       : error_set(error, ERROR_INVALID_ARGUMENT, "'%s' is no absolute path", path);
}

static int look(const Call *call, const char *path, Saved **ret_saved, Error *error)
{
        int r = check_path(path, error);

        if (r < 0)
                return r;
        *ret_saved = find(call->driver, path, call->owner);
        return *ret_saved ? 0
                          : error_set(error, ERROR_OPERATION_FAILED,
                                      "No machine is saved in %s: the Test "
                                      "driver knows no other files",
                                      path);
}

int test_domain_save(Call *call, Domain *domain, const char *to, const char *xml, uint32_t flags,
                     Error *error)
{
        GPtrArray *all = test_state(call->driver)->saved;
        DomainDefinition *definition = NULL;
        Saved *saved = find(call->driver, to, domain->object.owner);
        int r = save_check_flags("Save", flags, error);

        if (r >= 0)
                r = check_path(to, error);
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0 && !saved && all->len >= SAVED_MAX)
                r = error_set(error, ERROR_LIMITS_EXCEEDED, "There are %d saved machines already",
                              SAVED_MAX);
        if (r >= 0 && xml)
                r = saved_definition_replace(domain->live, xml, &definition, error);
        if (r < 0)
                return r;
        if (saved)
                (void)g_ptr_array_remove(all, saved); /* it was found in it */
        saved = g_new0(Saved, 1);
        *saved = (Saved){ .path = g_strdup(to),
                          .owner = domain->object.owner,
                          .definition = definition ? definition : domain_definition_copy(domain->live),
                          .is_running = save_goes_on(domain->state == DOMAIN_STATE_RUNNING, flags) };
        g_ptr_array_add(all, saved);
        control_job_completed(domain, JOB_OPERATION_SAVE, call->job);
        machine_end(domain, SHUTOFF_REASON_SAVED, STOPPED_SAVED, call->job);
        return 0;
}

int test_connect_domain_restore(Call *call, const char *from, const char *xml, uint32_t flags, Error *error)
{
        static const MachineOrigin origin = {
                .running_reason = RUNNING_REASON_RESTORED,
                .paused_reason = PAUSED_REASON_USER,
                .started_detail = STARTED_RESTORED,
                .suspended_detail = SUSPENDED_RESTORED,
        };
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        bool is_paused;
        Saved *saved;
        int r = save_check_flags("DomainRestore", flags, error);

        if (r >= 0)
                r = look(call, from, &saved, error);
        if (r >= 0 && xml)
                r = saved_definition_replace(saved->definition, xml, &definition, error);
        if (r < 0)
                return r;
        if (!definition)
                definition = domain_definition_copy(saved->definition);
        is_paused = !save_goes_on(saved->is_running, flags);
        return define_restore(call, definition, &origin, is_paused, error);
}

int test_connect_domain_save_image_get_xml_desc(Call *call, const char *file, uint32_t flags, char **ret_xml,
                                                Error *error)
{
        Saved *saved;
        int r = error_check_flags(error, "DomainSaveImageGetXMLDesc", flags, DEFINITION_SECURE);

        if (r >= 0)
                r = look(call, file, &saved, error);
        if (r >= 0)
                *ret_xml = domain_definition_format(saved->definition, DEFINITION_INACTIVE | flags);
        return r;
}

int test_connect_domain_save_image_define_xml(Call *call, const char *file, const char *xml, uint32_t flags,
                                              Error *error)
{
        DomainDefinition *definition;
        Saved *saved;
        int r = save_check_flags("DomainSaveImageDefineXML", flags, error);

        if (r >= 0)
                r = look(call, file, &saved, error);
        if (r >= 0)
                r = saved_definition_replace(saved->definition, xml, &definition, error);
        if (r < 0)
                return r;
        domain_definition_free(saved->definition);
        saved->definition = definition;
        saved->is_running = save_goes_on(saved->is_running, flags);
        return 0;
}
