/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which of the kernel's drivers has a PCI device. `path` is its folder in /sys. */

#include "core/error.h"

/* Gives it to `driver`, and back to the one that had it if that does not take it. */
int pci_bind(const char *path, const char *driver, Error *error) AWAITS;
/* Lets the kernel choose a driver. */
int pci_release(const char *path, Error *error) AWAITS;
/* By the function that the device has for it. */
int pci_reset(const char *path, Error *error) AWAITS;
