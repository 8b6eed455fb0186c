/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Those that need no server one after the other, then all others at the same time: a server that is gone
 * answers late, and keeps nobody waiting but its own pool. */

#include "drivers/storage/restart.h"
#include "core/fiber.h"

typedef struct Starts {
        unsigned refs; /* of whoever waits, and of each that is under way */
        bool is_boot;
        PoolStart *start;
        Condition ended;
} Starts;

typedef struct Start {
        Starts *starts;
        Pool *pool; /* counted */
} Start;

static void starts_unref(Starts *starts)
{
        if (--starts->refs > 0)
                return;
        condition_clear(&starts->ended);
        g_free(starts);
}

static void starts_unrefp(Starts **starts)
{
        starts_unref(*starts);
}

static void start_fiber(void *data)
{
        _cleanup_(freep) Start *one = data;

        one->starts->start(one->pool, one->starts->is_boot);
        object_unref(&one->pool->pool.object);
        condition_wake_all(&one->starts->ended);
        starts_unref(one->starts);
}

static void start_beside(Starts *starts, Pool *pool) AWAITS
{
        Start *one = g_new(Start, 1);

        *one = (Start){ starts, pool };
        starts->refs++;
        object_ref(&pool->pool.object);
        if (fiber_start("storage pool", start_fiber, one) < 0)
                start_fiber(one); /* too many fibers: this one waits */
}

void restart_pools(Driver *driver, bool is_boot, PoolStart *start)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *pools =
                object_table_list(driver->objects, OBJECT_STORAGE_POOL);
        _cleanup_(starts_unrefp) Starts *starts = g_new0(Starts, 1);
        int r = 0;

        *starts = (Starts){ .refs = 1, .is_boot = is_boot, .start = start };
        for (unsigned i = 0; i < 2 * pools->len && !fiber_is_cancelled(fiber_current()); i++) {
                Pool *pool = pools->pdata[i % pools->len];
                bool needs_server = pool->definition->source.hosts.count > 0;

                if (!needs_server && i < pools->len)
                        start(pool, is_boot);
                else if (needs_server && i >= pools->len)
                        start_beside(starts, pool);
        }
        while (starts->refs > 1 && r >= 0)
                r = condition_wait(&starts->ended, DEADLINE_NEVER);
}
