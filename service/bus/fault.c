/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One list for the process: it is empty except where a client is being tested. */

#include "bus/fault.h"
#include "core/await.h"
#include "core/log.h"
#include <signal.h>
#include <string.h>

#define FAULTS_MAX 256

static GPtrArray *faults; /* of Fault; NULL: nobody has asked for any */

static void release(void *data)
{
        Fault *fault = data;

        g_free(fault->error);
        g_free(fault);
}

static Fault *find(const Driver *driver, uid_t uid, const char *interface, const char *member)
{
        for (unsigned i = 0; faults && i < faults->len; i++) {
                Fault *fault = faults->pdata[i];

                if (fault->driver == driver && fault->uid == uid && strcmp(fault->member, member) == 0 &&
                    strcmp(fault->interface, interface) == 0)
                        return fault;
        }
        return NULL;
}

int fault_set(const Fault *fault, Error *error)
{
        Fault *old = find(fault->driver, fault->uid, fault->interface, fault->member);

        if (!faults)
                faults = g_ptr_array_new_with_free_func(release);
        if (old)
                (void)g_ptr_array_remove(faults, old); /* it was found in it */
        if (faults->len < FAULTS_MAX && fault->count > 0) {
                g_ptr_array_add(faults, g_memdup2(fault, sizeof *fault));
                return 0;
        }
        g_free(fault->error);
        return fault->count == 0
                       ? 0
                       : error_set(error, ERROR_LIMITS_EXCEEDED,
                                   "There are %d faults already, which nobody has met yet", FAULTS_MAX);
}

int fault_meet(const CallFrame *frame, const char *interface, const char *member, Error *error)
{
        const Driver *driver = frame->path.driver;
        Fault *fault = find(driver, frame->caller->uid, interface, member);
        _cleanup_(freep) char *text = NULL;
        uint64_t delay_usec;
        bool is_crash;

        if (!fault)
                return 0;
        text = g_strdup(fault->error);
        delay_usec = fault->delay_usec;
        is_crash = fault->is_crash;
        if (--fault->count == 0)
                (void)g_ptr_array_remove(faults, fault); /* it was found in it */
        if (delay_usec > 0 && await_until(deadline_after_usec(delay_usec)) < 0)
                return error_set(error, ERROR_CANCELLED, "%s was cancelled while it was slow", member);
        if (is_crash) {
                log_warning(driver->object.path, "the daemon ends in %s.%s, as it was told to", interface,
                            member);
                (void)raise(SIGKILL); /* nothing comes after it */
        }
        return text ? error_set(error, ERROR_OPERATION_FAILED, "%s", text) : 0;
}
