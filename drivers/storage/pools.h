/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Storage pools of a driver: definitions in CONFIG/storage/UUID.xml, those that are started also in
 * RUN/storage/UUID.xml. Pools of every type can be defined; backend.h says what each can do. A driver that
 * has them opens them with itself and names these operations (and those of volumes.h) in its table. */

#include "driver.h"
#include "objects/storage.h"

int pools_open(Driver *driver, Error *error);
/* Starts those that were started before the daemon ended and, once after the host's boot, those that start
 * by themselves. */
void pools_run(Driver *driver) AWAITS;
void pools_close(Driver *driver);

/* As DriverType.define_storage_pool, create_storage_pool. */
int pools_define(Call *call, StoragePool *existing, StoragePoolDefinition *definition,
                 StoragePool **ret_pool, Error *error) AWAITS;
int pools_create_transient(Call *call, StoragePool *existing, StoragePoolDefinition *definition,
                           uint32_t flags, StoragePool **ret_pool, Error *error) AWAITS;

int pools_find_sources(Call *call, const char *type, const char *spec, uint32_t flags, char **ret_xml,
                       Error *error) AWAITS;
/* Whether both stand on the same device, volume group, folder of a server ...; false where nobody can tell.
 */
bool pools_have_same_source(const StoragePoolDefinition *a, const StoragePoolDefinition *b);
int pools_build(Call *call, StoragePool *pool, uint32_t flags, Error *error) AWAITS;
int pools_create(Call *call, StoragePool *pool, uint32_t flags, Error *error) AWAITS;
int pools_delete(Call *call, StoragePool *pool, uint32_t flags, Error *error) AWAITS;
int pools_destroy(Call *call, StoragePool *pool, Error *error) AWAITS;
int pools_get_info(Call *call, StoragePool *pool, GVariant **ret_info, Error *error) AWAITS;
int pools_get_xml_desc(Call *call, StoragePool *pool, uint32_t flags, char **ret_xml, Error *error) AWAITS;
int pools_refresh(Call *call, StoragePool *pool, uint32_t flags, Error *error) AWAITS;
int pools_set_autostart(Call *call, StoragePool *pool, bool value, Error *error) AWAITS;
int pools_undefine(Call *call, StoragePool *pool, Error *error) AWAITS;
