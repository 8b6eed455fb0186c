/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Services of the host on its bus. */

#include "driver.h"

/* 1 if it runs; 0 also where there is no bus of the host's. */
int host_service_is_running(const Driver *driver, const char *service, uint64_t deadline_usec,
                            Error *error) AWAITS;
/* As driver->service_call(), and the values must be of that type, "(so)" for instance. */
int host_service_ask(const Driver *driver, const ServiceMethod *method, GVariant *arguments,
                     const char *type, uint64_t deadline_usec, GVariant **ret_values, Error *error) AWAITS;
