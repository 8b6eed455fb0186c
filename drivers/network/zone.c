/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* firewalld goes by names: a device need not be there to be in a zone, and one that is gone stays in it. */

#include "drivers/network/zone.h"
#include "drivers/host/host-service.h"
#include <string.h>

#define ZONES        FIREWALLD ".zone"
#define OUR_ZONE     "virtbus"             /* service/install/firewalld-zone.xml */
#define TIMEOUT_USEC (60 * G_USEC_PER_SEC) /* it answers nobody while it starts */
#define METHOD(name)                                                                                        \
        &(const ServiceMethod)                                                                              \
        {                                                                                                   \
                FIREWALLD, FIREWALLD_PATH, ZONES, name                                                      \
        }

static int check_running(const Driver *driver, const NetworkDefinition *definition, Error *error) AWAITS
{
        int r;

        if (!driver->service_call)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "network '%s': its zone '%s' is one of firewalld, which is on the bus of "
                                 "the system, where this daemon is not",
                                 definition->name, definition->bridge.zone);
        r = host_service_is_running(driver, FIREWALLD, deadline_after_usec(TIMEOUT_USEC), error);
        return r != 0 ? MIN(r, 0)
                      : error_set(error, ERROR_OPERATION_FAILED,
                                  "network '%s': its zone '%s' is one of firewalld, which does not run",
                                  definition->name, definition->bridge.zone);
}

/* The caller frees. */
static int list_zones(const Driver *driver, char ***ret_zones, Error *error) AWAITS
{
        _cleanup_(g_variant_unrefp) GVariant *reply = NULL;
        int r = host_service_ask(driver, METHOD("getZones"), NULL, "(as)", deadline_after_usec(TIMEOUT_USEC),
                                 &reply, error);

        if (r >= 0)
                g_variant_get(reply, "(^as)", ret_zones);
        return r;
}

int zone_check(const Driver *driver, const NetworkDefinition *definition, Error *error)
{
        _cleanup_(strvp) char **zones = NULL;
        _cleanup_(freep) char *text = NULL;
        int r = check_running(driver, definition, error);

        if (r >= 0)
                r = list_zones(driver, &zones, error);
        if (r < 0)
                return r;
        if (g_strv_contains((const char *const *)zones, definition->bridge.zone))
                return 0;
        text = g_strjoinv(", ", zones);
        return error_set(error, ERROR_OPERATION_FAILED,
                         "network '%s': firewalld has no zone '%s'; it has %.400s", definition->name,
                         definition->bridge.zone, text);
}

static const char *zone_of(const NetworkDefinition *definition)
{
        return definition->bridge.zone ? definition->bridge.zone : OUR_ZONE;
}

/* 1: firewalld runs and has the zone that is for all networks that name none; what is not filtered at all is
 * not let through by us either. */
static int has_our_zone(const Driver *driver, const NetworkDefinition *definition, Error *error) AWAITS
{
        _cleanup_(strvp) char **zones = NULL;
        int r = network_forward_mode(definition) == FORWARD_OPEN
                        ? 0
                        : host_service_is_running(driver, FIREWALLD, deadline_after_usec(TIMEOUT_USEC),
                                                  error);

        if (r > 0)
                r = list_zones(driver, &zones, error);
        return r < 0 || !zones ? r : g_strv_contains((const char *const *)zones, OUR_ZONE);
}

int zone_enter(const Driver *driver, const NetworkDefinition *definition, Error *error)
{
        int r = definition->bridge.zone ? check_running(driver, definition, error)
                                        : has_our_zone(driver, definition, error);

        if (r < 0 || (r == 0 && !definition->bridge.zone))
                return r;
        r = driver->service_call(METHOD("changeZoneOfInterface"),
                                 g_variant_new("(ss)", zone_of(definition), definition->bridge.name),
                                 deadline_after_usec(TIMEOUT_USEC), NULL, error);
        if (r < 0)
                error_prefix(error, "network '%s': firewalld does not put '%s' into its zone '%s'",
                             definition->name, definition->bridge.name, zone_of(definition));
        return r < 0 ? r : 1;
}

int zone_leave(const Driver *driver, const NetworkDefinition *definition, Error *error)
{
        _cleanup_(g_variant_unrefp) GVariant *reply = NULL;
        const char *zone = "";
        int r = host_service_is_running(driver, FIREWALLD, deadline_after_usec(TIMEOUT_USEC), error);

        if (r > 0)
                r = host_service_ask(driver, METHOD("getZoneOfInterface"),
                                     g_variant_new("(s)", definition->bridge.name), "(s)",
                                     deadline_after_usec(TIMEOUT_USEC), &reply, error);
        if (reply)
                g_variant_get(reply, "(&s)", &zone);
        if (r >= 0 && strcmp(zone, zone_of(definition)) == 0)
                r = driver->service_call(METHOD("removeInterface"),
                                         g_variant_new("(ss)", zone, definition->bridge.name),
                                         deadline_after_usec(TIMEOUT_USEC), NULL, error);
        if (r < 0)
                error_prefix(error, "network '%s': '%s' is not taken out of the zone '%s' of firewalld",
                             definition->name, definition->bridge.name, zone_of(definition));
        return MIN(r, 0);
}
