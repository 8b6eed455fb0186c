/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Puts everything at and below /org/libvirt on a connection: a message bus or a peer. */

#include "core/error.h"
#include <systemd/sd-bus.h>

int dispatch_install(sd_bus *bus, Error *error);
