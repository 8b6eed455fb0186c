/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What happens meanwhile is looked at once more afterwards: one fiber does it all. */

#include "drivers/network/zone-watch.h"
#include "core/fiber.h"
#include "core/job.h"
#include "core/log.h"
#include "drivers/network/zone.h"

static void set_problem(VirtualNetwork *network, const char *problem)
{
        g_free(network->zone_problem);
        network->zone_problem = g_strdup(problem);
        active_show_health(network);
}

static void put(VirtualNetwork *network) AWAITS
{
        Object *object = &network->network.object;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(job_releasep) Job *job = NULL;
        int r;

        if (!network->live || !network_has_own_bridge(network->live))
                return;
        r = job_take(object->jobs, JOB_MODIFY, "zone of firewalld", (uid_t)-1, DEADLINE_NEVER, &job, &error);
        if (r < 0 || !network->network.is_active || !network_has_own_bridge(network->live))
                return;
        r = zone_enter(object->driver, network->live, &error);
        network->is_in_zone = r != 0;
        if (r < 0)
                log_warning(object->path, "%s", error.message);
        set_problem(network, error.message);
}

static void put_all(Driver *driver) AWAITS
{
        while (driver->networks && driver->networks->is_zone_due) {
                _cleanup_(g_ptr_array_unrefp) GPtrArray *networks =
                        object_table_list(driver->objects, OBJECT_NETWORK);

                driver->networks->is_zone_due = false;
                for (unsigned i = 0; i < networks->len && driver->networks; i++)
                        put(networks->pdata[i]);
        }
        if (driver->networks)
                driver->networks->sets_zones = false;
}

static void put_fiber(void *data)
{
        put_all(data);
}

static void changed(void *data)
{
        Driver *driver = data;

        if (!driver->networks)
                return;
        driver->networks->is_zone_due = true;
        if (driver->networks->sets_zones)
                return;
        driver->networks->sets_zones = fiber_start("network-zones", put_fiber, driver) >= 0;
        if (!driver->networks->sets_zones)
                log_warning(driver->object.path,
                            "networks are not put into their zones of firewalld, for no fiber starts");
}

void zone_watch(Driver *driver)
{
        static const ServiceMethod reloaded = { FIREWALLD, FIREWALLD_PATH, FIREWALLD, "Reloaded" };
        _cleanup_(error_clear) Error error = {};

        if (!driver->service_watch || driver->type->is_in_memory)
                return;
        if (driver->service_watch(&reloaded, changed, driver, &error) < 0)
                log_warning(driver->object.path, "zones of networks are set when they start only: %s",
                            error.message);
        driver->networks->is_zone_due = driver->networks->sets_zones = true;
        put_all(driver);
}
