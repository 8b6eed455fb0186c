/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A table in memory: what has to outlive the daemon is in the definitions of the machines that run, by which
 * the next daemon fills it again. */

#include "drivers/host/given.h"
#include <string.h>

struct GivenState {
        GHashTable *devices; /* name -> Given */
        Condition changed;   /* one has become free */
};

typedef struct Given {
        Domain *domain; /* counted; NULL: nobody knows whose it is, or was */
        bool is_leaving, is_reserved;
} Given;

static void free_given(void *data)
{
        Given *given = data;

        domain_unref(given->domain);
        g_free(given);
}

void given_open(Driver *driver)
{
        driver->given = g_new0(struct GivenState, 1);
        driver->given->devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_given);
}

void given_close(Driver *driver)
{
        if (!driver->given)
                return;
        g_hash_table_unref(driver->given->devices);
        condition_clear(&driver->given->changed);
        g_clear_pointer(&driver->given, g_free);
}

static Given *find(const Driver *driver, const char *device)
{
        return driver->given ? g_hash_table_lookup(driver->given->devices, device) : NULL;
}

void given_note(Domain *domain, const char *device)
{
        Given *given = g_new0(Given, 1);

        given->domain = domain_ref(domain);
        g_hash_table_insert(domain->object.driver->given->devices, g_strdup(device), given);
}

int given_wait(const Driver *driver, const char *device, uint64_t deadline_usec, Error *error)
{
        int r = condition_wait(&driver->given->changed, deadline_usec);

        return r < 0 ? error_set(error, r == -ETIMEDOUT ? ERROR_TIMED_OUT : ERROR_CANCELLED,
                                 "The device %s is still on its way back to the host", device)
                     : 0;
}

int given_check_free(const Driver *driver, const char *device, Error *error)
{
        const Given *given = find(driver, device);

        if (!given)
                return 0;
        if (given->is_leaving)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The device %s is on its way back to the host", device);
        if (!given->domain)
                return error_set(
                        error, ERROR_OPERATION_INVALID,
                        "The device %s may be in use by an earlier run of some machine, of which the "
                        "daemon knows nothing else: it has to end first",
                        device);
        return error_set(error, ERROR_OPERATION_INVALID, "The device %s is in use by machine '%s'", device,
                         given->domain->object.name);
}

int given_take(Domain *domain, const char *device, uint64_t deadline_usec, Error *error)
{
        const Driver *driver = domain->object.driver;
        Given *given;

        while ((given = find(driver, device)) && given->is_leaving) {
                int r = given_wait(driver, device, deadline_usec, error);

                if (r < 0)
                        return r;
        }
        if (given && given->domain != domain)
                return given_check_free(driver, device, error);
        if (given && !given->is_reserved)
                return 1;
        given_note(domain, device);
        return 0;
}

int given_reserve(Domain *domain, const char *device, uint64_t deadline_usec, Error *error)
{
        int r = given_take(domain, device, deadline_usec, error);

        if (r == 0)
                find(domain->object.driver, device)->is_reserved = true;
        return r;
}

void given_hold(Driver *driver, const char *device)
{
        g_hash_table_insert(driver->given->devices, g_strdup(device), g_new0(Given, 1));
}

void given_leave(Driver *driver, const char *device)
{
        if (!find(driver, device))
                given_hold(driver, device);
        find(driver, device)->is_leaving = true;
}

void given_drop(Driver *driver, const char *device)
{
        if (!driver->given || !g_hash_table_remove(driver->given->devices, device))
                return;
        condition_wake_all(&driver->given->changed);
}

const Domain *given_find(const Driver *driver, const char *device)
{
        const Given *given = find(driver, device);

        return given && !given->is_leaving ? given->domain : NULL;
}

bool given_is_free(const Driver *driver, const char *device)
{
        return !find(driver, device);
}

bool given_is_held(const Driver *driver, const char *device)
{
        const Given *given = find(driver, device);

        return given && !given->domain && !given->is_leaving;
}

bool given_is_leaving(const Driver *driver, const char *device)
{
        const Given *given = find(driver, device);

        return given && given->is_leaving;
}

GPtrArray *given_list(const Domain *domain)
{
        GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter at;
        void *name, *given;

        if (!domain->object.driver->given)
                return names;
        g_hash_table_iter_init(&at, domain->object.driver->given->devices);
        while (g_hash_table_iter_next(&at, &name, &given))
                if (((Given *)given)->domain == domain && !((Given *)given)->is_leaving)
                        g_ptr_array_add(names, g_strdup(name));
        return names;
}
