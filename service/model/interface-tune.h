/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much may go through one interface of a machine, as a dictionary of type a{sv} with libvirt's keys. */

#include "model/domain.h"

/* By its device on the host or its hardware address; NULL: there is none. */
DomainInterface *interface_tune_find(const DomainDefinition *definition, const char *name);

/* All keys; NULL: no limits. Floating. */
GVariant *interface_tune_tell(const Bandwidth *bandwidth);
/* The interface's limits with the values in them, NULL if none is left. An average of 0 takes a direction's
 * limit away. */
int interface_tune_take(const DomainInterface *interface, GVariant *values, Bandwidth **ret_bandwidth,
                        Error *error);
