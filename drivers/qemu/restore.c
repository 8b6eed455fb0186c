/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/restore.h"
#include "drivers/qemu/define.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/save-file.h"
#include "drivers/qemu/save.h"
#include "drivers/qemu/start.h"
#include <string.h>

/* virDomainSaveRestoreFlags. */
enum {
        RESTORE_BYPASS_CACHE = 1 << 0,
        RESTORE_RUNNING = 1 << 1,
        RESTORE_PAUSED = 1 << 2,
        RESTORE_RESET_NVRAM = 1 << 3,
};

static int check_flags(const char *operation, uint32_t flags, Error *error)
{
        int r;

        if (flags & (RESTORE_BYPASS_CACHE | RESTORE_RESET_NVRAM))
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "%s: the QEMU driver reads by the cache of the host, and the firmware's "
                                 "variables are in the memory: BYPASS_CACHE (1) and RESET_NVRAM (8) are not "
                                 "supported",
                                 operation);
        r = error_check_flags(error, operation, flags, RESTORE_RUNNING | RESTORE_PAUSED);
        if (r >= 0 && flags & RESTORE_RUNNING && flags & RESTORE_PAUSED)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "%s: RUNNING (2) excludes PAUSED (4)",
                              operation);
        return r;
}

/* An open file and what is in it. */
typedef struct Image {
        int fd;
        SaveFile file;
        DomainDefinition *definition;
} Image;

static void image_clear(Image *image)
{
        closep(&image->fd);
        save_file_clear(&image->file);
        domain_definition_free(image->definition);
}

/* The file is reached as a machine of the caller's would reach it. */
static int image_open(Call *call, const char *path, bool is_writable, Image *image, Error *error) AWAITS
{
        DomainDefinition *nothing = struct_new(&domain_definition_type);
        _cleanup_(domain_unrefp) Domain *of_caller = NULL;
        int r;

        nothing->name = g_strdup("");
        of_caller = machine_new(call->driver, nothing, call->owner);
        if (!g_path_is_absolute(path))
                return error_set(error, ERROR_INVALID_ARGUMENT, "'%s' is no absolute path", path);
        image->fd = owner_files_open(of_caller, path, is_writable, error);
        if (image->fd < 0)
                return image->fd;
        r = save_file_read(image->fd, &image->file, error);
        if (r >= 0)
                r = domain_definition_parse(image->file.xml, strlen(image->file.xml), DEFINITION_INACTIVE,
                                            &image->definition, error);
        if (r < 0)
                error_prefix(error, "%s", path);
        return r;
}

int qemu_connect_domain_save_image_get_xml_desc(Call *call, const char *file, uint32_t flags, char **ret_xml,
                                                Error *error)
{
        _cleanup_(image_clear) Image image = { .fd = -EBADF };
        int r = error_check_flags(error, "DomainSaveImageGetXMLDesc", flags, DEFINITION_SECURE);

        if (r >= 0)
                r = image_open(call, file, false, &image, error);
        if (r >= 0)
                *ret_xml = domain_definition_format(image.definition, DEFINITION_INACTIVE | flags);
        return r;
}

int qemu_connect_domain_save_image_define_xml(Call *call, const char *file, const char *xml, uint32_t flags,
                                              Error *error)
{
        _cleanup_(image_clear) Image image = { .fd = -EBADF };
        _cleanup_(freep) char *text = NULL;
        int r = check_flags("DomainSaveImageDefineXML", flags, error);

        if (r >= 0)
                r = image_open(call, file, true, &image, error);
        if (r >= 0)
                r = save_check_xml(image.definition, xml, &text, error);
        if (r < 0)
                return r;
        return save_file_replace(
                image.fd, text,
                flags & RESTORE_RUNNING || (image.file.is_running && !(flags & RESTORE_PAUSED)), error);
}

/* The machine that is there, or one that is gone when it stops. */
static int find_or_make(Call *call, const DomainDefinition *definition, Domain **ret_domain,
                        bool *ret_is_new, Error *error) AWAITS
{
        Object *object = object_table_by_uuid(call->driver->objects, OBJECT_DOMAIN, definition->uuid);
        _cleanup_(object_unrefp) Object *held _unused_ = object ? object_ref(object) : NULL;
        int r = 0;

        if (!object || object->owner == call->owner)
                r = driver_authorise(call, object, OBJECT_DOMAIN, definition->name, definition->uuid, error);
        if (r < 0)
                return r;
        if (object != object_table_by_uuid(call->driver->objects, OBJECT_DOMAIN, definition->uuid))
                return error_set(error, ERROR_BUSY, "The domain with UUID %s has come or gone meanwhile",
                                 definition->uuid);
        *ret_is_new = !object;
        if (!object)
                return define_transient(call, domain_definition_copy(definition), ret_domain, error);
        if (object->owner != call->owner)
                return error_set(error, ERROR_EXISTS, "There is a domain with UUID %s already",
                                 definition->uuid);
        *ret_domain = domain_ref((Domain *)object);
        return 0;
}

int qemu_connect_domain_restore(Call *call, const char *from, const char *xml, uint32_t flags, Error *error)
{
        _cleanup_(image_clear) Image image = { .fd = -EBADF };
        _cleanup_(domain_unrefp) Domain *domain = NULL;
        _cleanup_(job_releasep) Job *job = NULL;
        bool is_new = false, is_paused;
        _cleanup_(freep) char *asked_name = NULL;
        char *text = NULL;
        int r = check_flags("DomainRestore", flags, error);

        if (r >= 0)
                r = image_open(call, from, false, &image, error);
        if (r >= 0 && xml)
                r = save_check_xml(image.definition, xml, &text, error);
        if (r < 0)
                return r;
        if (text) {
                g_free(image.file.xml);
                image.file.xml = text;
        }
        is_paused = flags & RESTORE_PAUSED || (!image.file.is_running && !(flags & RESTORE_RUNNING));
        r = find_or_make(call, image.definition, &domain, &is_new, error);
        if (r < 0)
                return r;
        asked_name = g_strdup(domain->object.name);
        r = job_take(domain->object.jobs, JOB_START, "DomainRestore", call->uid,
                     deadline_after_usec(120 * G_USEC_PER_SEC), &job, error);
        if (r >= 0 && domain->object.is_gone)
                r = error_set(error, ERROR_NO_DOMAIN, "The machine was undefined meanwhile");
        if (r >= 0)
                r = object_check_name(&domain->object, asked_name, error);
        if (r >= 0)
                r = domain_check_inactive(domain, error);
        if (r >= 0)
                r = save_start_from(domain, &image.file, image.fd, is_paused ? START_PAUSED : 0, job, error);
        if (r < 0 && job)
                job_set_error(job, error);
        if (r < 0 && is_new)
                object_table_remove(call->driver->objects, &domain->object);
        return r;
}
