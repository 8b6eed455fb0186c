/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model/transfer.h"
#include <inttypes.h>

/* virDomainGetJobStatsFlags. */
enum { STATS_COMPLETED = 1 << 0, STATS_KEEP = 1 << 1 };

#define JOB_TYPE_NONE 0 /* virDomainJobType */

int transfer_check_speed(uint64_t speed_mib, Error *error)
{
        if (speed_mib > 0 && speed_mib <= TRANSFER_SPEED_MIB_MAX)
                return 0;
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%" PRIu64 " MiB/s is no speed: 1 to %" PRId64 " are, the last without a limit",
                         speed_mib, TRANSFER_SPEED_MIB_MAX);
}

int transfer_take_ended(uint32_t flags, GVariant **ended, GVariant **ret_stats, Error *error)
{
        int r = error_check_flags(error, "GetJobStats", flags, STATS_COMPLETED | STATS_KEEP);

        if (r >= 0 && flags == STATS_KEEP)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "GetJobStats: KEEP_COMPLETED (2) needs COMPLETED (1)");
        if (r < 0 || !(flags & STATS_COMPLETED))
                return r;
        *ret_stats = *ended ? g_variant_ref(*ended)
                            : g_variant_ref_sink(g_variant_new("(ia{sv})", JOB_TYPE_NONE, NULL));
        if (!(flags & STATS_KEEP))
                g_clear_pointer(ended, g_variant_unref);
        return 1;
}
