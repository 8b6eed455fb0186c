/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* Locks an open image for as long as it or a copy of the descriptor is open, by locks that QEMU heeds: a
 * reader keeps writers away, a writer keeps all away. -ETXTBSY: somebody uses it otherwise. */
int image_lock(int file, bool is_writing);
