/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What drivers tell becomes signals: PropertiesChanged, InterfacesAdded and InterfacesRemoved of the native
 * family, lifecycle events of both. In a session everybody hears them; on the bus of all users each goes to
 * those callers that may see the object it is about (bus/client.h), and to peers likewise. */

#include "driver.h"

/* A signal of the object's native interface; takes the floating tuple over. */
void signals_send_native(const Object *object, const char *member, GVariant *arguments);
/* Listens to the driver until it is freed. */
void signals_watch(Driver *driver);
