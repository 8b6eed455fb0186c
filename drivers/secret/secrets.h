/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Secrets of a driver: definition and sealed value, stored in CONFIG/secret/UUID.xml; those that are
 * ephemeral are in memory only. A driver that has them opens them with itself and names these operations in
 * its table. */

#include "driver.h"
#include "objects/secret.h"

int secrets_open(Driver *driver, Error *error);
void secrets_close(Driver *driver);

/* As DriverType.define_secret. */
int secrets_define(Call *call, Secret *existing, SecretDefinition *definition, Secret **ret_secret,
                   Error *error) AWAITS;

int secrets_get_value(Call *call, Secret *secret, uint32_t flags, GVariant **ret_value, Error *error);
int secrets_get_xml_desc(Call *call, Secret *secret, uint32_t flags, char **ret_xml, Error *error);
int secrets_set_value(Call *call, Secret *secret, GVariant *value, uint32_t flags, Error *error) AWAITS;
int secrets_undefine(Call *call, Secret *secret, Error *error) AWAITS;
