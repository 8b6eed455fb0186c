/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/cleanup.h"

#define UUID_STRING_MAX 37

/* Reads 32 hexadecimal digits, with dashes anywhere between them, as libvirt does; writes the usual form in
 * lower case. False, and nothing written, if the text is none. */
bool uuid_parse(const char *text, char ret_uuid[static UUID_STRING_MAX]);
