/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Mutation that keeps XML well-formed, so that what is tried gets past the parser: elements are taken out,
 * doubled and moved, attributes added, dropped and changed. The words are those of the tables. */

#include "model/table.h"

/* A changed document in `data`, at most `max_size` bytes; its size. What is no XML is changed byte by byte.
 */
size_t mutate_xml(const StructType *language, uint8_t *data, size_t size, size_t max_size, unsigned seed);
