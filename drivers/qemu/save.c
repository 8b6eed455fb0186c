/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The file is made under another name and gets its own when all of it is on the disk; only then the run is
 * ended. A file that was resumed from is removed after the machine counts as running and before its guest
 * does: memory that is older than the disks would destroy them. */

#include "drivers/qemu/save.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/events.h"
#include "drivers/qemu/keep.h"
#include "drivers/qemu/memory-file.h"
#include "drivers/qemu/memory-job.h"
#include "drivers/qemu/memory-stream.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/save-file.h"
#include "drivers/qemu/start.h"
#include "drivers/qemu/stop.h"
#include "model/saved-definition.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* virDomainSaveRestoreFlags. */
enum {
        SAVE_BYPASS_CACHE = 1 << 0,
        SAVE_RUNNING = 1 << 1,
        SAVE_PAUSED = 1 << 2,
        SAVE_RESET_NVRAM = 1 << 3,
};

static int check_flags(const char *operation, uint32_t flags, Error *error)
{
        int r;

        if (flags & SAVE_BYPASS_CACHE)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "%s: the QEMU driver writes by the cache of the host: BYPASS_CACHE (1) is "
                                 "not supported",
                                 operation);
        r = error_check_flags(error, operation, flags, SAVE_RUNNING | SAVE_PAUSED);
        if (r >= 0 && flags & SAVE_RUNNING && flags & SAVE_PAUSED)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "%s: RUNNING (2) excludes PAUSED (4)",
                              operation);
        return r;
}

/* Asks the guest to stand still and writes. If it fails, nothing of it is left, and the guest goes on. */
static int write_memory(Call *call, Domain *domain, int fd, const char *xml, uint32_t flags,
                        Error *error) AWAITS
{
        _cleanup_(machine_actp) Machine *acting = machine_act(domain, call->job);
        const bool was_running = domain->state == DOMAIN_STATE_RUNNING;
        const bool goes_on = flags & SAVE_RUNNING || (was_running && !(flags & SAVE_PAUSED));
        int r = save_file_begin(fd, xml, goes_on, error);

        memory_job_begin(domain, MEMORY_JOB_SAVE, "query-migrate");
        if (r >= 0)
                r = machine_check_monitor(domain, error);
        if (r >= 0 && was_running) {
                acting->pause_reason = PAUSED_REASON_SAVE;
                r = qmp_call(acting->qmp, "stop", NULL, deadline_after_usec(QMP_TIMEOUT_USEC), NULL, error);
                acting->pause_reason = 0;
        }
        if (r >= 0)
                r = memory_stream_out(domain, fd, error);
        if (r >= 0)
                r = save_file_finish(fd, error);
        if (r >= 0)
                r = memory_file_keep(domain, fd, error);
        if (r < 0)
                memory_file_give_up(domain);
        memory_job_end(domain, r, error);
        return r;
}

static int end_saved(Call *call, Domain *domain, Error *error) AWAITS
{
        int r = stop_process(domain, MACHINE_END_SAVED, call, error);

        if (r >= 0) /* else the next daemon ends it */
                memory_file_forget(domain);
        return r;
}

static char *definition_of(const Domain *domain)
{
        return domain_definition_format(domain->live, DEFINITION_INACTIVE | DEFINITION_SECURE);
}

static int check_saving(const Domain *domain, Error *error)
{
        int r = machine_check_monitor(domain, error);

        for (uint32_t i = 0; r >= 0 && i < domain->live->devices.disks.count; i++)
                if (domain->live->devices.disks.items[i]->mirror)
                        r = error_set(error, ERROR_OPERATION_INVALID,
                                      "Disk '%s' has a job, which would end with the run: it is merged or "
                                      "copied",
                                      domain->live->devices.disks.items[i]->target);
        if (r >= 0 && domain->state != DOMAIN_STATE_RUNNING && domain->state != DOMAIN_STATE_PAUSED)
                r = error_set(error, ERROR_OPERATION_INVALID, "The %s is %s: it cannot be saved",
                              object_describe(&domain->object), domain_state_to_string(domain->state));
        return r;
}

int qemu_domain_managed_save(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        _cleanup_(domain_unrefp) Domain *held _unused_ = domain_ref(domain);
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *xml = NULL;
        int r = check_flags("ManagedSave", flags, error);

        if (r >= 0)
                r = check_saving(domain, error);
        if (r >= 0 && !domain->is_persistent)
                r = error_set(error, ERROR_OPERATION_INVALID,
                              "The %s is transient: it would be gone with what was saved",
                              object_describe(&domain->object));
        if (r < 0)
                return r;
        xml = definition_of(domain); /* the run may end while we wait */
        fd = memory_file_begin(domain, NULL, true, error);
        if (fd < 0)
                return fd;
        r = write_memory(call, domain, fd, xml, flags, error);
        if (r < 0)
                return r;
        domain->has_managed_save = true;
        return end_saved(call, domain, error);
}

int save_remove(Domain *domain, Error *error)
{
        int r = domain->has_managed_save ? keep_remove(domain, KEEP_SAVE, error) : 0;

        if (r >= 0)
                domain->has_managed_save = false;
        return r;
}

int save_refuse(const Domain *domain, const char *what, Error *error)
{
        return !domain->has_managed_save
                       ? 0
                       : error_set(error, ERROR_OPERATION_INVALID,
                                   "The %s has saved memory, which goes on from its images as they are: %s "
                                   "is possible when it has been started, or after ManagedSaveRemove",
                                   object_describe(&domain->object), what);
}

int qemu_domain_managed_save_remove(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "ManagedSaveRemove", flags, 0);

        (void)call;
        if (r >= 0)
                r = keep_remove(domain, KEEP_SAVE, error); /* also what has not got its name */
        if (r >= 0)
                domain->has_managed_save = false;
        return r;
}

int qemu_domain_has_managed_save_image(Call *call, Domain *domain, uint32_t flags, bool *ret_has,
                                       Error *error)
{
        int r = error_check_flags(error, "HasManagedSaveImage", flags, 0);

        (void)call;
        if (r >= 0)
                *ret_has = domain->has_managed_save;
        return r;
}

void save_load(Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = object_table_list(driver->objects, OBJECT_DOMAIN);

        for (unsigned i = 0; i < domains->len; i++) {
                Domain *domain = domains->pdata[i];
                _cleanup_(freep) char *folder = keep_path(driver, domain->object.uuid, KEEP_SAVE),
                                      *path = g_build_filename(folder, MEMORY_FILE_OWN, NULL);

                domain->has_managed_save = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
        }
}

/* What no status tells of: the host went down meanwhile. */
static void sweep_one(const Domain *domain) AWAITS
{
        _cleanup_(freep) char *folder = keep_path(domain->object.driver, domain->object.uuid, KEEP_SAVE),
                              *part = g_build_filename(folder, MEMORY_FILE_OWN_PART, NULL);
        _cleanup_(closep) int fd =
                machine_of(domain)->memory_file ? -EBADF : open(part, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(save_file_clear) SaveFile file = {};
        int r = fd < 0 ? -ENOENT : save_file_read(fd, &file, NULL);

        if (r >= 0)
                log_warning(domain->object.path,
                            "machine %s was saved, and its memory is not what the next start goes on from: "
                            "it is left in %s",
                            domain->object.name, part);
        else if (r == SAVE_FILE_WRONG && !machine_of(domain)->memory_file)
                (void)unlink(part); /* it may be gone */
}

void save_sweep(Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = object_table_list(driver->objects, OBJECT_DOMAIN);

        for (unsigned i = 0; i < domains->len; i++)
                sweep_one(domains->pdata[i]);
}

typedef struct Source {
        int fd;
        bool is_own;
} Source;

static int load(Domain *domain, const void *data, Error *error) AWAITS
{
        return memory_stream_in(domain, ((const Source *)data)->fd, error);
}

static int loaded(Domain *domain, const void *data _unused_, Error *error) AWAITS
{
        return save_remove(domain, error);
}

static int start_from(Domain *domain, const SaveFile *file, const Source *source, uint32_t flags,
                      const Job *cause, Error *error) AWAITS
{
        const MachineOrigin origin = {
                .running_reason = RUNNING_REASON_RESTORED,
                .paused_reason = PAUSED_REASON_USER,
                .started_detail = STARTED_RESTORED,
                .suspended_detail = SUSPENDED_RESTORED,
                .is_incoming = true,
                .load = load,
                .loaded = source->is_own ? loaded : NULL,
                .data = source,
        };
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        int r = domain_definition_parse(file->xml, strlen(file->xml), DEFINITION_INACTIVE, &definition,
                                        error);

        if (r < 0)
                return r;
        g_free(definition->name); /* it may have been renamed since */
        definition->name = g_strdup(domain->object.name);
        machine_of(domain)->origin = &origin;
        r = start_machine(domain, definition, flags, cause, DEADLINE_NEVER, error);
        machine_of(domain)->origin = NULL;
        return r;
}

int save_start_from(Domain *domain, const SaveFile *file, int fd, uint32_t flags, const Job *cause,
                    Error *error)
{
        return start_from(domain, file, &(Source){ .fd = fd }, flags, cause, error);
}

static int save_resume(Domain *domain, uint32_t flags, const Job *cause, Error *error) AWAITS
{
        _cleanup_(closep) int folder = keep_open(domain, KEEP_SAVE, (uid_t)-1, (gid_t)-1, error),
                              fd = -EBADF;
        _cleanup_(save_file_clear) SaveFile file = {};
        int r;

        if (folder < 0)
                return folder;
        if (flags & (START_BYPASS_CACHE | START_RESET_NVRAM))
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The saved memory of the %s is read by the cache of the host, and has the "
                                 "firmware's variables: BYPASS_CACHE (4) and RESET_NVRAM (32) are not "
                                 "supported (flag FORCE_BOOT (8) throws it away)",
                                 object_describe(&domain->object));
        fd = openat(folder, MEMORY_FILE_OWN, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(error, errno, "Cannot open the saved memory of the %s",
                                       object_describe(&domain->object));
        r = save_file_read(fd, &file, error);
        if (r < 0) {
                error_prefix(error, "The saved memory of the %s (flag FORCE_BOOT (8) throws it away)",
                             object_describe(&domain->object));
                return r;
        }
        if (!file.is_running)
                flags |= START_PAUSED;
        return start_from(domain, &file, &(Source){ .fd = fd, .is_own = true }, flags, cause, error);
}

int save_start(Domain *domain, uint32_t flags, const Job *cause, uint64_t deadline_usec, Error *error)
{
        if (domain->has_managed_save && flags & START_FORCE_BOOT) {
                int r = save_remove(domain, error);

                if (r < 0)
                        return r;
        }
        return domain->has_managed_save
                       ? save_resume(domain, flags, cause, error)
                       : start_machine(domain, domain->definition, flags, cause, deadline_usec, error);
}

int save_check_xml(const DomainDefinition *saved, const char *xml, char **ret_xml, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *wanted = NULL;
        int r = saved_definition_replace(saved, xml, &wanted, error);

        if (r >= 0)
                *ret_xml = domain_definition_format(wanted, DEFINITION_INACTIVE | DEFINITION_SECURE);
        return r;
}

/* What stands at the path may be replaced only if it is a saved machine as well. */
static int check_target(const Domain *domain, const char *path, Error *error) AWAITS
{
        _cleanup_(closep) int fd = owner_files_open(domain, path, false, NULL);
        _cleanup_(save_file_clear) SaveFile file = {};

        if (fd == -ENOENT || (fd >= 0 && save_file_read(fd, &file, NULL) >= 0))
                return 0;
        return error_set(error, ERROR_EXISTS, "%s is there, and it is no saved machine that can be read",
                         path);
}

int qemu_domain_save(Call *call, Domain *domain, const char *to, const char *xml, uint32_t flags,
                     Error *error)
{
        _cleanup_(domain_unrefp) Domain *held _unused_ = domain_ref(domain);
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int fd = -EBADF;
        int r = check_flags("Save", flags, error);

        if (r >= 0 && !g_path_is_absolute(to))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "'%s' is no absolute path", to);
        if (r >= 0)
                r = check_saving(domain, error);
        if (r >= 0 && xml)
                r = save_check_xml(domain->live, xml, &text, error);
        if (r < 0)
                return r;
        if (!text)
                text = definition_of(domain); /* the run may end while we wait */
        r = check_target(domain, to, error);
        if (r < 0)
                return r;
        fd = memory_file_begin(domain, to, true, error);
        if (fd < 0)
                return fd;
        r = write_memory(call, domain, fd, text, flags, error);
        return r < 0 ? r : end_saved(call, domain, error);
}

int qemu_domain_create(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = start_take_flags(call, "Create", &flags, error);

        if (r >= 0)
                r = domain_check_inactive(domain, error);
        if (r < 0)
                return r;
        return save_start(domain, flags, call->job, call->deadline_usec, error);
}

int qemu_domain_create_with_files(Call *call, Domain *domain, const int *files, size_t n_files,
                                  uint32_t flags, Error *error)
{
        (void)files;
        if (n_files > 0)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The QEMU driver cannot give open files to the guest of the %s",
                                 object_describe(&domain->object));
        return qemu_domain_create(call, domain, flags, error);
}
