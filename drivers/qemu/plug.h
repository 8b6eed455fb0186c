/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Interfaces that are plugged into the host. */

#include "drivers/qemu/command/line.h"
#include "drivers/qemu/machine.h"
#include "drivers/qemu/user.h"

/* Makes the taps (and the like: macvtaps, passt) that the line wants and puts their descriptors where it
 * says (`fds`, from number `first_fd` on; the caller's to close). Networks that are down are brought up. The
 * names of the taps are written into `live`, the definition of the run. */
int plug_interfaces(Domain *domain, DomainDefinition *live, const CommandLine *line, const RunUser *user,
                    int *fds, unsigned first_fd, Error *error) AWAITS;
/* The interface of a machine that runs, as it was, becomes what `is` says: on another bridge or network,
 * with other filters, limits or isolation. It has its name on the host still. After a failure it is as it
 * was. */
int plug_change(Domain *domain, const DomainInterface *was, const DomainInterface *is, Error *error) AWAITS;
/* The kernel limits the interface of a machine that runs as its <bandwidth> says (without one its portgroup
 * does); if that fails, as it did. */
int plug_limit(Domain *domain, const DomainInterface *interface, Error *error) AWAITS;
/* The interfaces on networks that are pools of virtual functions have one each afterwards, which the machine
 * does not take yet (passthrough.c). */
int plug_choose_functions(Domain *domain, DomainDefinition *live, uint64_t deadline_usec,
                          Error *error) AWAITS;
int plug_choose_function(Domain *domain, DomainInterface *interface, uint64_t deadline_usec,
                         Error *error) AWAITS;
/* What the host chose for an interface that runs stays so, unless `is` says something else. */
void plug_inherit(const Domain *domain, const DomainInterface *was, DomainInterface *is);
/* DriverType.show_live. */
void qemu_show_live(const Domain *domain, DomainDefinition *shown);
/* What was shown of the interface, and is not its own, does not become so by being written back. */
void plug_forget_shown(const Domain *domain, const DomainInterface *was, DomainInterface *is);
/* The machine was taken back with its taps: its networks know of them again. */
void plug_again(Domain *domain) AWAITS;
/* The same before that, while the daemon opens: its interfaces have filters. */
void plug_resume(Domain *domain);
/* Removes, in a moment, the devices of machines that do not run: after a crash of the daemon. */
void plug_sweep(Driver *driver);
/* The same when the daemon starts; one of root's session leaves it to that of the system, unless it has
 * machines with devices or networks. */
void plug_run(Driver *driver);
/* The same when a machine with that definition (NULL: there was none) has ended. */
void plug_ended(Driver *driver, const DomainDefinition *definition);
/* The same when one interface was taken out of a machine that runs, or was not plugged in after all. */
void plug_removed(Domain *domain, const DomainInterface *interface) AWAITS;
