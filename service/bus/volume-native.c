/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.virtbus1.StorageVolume: the operations of the other family in words, and what that family has not. */

#include "bus/call.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "bus/options.h"
#include "bus/volume-users.h"
#include "handlers.h"
#include "model/storage-volume.h"
#include "objects/storage.h"
#include <string.h>

#define OPERATIONS(frame) (&(frame)->path.driver->operations->storage_volume)

static const StorageVolume *volume_of(const Object *object)
{
        return (const StorageVolume *)object;
}

int volume_native_property_pool(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append_basic(reply, 'o', volume_of(object)->pool->object.path);
}

int volume_native_property_format(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, volume_of(object)->format);
}

int volume_native_property_capacity(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "t", volume_of(object)->capacity);
}

int volume_native_property_allocation(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "t", volume_of(object)->allocation);
}

int volume_native_property_backing_path(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, volume_of(object)->backing_path);
}

int volume_native_property_encrypted(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", (int)volume_of(object)->is_encrypted);
}

int volume_native_property_in_use_by(Object *object, sd_bus_message *reply, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *users = volume_users_list(volume_of(object));

        (void)error;
        return marshal_append_paths(reply, users);
}

int volume_native_upload(CallFrame *frame, StorageVolume *volume, int source, uint64_t offset,
                         uint64_t length, GVariant *options, uint64_t *ret_count, Error *error)
{
        static const Option known[] = { { "sparse", 1, 0 }, {} };
        const DriverType *type = frame->path.driver->type;
        uint32_t is_sparse;
        int r = options_read(options, known, &is_sparse, error);

        if (r < 0)
                return r;
        return type->upload_volume ? type->upload_volume(&frame->call, volume, source, offset, length,
                                                         is_sparse, ret_count, error)
                                   : call_not_supported(frame, error);
}

int volume_native_download(CallFrame *frame, StorageVolume *volume, int target, uint64_t offset,
                           uint64_t length, GVariant *options, uint64_t *ret_count, Error *error)
{
        static const Option known[] = { {} };
        const DriverType *type = frame->path.driver->type;
        uint32_t none;
        int r = options_read(options, known, &none, error);

        if (r < 0)
                return r;
        return type->download_volume ? type->download_volume(&frame->call, volume, target, offset, length,
                                                             ret_count, error)
                                     : call_not_supported(frame, error);
}

int volume_native_resize(CallFrame *frame, StorageVolume *volume, uint64_t capacity, GVariant *options,
                         Error *error)
{
        /* virStorageVolResizeFlags. */
        static const Option known[] = {
                { "allocate", 1 << 0, 0 }, { "delta", 1 << 1, 0 }, { "shrink", 1 << 2, 0 }, {}
        };
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r < 0)
                return r;
        return OPERATIONS(frame)->resize(&frame->call, volume, capacity, flags, error);
}

int volume_native_wipe(CallFrame *frame, StorageVolume *volume, const char *algorithm, Error *error)
{
        /* virStorageVolWipeAlgorithm. */
        static const char *const known[] = { "zero",     "nnsa",      "dod",        "bsi",    "gutmann",
                                             "schneier", "pfitzner7", "pfitzner33", "random", "trim" };

        for (uint32_t i = 0; i < G_N_ELEMENTS(known); i++)
                if (strcmp(algorithm, known[i]) == 0)
                        return OPERATIONS(frame)->wipe(&frame->call, volume, i, 0, error);
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "There is no algorithm '%s': known are zero, nnsa, dod, bsi, gutmann, schneier, "
                         "pfitzner7, pfitzner33, random and trim",
                         algorithm);
}

int volume_native_delete(CallFrame *frame, StorageVolume *volume, GVariant *options, Error *error)
{
        static const Option known[] = { { "zeroed", 1, 0 }, {} }; /* virStorageVolDeleteFlags */
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r < 0)
                return r;
        return OPERATIONS(frame)->delete (&frame->call, volume, flags, error);
}

int volume_native_get_xml(CallFrame *frame, StorageVolume *volume, GVariant *options, char **ret_xml,
                          Error *error)
{
        static const Option known[] = { {} };
        uint32_t none;
        int r = options_read(options, known, &none, error);

        if (r < 0)
                return r;
        return OPERATIONS(frame)->get_xml_desc(&frame->call, volume, 0, ret_xml, error);
}

enum {
        CLONE_PREALLOCATE = 1 << 0, /* as in virStorageVolCreateFlags */
        CLONE_REFLINK = 1 << 1,
};

static int clone_definition(const char *name, const char *format, char **ret_xml, Error *error)
{
        _cleanup_(storage_volume_definition_freep) StorageVolumeDefinition *definition =
                struct_new(&storage_volume_definition_type);
        int number = *format ? enum_from_string(&volume_format_table, format) : (int)VOLUME_FORMAT_ABSENT;

        if (number < 0)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "There is no format '%s': known are raw, qcow2, qcow, qed, vmdk, vdi, vpc "
                                 "and vhdx",
                                 format);
        definition->name = g_strdup(name);
        definition->target.format = (VolumeFormat)number;
        *ret_xml = storage_volume_definition_format(definition);
        return 0;
}

static int clone_check(const char *format, uint32_t flags, Error *error)
{
        if (*format && flags & CLONE_REFLINK)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "Clone: the option reflink shares blocks, a conversion to '%s' cannot",
                                 format);
        if (!*format && flags & CLONE_PREALLOCATE)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "Clone: the option preallocate is for conversions: a format is expected");
        return 0;
}

static int clone_make(CallFrame *frame, StorageVolume *volume, const char *xml, const char *format,
                      uint32_t flags, StorageVolume **ret_volume, Error *error) AWAITS
{
        const DriverType *type = frame->path.driver->type;

        return *format ? type->copy_volume(&frame->call, volume->pool, xml, volume, flags, ret_volume, error)
                       : type->clone_volume(&frame->call, volume->pool, xml, volume, flags & CLONE_REFLINK,
                                            ret_volume, error);
}

/* The pool's turn comes before the volume's, as in StorageVolCreateXMLFrom. */
int volume_native_clone(CallFrame *frame, StorageVolume *volume, const char *name, const char *format,
                        GVariant *options, StorageVolume **ret_volume, Error *error)
{
        static const Option known[] = { { "preallocate", CLONE_PREALLOCATE, 0 },
                                        { "reflink", CLONE_REFLINK, 0 },
                                        {} };
        const DriverType *type = frame->path.driver->type;
        _cleanup_(job_releasep) Job *job = NULL;
        _cleanup_(freep) char *xml = NULL;
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r >= 0)
                r = clone_check(format, flags, error);
        if (r >= 0)
                r = clone_definition(name, format, &xml, error);
        if (r < 0)
                return r;
        if (!type->copy_volume || !type->clone_volume)
                return call_not_supported(frame, error);
        r = call_take_job(frame, &volume->pool->object, JOB_MODIFY, frame->member, error);
        if (r >= 0)
                r = job_take(volume->object.jobs, JOB_QUERY, frame->member, frame->caller->uid,
                             frame->call.deadline_usec, &job, error);
        if (r >= 0)
                r = call_require_object(frame, error);
        return r < 0 ? r : clone_make(frame, volume, xml, format, flags, ret_volume, error);
}
