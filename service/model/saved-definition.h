/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a machine is whose memory is saved. */

#include "model/domain.h"

/* The definition that is to be in place of the one that was saved: it may differ in what the guest does not
 * see. */
int saved_definition_replace(const DomainDefinition *saved, const char *xml, DomainDefinition **ret_wanted,
                             Error *error);
