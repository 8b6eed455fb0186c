/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The work is done by a shell that runs as the owner, so that a template or a file that a definition names
 * is never read or written with other rights than those. Shared machines are root's, and so is what they
 * name; only QEMU gets it opened. */

#include "drivers/qemu/variables.h"
#include "drivers/qemu/keep.h"
#include "drivers/qemu/launch.h"
#include "drivers/qemu/owner-files.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX 4096
#define SUFFIX     "_VARS.fd"

/* What the shell gets: the file ($1), the template ($2), "reset" ($3). The copy is made beside the file and
 * takes its place when it is complete; `excl` follows nothing that stands there, not even to a device, as
 * the shell's own `set -C` does. */
static const char make_script[] = "set -e\n"
                                  "umask 077\n"
                                  "[ \"$3\" = reset ] || [ ! -e \"$1\" ] || exit 0\n"
                                  "rm -f -- \"$1.new\"\n"
                                  "trap 'rm -f -- \"$1.new\"' EXIT\n"
                                  "dd \"if=$2\" \"of=$1.new\" bs=64K conv=excl,fsync status=none\n"
                                  "mv -fT -- \"$1.new\" \"$1\"\n";
static const char find_script[] = "[ ! -e \"$1\" ] || echo found\n";
static const char remove_script[] = "rm -f -- \"$1\"\n";

/* Root's own work where files are passed to QEMU. */
static bool runs_as_user(const Domain *domain, const RunUser *user)
{
        return user->is_other && !launch_passes_files(domain->object.driver, domain->object.owner);
}

static int run_script(const Domain *domain, const RunUser *user, const char *script, const char *path,
                      const char *template, const char *word, uint64_t deadline_usec, char **ret_output,
                      Error *error) AWAITS
{
        const char *const arguments[] = { "/bin/sh", "-c", script, "virtbus", path, template ? template : "",
                                          word,      NULL };
        ChildOptions options = {
                .arguments = arguments,
                .stdin_fd = -EBADF,
                .stdout_fd = -EBADF,
                .stderr_fd = -EBADF,
                .ends_with_us = true, /* or it would give a name to what the next one has just begun */
        };
        _cleanup_(freep) char *output = NULL;
        size_t size;
        int r;

        if (runs_as_user(domain, user))
                run_user_become(&options, user);
        r = child_run(&options, NULL, 0, OUTPUT_MAX, deadline_usec, &output, &size, error);
        if (r < 0)
                error_prefix(error, "The firmware variables %s", path);
        else if (ret_output)
                *ret_output = TAKE_PTR(output);
        return r;
}

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
                domain, KEEP_NVRAM, runs_as_user(domain, user) ? user->uid : (uid_t)-1, user->gid, error);

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

int variables_make(const Domain *domain, const RunUser *user, bool is_reset, uint64_t deadline_usec,
                   Error *error)
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
        r = run_script(domain, user, make_script, path, nvram->template_path, is_reset ? "reset" : "",
                       deadline_usec, NULL, error);
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

int variables_find(const Domain *domain, const RunUser *user, uint64_t deadline_usec, bool *ret_found,
                   Error *error)
{
        const char *path = domain->definition ? named_path(domain->definition) : NULL;
        _cleanup_(freep) char *output = NULL;
        int r;

        *ret_found = keep_is_used(domain, KEEP_NVRAM);
        if (*ret_found || !path)
                return 0;
        r = run_script(domain, user, find_script, path, NULL, "", deadline_usec, &output, error);
        if (r >= 0)
                *ret_found = g_str_has_prefix(output, "found");
        return r;
}

int variables_find_path(const Domain *domain, const RunUser *user, uint64_t deadline_usec, char **ret_path,
                        Error *error)
{
        const char *path = domain->definition ? named_path(domain->definition) : NULL;
        bool is_found;
        int r = variables_find(domain, user, deadline_usec, &is_found, error);

        if (r < 0)
                return r;
        if (!is_found)
                *ret_path = NULL;
        else
                *ret_path = path ? g_strdup(path)
                                 : keep_path(domain->object.driver, domain->object.uuid, KEEP_NVRAM);
        return 0;
}

int variables_remove(const Domain *domain, const RunUser *user, uint64_t deadline_usec, Error *error)
{
        const char *path = domain->definition ? named_path(domain->definition) : NULL;
        int r = 0;

        if (path)
                r = run_script(domain, user, remove_script, path, NULL, "", deadline_usec, NULL, error);
        return r < 0 ? r : keep_remove(domain, KEEP_NVRAM, error);
}
