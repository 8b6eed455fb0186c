/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Operations of pools that are about their volumes, and those of volumes. */

#include "driver.h"
#include "objects/storage.h"

/* As DriverType.list_volumes, find_volume, copy_volume, clone_volume. */
int volumes_list(Call *call, StoragePool *pool, GPtrArray **ret_volumes, Error *error) AWAITS;
int volumes_find(Call *call, StoragePool *pool, const char *name, StorageVolume **ret_volume,
                 Error *error) AWAITS;
int volumes_copy(Call *call, StoragePool *pool, const char *xml, StorageVolume *original, uint32_t flags,
                 StorageVolume **ret_volume, Error *error) AWAITS;
int volumes_clone(Call *call, StoragePool *pool, const char *xml, StorageVolume *original, bool must_share,
                  StorageVolume **ret_volume, Error *error) AWAITS;

int volumes_create(Call *call, StoragePool *pool, const char *xml, uint32_t flags,
                   StorageVolume **ret_volume, Error *error) AWAITS;
int volumes_delete(Call *call, StorageVolume *volume, uint32_t flags, Error *error) AWAITS;
int volumes_get_info(Call *call, StorageVolume *volume, uint32_t flags, GVariant **ret_info,
                     Error *error) AWAITS;
int volumes_get_xml_desc(Call *call, StorageVolume *volume, uint32_t flags, char **ret_xml,
                         Error *error) AWAITS;
int volumes_resize(Call *call, StorageVolume *volume, uint64_t capacity, uint32_t flags,
                   Error *error) AWAITS;
int volumes_wipe(Call *call, StorageVolume *volume, uint32_t pattern, uint32_t flags, Error *error) AWAITS;
