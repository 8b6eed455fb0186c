/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* QEMU's events that change no state and become one signal each. */

#include "drivers/qemu/machine.h"

/* True if the event is one of these (whatever its arguments are worth). */
bool notice_handle(Domain *domain, const char *event, json_t *arguments);

/* A machine's user network, by the name of its netdev, is gone. */
void notice_lost_network(Domain *domain, const char *netdev);

/* Takes the floating tuple over. */
void notice_raise(Domain *domain, const char *member, GVariant *arguments);
