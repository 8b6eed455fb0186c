/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The private socket, RUN/socket: D-Bus from peer to peer, with the same objects and one hop less. Who
 * connects is known by the kernel. Tools that expect a message bus at the other end are answered as far as
 * they need it
 * (`busctl --address=unix:path=RUN/socket`). */

#include "core/error.h"

#define PEERS_MAX         512
#define PEERS_PER_UID_MAX 64

/* Binds the socket, replacing one that a daemon before us left, and takes connections from now on. */
int peers_listen(Error *error);
/* Ends all connections and removes the socket. */
void peers_close(void);
