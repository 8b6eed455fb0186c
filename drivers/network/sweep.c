/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls are answered meanwhile: whose something is, is asked anew before anything is done with it. */

#include "drivers/network/sweep.h"
#include "core/fiber.h"
#include "core/job.h"
#include "core/log.h"
#include "drivers/network/bridge.h"
#include "drivers/network/dnsmasq.h"
#include "drivers/network/host-lock.h"
#include <net/if.h>
#include <string.h>
#include <unistd.h>

/* Up, on its way up, or left as it is because it could not be taken back. */
static bool is_kept(const char *uuid, void *data)
{
        const Driver *driver = data;
        const VirtualNetwork *network =
                (VirtualNetwork *)object_table_by_uuid(driver->objects, OBJECT_NETWORK, uuid);

        if (!driver->networks)
                return true; /* the daemon ends */
        for (unsigned i = 0; i < driver->networks->up->len; i++)
                if (strcmp(((VirtualNetwork *)driver->networks->up->pdata[i])->live->uuid, uuid) == 0)
                        return true;
        return network && network->resumed;
}

/* One that is not finished has no UUID yet. */
static bool is_kept_name(const Driver *driver, const char *name)
{
        for (unsigned i = 0; i < driver->networks->up->len; i++)
                if (g_strcmp0(((VirtualNetwork *)driver->networks->up->pdata[i])->live->bridge.name, name) ==
                    0)
                        return true;
        return false;
}

static bool is_its_own(const VirtualNetwork *network, const LeftBridge *left)
{
        return network->network.is_persistent &&
               g_strcmp0(network->definition->bridge.name, left->name) == 0;
}

/* False: it is nobody's. */
static bool adopt(Driver *driver, const LeftBridge *left) AWAITS
{
        VirtualNetwork *network =
                (VirtualNetwork *)object_table_by_uuid(driver->objects, OBJECT_NETWORK, left->uuid);
        _cleanup_(object_unrefp) Object *object = network ? object_ref(&network->network.object) : NULL;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(job_releasep) Job *job = NULL;
        int r;

        if (!network || !is_its_own(network, left))
                return false;
        r = job_take(object->jobs, JOB_START, "what was left of it", (uid_t)-1, DEADLINE_NEVER, &job,
                     &error);
        if (r < 0 || object->is_gone || network->network.is_active || network->resumed ||
            if_nametoindex(left->name) == 0)
                return true; /* somebody was faster */
        if (!is_its_own(network, left))
                return false; /* it is defined with another bridge by now */
        log_info(object->path,
                 "the bridge of network %s is there, and nothing tells that it is up: it comes up",
                 object->name);
        dnsmasq_end_unknown(left->uuid, driver->networks->dnsmasq_path,
                            driver->networks->dnsmasq_uid); /* it may be of another definition */
        r = active_start(network, network->definition, &error);
        if (r >= 0)
                active_announce(&network->network, EVENT_STARTED);
        else
                log_warning(object->path, "network %s does not come up: %s", object->name, error.message);
        job_set_error(job, &error);
        return true;
}

static void sweep_bridge(Driver *driver, const LeftBridge *left) AWAITS
{
        _cleanup_(error_clear) Error error = {};
        int r;

        if (*left->uuid ? is_kept(left->uuid, driver) || adopt(driver, left)
                        : is_kept_name(driver, left->name))
                return;
        r = bridge_remove(left, &error);
        if (r < 0)
                log_warning(driver->object.path, "%s", error.message);
        else if (r > 0)
                log_info(driver->object.path,
                         "bridge %s was left of a network that is no more: it is removed", left->name);
}

void networks_sweep(Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *bridges = NULL;
        _cleanup_(error_clear) Error error = {}, rules_error = {};

        if (geteuid() != 0 || !driver->config->is_system || driver->type->is_in_memory)
                return;
        if (host_lock_claim(driver->config, &error) < 0 || bridge_list(&bridges, &error) < 0)
                log_warning(driver->object.path, "%s", error.message);
        for (unsigned i = 0; bridges && i < bridges->len && driver->networks; i++)
                sweep_bridge(driver, bridges->pdata[i]);
        if (!bridges)
                return;
        if (driver->networks)
                dnsmasq_end_others(driver->networks->dnsmasq_path, driver->networks->dnsmasq_uid, is_kept,
                                   driver);
        if (driver->networks && driver->networks->up->len == 0 && active_set_rules(driver, &rules_error) < 0)
                log_debug(driver->object.path, "rules may be left: %s", rules_error.message);
}
