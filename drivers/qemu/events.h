/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/qmp.h"

/* What a machine's monitor tells; the data is its Machine. */
extern const QmpHandlers event_handlers;
