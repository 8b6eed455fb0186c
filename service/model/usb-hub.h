/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tree of USB ports: a controller is a hub at its root, hubs are plugged into hubs. Ports are named by
 * their way from the root, "1.4.2", at most USB_HUB_DEPTH numbers long. */

#include "core/error.h"

enum { USB_HUB_DEPTH = 4, USB_HUB_PORTS = 8 };

typedef struct UsbHub UsbHub;

UsbHub *usb_hub_new(uint32_t ports);
UsbHub *usb_hub_free(UsbHub *hub);
DEFINE_CLEANUP(UsbHub, usb_hub_free)

/* Takes a port; with_hub: another hub hangs there. */
int usb_hub_reserve(UsbHub *root, const char *port, bool with_hub, Error *error);
/* Takes the nearest port that is free and gives its name, which the caller frees; NULL: there is none. */
char *usb_hub_reserve_next(UsbHub *root, bool with_hub);
