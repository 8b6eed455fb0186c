/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Secrets of a driver: definition and sealed value, stored in CONFIG/secret/UUID.xml; those that are
 * ephemeral are in memory only. A driver that has them opens them with itself and names these operations in
 * its table. */

#include "driver.h"
#include "model/domain.h"
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

/* For what the driver itself does with it: the value of the owner's secret that a definition names. It is
 * given to a private one, too, for it goes to no caller. The caller frees *ret_value, *ret_size bytes. */
int secrets_find_value(const Driver *driver, uid_t owner, const SecretReference *reference,
                       uint8_t **ret_value, size_t *ret_size, Error *error);
/* A new private secret of the caller's owner for the volume of that path, with a passphrase that nobody has
 * chosen; counted. It is in memory only until secrets_keep(), which is for when there is something that it
 * opens: a daemon that is killed before leaves no secret of nothing. */
int secrets_generate(Call *call, const char *volume_path, Secret **ret_secret, Error *error) AWAITS;
int secrets_keep(Call *call, Secret *secret, Error *error) AWAITS;
/* The UUID of the owner's secret for that volume, or NULL; borrowed. */
const char *secrets_find_for_volume(const Driver *driver, uid_t owner, const char *volume_path);
/* Wipes and frees. */
void secrets_value_free(uint8_t *value, size_t size);
