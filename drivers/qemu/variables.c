/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The template and what a definition names are opened as every file of a machine is (owner-files.h): with
 * its owner's rights, or, for shared machines, over no link that somebody else has made. */

#include "drivers/qemu/variables.h"
#include "drivers/qemu/keep.h"
#include "drivers/qemu/owner-files.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX "_VARS.fd"

char *variables_path(const Driver *driver, const DomainDefinition *definition)
{
        _cleanup_(freep) char *name = g_strconcat(definition->name, SUFFIX, NULL);
        _cleanup_(freep) char *folder = keep_path(driver, definition->uuid, KEEP_NVRAM);

        return g_build_filename(folder, name, NULL);
}

/* A machine that was renamed has its variables under its old name. */
static int take_renamed(int folder_fd, const char *name, Error *error)
{
        _cleanup_(freep) char *old = NULL;
        int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!folder)
                closep(&fd);
        while (folder && (entry = readdir(folder))) {
                if (!g_str_has_suffix(entry->d_name, SUFFIX))
                        continue;
                g_free(old);
                old = g_strdup(entry->d_name);
        }
        if (folder)
                (void)closedir(folder); /* was only read */
        if (old && strcmp(old, name) != 0 && faccessat(folder_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
            renameat(folder_fd, old, folder_fd, name) < 0)
                return error_set_errno(error, errno, "Cannot rename the firmware variables '%s'", old);
        return 0;
}

/* For what the driver keeps itself. */
static int make_folder(const Domain *domain, const RunUser *user, const char *path, Error *error)
{
        _cleanup_(freep) char *name = g_path_get_basename(path);
        _cleanup_(closep) int folder = keep_open(
                domain, KEEP_NVRAM, owner_is_other(domain) ? user->uid : (uid_t)-1, user->gid, error);

        return folder < 0 ? folder : take_renamed(folder, name, error);
}

/* The file that the definition names, NULL: there is none, or it is no file. */
static const char *named_path(const DomainDefinition *definition)
{
        const OsNvram *nvram = definition->os.nvram;

        if (!nvram || (nvram->type != DISK_TYPE_ABSENT && nvram->type != DISK_TYPE_FILE))
                return NULL;
        return nvram->type == DISK_TYPE_FILE && nvram->source ? nvram->source->file : nvram->path;
}

/* Nor is it in a folder that is not there, or at what is no path of a file. */
static bool is_absent(int r)
{
        return r == -ENOENT || r == -ENOTDIR || r == -EBADMSG;
}

/* What the owner may not even look for the machine has not used. */
static int find(const Domain *domain, const char *path, bool *ret_found, Error *error) AWAITS
{
        _cleanup_(error_clear) Error problem = {};
        int r = owner_files_check_free(domain, path, &problem);

        *ret_found = r == -EEXIST;
        if (r >= 0 || r == -EEXIST || r == -EACCES || is_absent(r))
                return 0;
        error_move(error, &problem);
        return r;
}

static int copy_template(const Domain *domain, const char *path, bool is_reset, Error *error) AWAITS
{
        const char *template = machine_of(domain)->pending->os.nvram->template_path;
        _cleanup_(freep) char *data = NULL;
        bool is_found = false;
        size_t size;
        int r = is_reset ? 0 : find(domain, path, &is_found, error);

        if (r < 0 || is_found)
                return r;
        r = owner_files_read(domain, template, VARIABLES_MAX, &data, &size, error);
        return r < 0 ? r : owner_files_replace(domain, path, data, size, error);
}

int variables_make(const Domain *domain, const RunUser *user, bool is_reset, Error *error)
{
        const DomainDefinition *live = machine_of(domain)->pending;
        _cleanup_(freep) char *own = variables_path(domain->object.driver, live);
        const OsNvram *nvram = live->os.nvram;
        const char *path = named_path(live);
        int r = 0;

        if (!path)
                return 0;
        if (strcmp(path, own) == 0)
                r = make_folder(domain, user, path, error);
        if (r < 0)
                return r;
        if (!nvram->template_path && is_reset)
                return error_set(
                        error, ERROR_OPERATION_FAILED,
                        "There is no template for the firmware variables of the %s: <nvram> may name one",
                        object_describe(&domain->object));
        if (!nvram->template_path)
                return 0; /* QEMU says if the file is not there */
        if (g_strcmp0(nvram->template_format ? nvram->template_format : "raw",
                      nvram->format ? nvram->format : "raw") != 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The firmware variables and their template must be of one format");
        r = copy_template(domain, path, is_reset, error);
        if (r < 0)
                error_prefix(error, "The firmware variables of the %s", object_describe(&domain->object));
        if (r < 0 && !keep_is_used(domain, KEEP_NVRAM))
                (void)keep_remove(domain, KEEP_NVRAM, NULL); /* an empty folder harms nobody */
        return r;
}

int variables_take_renamed(const Domain *domain, const DomainDefinition *definition, Error *error)
{
        _cleanup_(freep) char *path = variables_path(domain->object.driver, definition),
                              *name = g_path_get_basename(path);
        _cleanup_(closep) int folder = -EBADF;

        if (!keep_is_used(domain, KEEP_NVRAM))
                return 0;
        folder = keep_open(domain, KEEP_NVRAM, (uid_t)-1, (gid_t)-1, error);
        return folder < 0 ? folder : take_renamed(folder, name, error);
}

int variables_look(const Domain *domain, const DomainDefinition *live, FirmwareVariables *ret_variables,
                   Error *error)
{
        _cleanup_(freep) char *own = variables_path(domain->object.driver, live);
        _cleanup_(volume_header_clear) VolumeHeader header = {};
        _cleanup_(error_clear) Error problem = {};
        const OsNvram *nvram = live->os.nvram;
        const bool is_unnamed = !nvram || (nvram->type == DISK_TYPE_ABSENT && !nvram->path);
        const char *path = is_unnamed ? own : named_path(live);
        uint64_t size;
        int r;

        if (live->os.firmware != OS_FIRMWARE_EFI || live->os.loader || live->os.loader_stateless == YES ||
            !path)
                return 0;
        r = strcmp(path, own) == 0 ? variables_take_renamed(domain, live, error) : 0;
        if (r < 0)
                return r;
        r = owner_files_header(domain, path, &header, &size, &problem);
        if (r == -ENOENT)
                return 0; /* they will be made */
        if (r < 0) {
                error_move(error, &problem);
                error_prefix(error, "The firmware variables");
                return r;
        }
        /* One that stands on another file, or names one, is not what a template is: its guest may have
         * written that. */
        if (strcmp(header.format, "qcow2") == 0 && !header.backing_path && !header.has_data_file &&
            !header.encrypted)
                ret_variables->qcow2_size = header.capacity;
        ret_variables->file_size = size;
        ret_variables->path = g_strdup(path);
        return 0;
}

bool variables_are_possible(const Domain *domain)
{
        return keep_is_used(domain, KEEP_NVRAM) || (domain->definition && named_path(domain->definition));
}

int variables_find(const Domain *domain, bool *ret_found, Error *error)
{
        const char *path = domain->definition ? named_path(domain->definition) : NULL;

        *ret_found = keep_is_used(domain, KEEP_NVRAM);
        return *ret_found || !path ? 0 : find(domain, path, ret_found, error);
}

int variables_find_path(const Domain *domain, char **ret_path, Error *error)
{
        const char *path = domain->definition ? named_path(domain->definition) : NULL;
        bool is_found;
        int r = variables_find(domain, &is_found, error);

        if (r < 0)
                return r;
        if (!is_found)
                *ret_path = NULL;
        else
                *ret_path = path ? g_strdup(path)
                                 : keep_path(domain->object.driver, domain->object.uuid, KEEP_NVRAM);
        return 0;
}

int variables_remove(const Domain *domain, Error *error)
{
        const char *path = domain->definition ? named_path(domain->definition) : NULL;
        _cleanup_(error_clear) Error problem = {};
        int r = path ? owner_files_remove(domain, path, &problem) : 0;

        if (r < 0 && !is_absent(r)) {
                error_move(error, &problem);
                return r;
        }
        return keep_remove(domain, KEEP_NVRAM, error);
}
