/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver.h"

/* operations.c */
extern const DriverOperations qemu_operations;
extern const DriverType qemu_driver_type;
