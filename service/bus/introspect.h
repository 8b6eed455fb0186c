/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.freedesktop.DBus.Introspectable at and below /org/libvirt. */

#include <systemd/sd-bus.h>

#define INTROSPECTABLE_INTERFACE "org.freedesktop.DBus.Introspectable"

int introspect_dispatch(sd_bus_message *message);
/* Drops what is kept ready. */
void introspect_clear(void);
