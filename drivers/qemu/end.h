/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The end of a run, however it came. */

#include "drivers/qemu/machine.h"

/* Details of libvirt's lifecycle events. */
enum {
        DEFINED_ADDED = 0,
        DEFINED_UPDATED = 1,
        DEFINED_RENAMED = 2,
        DEFINED_FROM_SNAPSHOT = 3,
        UNDEFINED_REMOVED = 0,
        UNDEFINED_RENAMED = 1,
        STARTED_BOOTED = 0,
        STARTED_RESTORED = 2,
        STARTED_FROM_SNAPSHOT = 3,
        STARTED_WAKEUP = 4,
        SUSPENDED_PAUSED = 0,
        SUSPENDED_IOERROR = 2,
        SUSPENDED_WATCHDOG = 3,
        SUSPENDED_RESTORED = 4,
        SUSPENDED_FROM_SNAPSHOT = 5,
        RESUMED_UNPAUSED = 0,
        STOPPED_SHUTDOWN = 0,
        STOPPED_DESTROYED = 1,
        STOPPED_CRASHED = 2,
        STOPPED_SAVED = 4,
        STOPPED_FAILED = 5,
        STOPPED_FROM_SNAPSHOT = 6,
        SHUTDOWN_FINISHED = 0,
        SHUTDOWN_GUEST = 1,
        SHUTDOWN_HOST = 2,
        PMSUSPENDED_MEMORY = 0,
        PMSUSPENDED_DISK = 1,
        CRASHED_PANICKED = 0,
};

/* Watches the machine's process, which has just been started or taken back. */
void end_watch(Domain *domain);

/* The process is gone: lets go of the run, announces its end by machine->end, forgets a transient machine,
 * starts one anew whose definition says so. Nothing happens if the machine is off. From anywhere. */
void end_run(Domain *domain);

/* A transient machine that is off and is not started anew goes, with what the driver keeps for it. */
void end_forget(Domain *domain);

/* A QEMU that ends closes its monitor a moment before: waits for that end, for as long as a moment may last.
 * True: the run has ended. */
bool end_linger(const Domain *domain) AWAITS;
/* What the monitor calls when QEMU has hung up. */
void end_hung_up(Domain *domain);

/* What QEMU said on stderr, without blanks at its ends, valid UTF-8 or NULL; the caller frees. */
char *end_messages(const Machine *machine);
