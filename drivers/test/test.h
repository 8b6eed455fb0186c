/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver.h"

/* operations.c */
extern const DriverOperations test_operations;
/* driver.c */
extern const DriverType test_driver_type;
