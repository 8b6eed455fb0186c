/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A machine has its owner's rights and no more. The daemon of the system starts QEMU as the machine's owner,
 * or, for what root and group libvirt share, as a user without any rights, for whom it opens the files that
 * the definition names. A daemon without root's rights can only start machines as itself. */

#include "drivers/qemu/launch.h"
#include "core/worker.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/file-groups.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/helpers.h"
#include "drivers/qemu/keep.h"
#include "drivers/qemu/overlay.h"
#include "drivers/qemu/passed.h"
#include "drivers/qemu/passthrough.h"
#include "drivers/qemu/plug.h"
#include "drivers/qemu/secret.h"
#include "drivers/qemu/user.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_FD     3
#define MESSAGES_MAX (64 * 1024)

static bool becomes_user(const Config *config)
{
        return config->is_system && geteuid() == 0;
}

bool launch_passes_files(const Driver *driver, uid_t owner)
{
        return becomes_user(driver->config) && owner == 0;
}

typedef struct Identity {
        dev_t device;
        ino_t inode; /* 0: it is no regular file, or one that QEMU does not write to */
} Identity;

/* What a thread finds out; everything in it is its own. */
typedef struct Preparation {
        GPtrArray *paths; /* of char * */
        PassedOptions *options;
        Identity *identities; /* of what was opened, see PassedFile */
        /* out */
        int *fds; /* for each path; -EBADF: not opened */
        Error error;
} Preparation;

static void preparation_free(void *data)
{
        Preparation *preparation = data;

        for (unsigned i = 0; i < preparation->paths->len; i++)
                closep(&preparation->fds[i]);
        g_ptr_array_unref(preparation->paths);
        g_free(preparation->options);
        g_free(preparation->identities);
        g_free(preparation->fds);
        error_clear(&preparation->error);
        g_free(preparation);
}

static void preparation_freep(Preparation **preparation)
{
        if (*preparation)
                preparation_free(*preparation);
}

#define PREPARATION_FAILED (-EIO)

static int prepare(void *data)
{
        Preparation *preparation = data;
        struct stat status;

        for (unsigned i = 0; i < preparation->paths->len; i++) {
                if (!preparation->paths->pdata[i])
                        continue;
                preparation->fds[i] = passed_open(preparation->paths->pdata[i], &preparation->options[i],
                                                  &preparation->error);
                if (preparation->fds[i] < 0)
                        return PREPARATION_FAILED;
                if (preparation->options[i].is_writable && fstat(preparation->fds[i], &status) >= 0 &&
                    S_ISREG(status.st_mode))
                        preparation->identities[i] = (Identity){ status.st_dev, status.st_ino };
        }
        return 0;
}

static int compare(void *data)
{
        Preparation *preparation = data;
        struct stat status;

        for (unsigned i = 0; i < preparation->paths->len; i++) {
                const char *path = preparation->paths->pdata[i];
                const Identity *identity = &preparation->identities[i];

                if (identity->inode == 0)
                        continue;
                if (stat(path, &status) < 0
                            ? errno != ENOENT && errno != ENOTDIR
                            : status.st_dev == identity->device && status.st_ino == identity->inode)
                        continue;
                (void)error_set(&preparation->error, ERROR_OPERATION_FAILED,
                                "%s was removed or replaced while the machine was being given it", path);
                return PREPARATION_FAILED;
        }
        return 0;
}

static Preparation *preparation_new(const CommandLine *line)
{
        Preparation *preparation = g_new0(Preparation, 1);

        preparation->paths = g_ptr_array_new_with_free_func(g_free);
        preparation->options = g_new0(PassedOptions, line->files->len + 1);
        preparation->identities = g_new0(Identity, line->files->len + 1);
        preparation->fds = g_new0(int, line->files->len + 1);
        for (unsigned i = 0; i < line->files->len; i++) {
                const PassedFile *file = line->files->pdata[i];

                g_ptr_array_add(preparation->paths, file->is_group ? NULL : g_strdup(file->path));
                preparation->options[i] = (PassedOptions){ .is_writable = file->is_writable,
                                                           .is_direct = file->is_direct,
                                                           .is_device = file->is_device,
                                                           .is_reopened = file->is_reopened };
                preparation->identities[i] = (Identity){ file->device, file->inode };
                preparation->fds[i] = -EBADF;
        }
        return preparation;
}

static int preparation_run(const Domain *domain, const CommandLine *line, WorkerFunction function,
                           uint64_t deadline_usec, Preparation **ret_preparation, Error *error) AWAITS
{
        _cleanup_(preparation_freep) Preparation *preparation = preparation_new(line);
        int r = worker_run(function, preparation, preparation_free, deadline_usec);

        if (r == -ETIMEDOUT || r == -ECANCELED) {
                (void)TAKE_PTR(preparation); /* the thread has it still */
                return error_set(error, r == -ETIMEDOUT ? ERROR_TIMED_OUT : ERROR_CANCELLED,
                                 "Looking at the files of the %s took too long",
                                 object_describe(&domain->object));
        }
        if (r == PREPARATION_FAILED) {
                error_move(error, &preparation->error);
                return -error_code_to_errno(error ? error->code : ERROR_OPERATION_FAILED);
        }
        if (r < 0)
                return error_set_errno(error, r, "Cannot look at the files of the %s",
                                       object_describe(&domain->object));
        *ret_preparation = TAKE_PTR(preparation);
        return 0;
}

static int check_owner(const Domain *domain, Error *error)
{
        const Config *config = domain->object.driver->config;

        if (becomes_user(config)) {
                if (domain->object.owner != 0 || config->machine_user)
                        return 0;
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "There is no user to run shared machines as");
        }
        if (domain->object.owner == 0 || domain->object.owner == geteuid())
                return 0;
        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                         "A daemon that does not run as root cannot start machines of user %u",
                         domain->object.owner);
}

/* What a thread finds out; everything in it is its own. */
typedef struct UserTask {
        char *name; /* NULL: by uid */
        uid_t uid;
        RunUser user;
        Error error;
} UserTask;

static void user_task_free(void *data)
{
        UserTask *task = data;

        run_user_clear(&task->user);
        error_clear(&task->error);
        g_free(task->name);
        g_free(task);
}

static int find_user(void *data)
{
        UserTask *task = data;

        return run_user_find(task->name, task->uid, &task->user, &task->error) < 0 ? PREPARATION_FAILED : 0;
}

int launch_find_user(const Domain *domain, uint64_t deadline_usec, RunUser *ret_user, Error *error)
{
        const Config *config = domain->object.driver->config;
        UserTask *task;
        int r = check_owner(domain, error);

        if (r < 0 || !becomes_user(config)) {
                *ret_user = (RunUser){};
                return r;
        }
        task = g_new0(UserTask, 1);
        task->uid = domain->object.owner;
        if (domain->object.owner == 0)
                task->name = g_strdup(config->machine_user);
        r = worker_run(find_user, task, user_task_free, deadline_usec);
        if (r == -ETIMEDOUT || r == -ECANCELED) /* the thread has it still */
                return error_set(error, r == -ETIMEDOUT ? ERROR_TIMED_OUT : ERROR_CANCELLED,
                                 "Looking up the user of the %s took too long",
                                 object_describe(&domain->object));
        if (r == PREPARATION_FAILED) {
                error_move(error, &task->error);
                r = -error_code_to_errno(error ? error->code : ERROR_OPERATION_FAILED);
        } else if (r >= 0 && task->user.uid == 0)
                r = error_set(error, ERROR_INTERNAL, "A machine never runs with root's rights");
        if (r >= 0) {
                *ret_user = task->user;
                ret_user->is_other = true;
                task->user = (RunUser){};
        }
        user_task_free(task);
        return r;
}

/* Sockets that the line wants, by their place; closed by the caller up to n_fds. */
static int bind_sockets(const CommandLine *line, int folder, int *fds, unsigned first_fd, Error *error)
{
        for (unsigned i = 0; i < line->sockets->len; i++) {
                const PassedSocket *socket = line->sockets->pdata[i];
                _cleanup_(freep) char *name = g_path_get_basename(socket->path);
                int fd = folder_bind(folder, name, error);

                if (fd < 0)
                        return fd;
                fds[socket->fd - first_fd] = fd;
        }
        return 0;
}

typedef struct Descriptors {
        int *fds;
        size_t count;
} Descriptors;

static void descriptors_clear(Descriptors *descriptors)
{
        for (size_t i = 0; i < descriptors->count; i++)
                closep(&descriptors->fds[i]);
        g_free(descriptors->fds);
}

/* Ended with NULL; strings are the array's. */
static GPtrArray *environment(const Domain *domain, const CommandLine *line, const RunUser *user)
{
        GPtrArray *variables = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(freep) char *folder = folder_path(domain);

        g_ptr_array_add(variables,
                        g_strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
        g_ptr_array_add(variables, g_strdup("LANG=C.UTF-8"));
        if (user->home)
                g_ptr_array_add(variables, g_strdup_printf("HOME=%s", user->home));
        if (user->name)
                g_ptr_array_add(variables, g_strdup_printf("USER=%s", user->name));
        for (unsigned i = 0; i < line->environment->len; i++)
                g_ptr_array_add(variables, g_strdup(line->environment->pdata[i]));
        /* Last, and where getenv() is not concerned all of them are looked at: a definition cannot hide it.
         */
        g_ptr_array_add(variables, g_strdup_printf(FOLDER_TAG "=%s", folder));
        g_ptr_array_add(variables, NULL);
        return variables;
}

/* QEMU makes the files of its memory there, and unlinks them at once. */
static int make_memory_folder(const Domain *domain, const RunUser *user, Error *error)
{
        const MemoryBacking *backing = machine_of(domain)->pending->memory_backing;
        _cleanup_(closep) int fd = -EBADF;

        if (!backing || backing->source != BACKING_FILE)
                return 0;
        fd = keep_open(domain, KEEP_RAM, user->is_other ? user->uid : (uid_t)-1, user->gid, error);
        return MIN(fd, 0);
}

/* UINT64_MAX: without a limit; 0: nothing is to be locked. */
static uint64_t wanted_locked_bytes(DomainDefinition *definition)
{
        const MemoryBacking *backing = definition->memory_backing;
        const MemoryTune *tune = definition->memory_tune;
        const bool is_locked = backing && backing->locked;
        uint64_t bytes = passthrough_locked_bytes(definition);

        if (!is_locked && bytes == 0)
                return 0;
        if (tune && tune->has_hard_limit)
                return tune->hard_limit_kib * 1024;
        return is_locked ? UINT64_MAX : bytes;
}

static bool has_capability(unsigned capability)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

        return syscall(SYS_capget, &header, data) == 0 &&
               data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

/* How much memory QEMU is allowed to lock; 0: what it is allowed anyway. A daemon that may not raise its
 * limits can give what it has itself, if that is enough for the guest. */
static int find_locked_bytes(const Domain *domain, DomainDefinition *definition, const RunUser *user,
                             uint64_t *ret_bytes, Error *error)
{
        uint64_t wanted = wanted_locked_bytes(definition);
        struct rlimit limit;

        *ret_bytes = wanted;
        if (wanted == 0 || has_capability(CAP_SYS_RESOURCE))
                return 0;
        if (!user->is_other && has_capability(CAP_IPC_LOCK)) {
                *ret_bytes = 0; /* no limit holds for it */
                return 0;
        }
        if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
                return error_set_errno(error, errno, "Cannot find out how much memory may be locked");
        *ret_bytes = MIN(wanted, limit.rlim_max);
        if (*ret_bytes / 1024 >= definition->memory_kib)
                return 0;
        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                         "The %s has %" PRIu64
                         " KiB of memory to lock (<locked/>, or devices of the host), and "
                         "this daemon may let it lock %" PRIu64 " KiB: its LimitMEMLOCK= has to be raised",
                         object_describe(&domain->object), definition->memory_kib, *ret_bytes / 1024);
}

static int spawn(Domain *domain, const CommandLine *line, const RunUser *user,
                 const Descriptors *descriptors, uint64_t deadline_usec, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *variables = environment(domain, line, user);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *arguments = g_ptr_array_new();
        int r;

        for (unsigned i = 0; i < line->arguments->len; i++)
                g_ptr_array_add(arguments, line->arguments->pdata[i]);
        g_ptr_array_add(arguments, NULL);
        machine->messages_fd = child_messages_open(MESSAGES_MAX, error);
        if (machine->messages_fd < 0)
                return machine->messages_fd;
        ChildOptions options = {
                .arguments = (const char *const *)arguments->pdata,
                .environment = (const char *const *)variables->pdata,
                .fds = descriptors->fds,
                .n_fds = descriptors->count,
                .stdin_fd = -EBADF,
                .stdout_fd = machine->messages_fd,
                .stderr_fd = machine->messages_fd,
                .new_session = true,
        };
        run_user_become(&options, user);
        r = find_locked_bytes(domain, machine->pending, user, &options.locked_bytes, error);
        if (r >= 0)
                r = child_spawn(&options, deadline_usec, &machine->child, error);
        if (r >= 0)
                end_watch(domain);
        return r;
}

/* The daemon looks at the images itself, which for a user's machine it does not do with its own rights. */
static int make_overlays(const Domain *domain, const CommandLine *line, uint64_t deadline_usec, int *fds,
                         Error *error) AWAITS
{
        const Driver *driver = domain->object.driver;
        int r = 0;

        if (line->overlays->len > 0 && becomes_user(driver->config) && domain->object.owner != 0)
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "The %s has a <transient/> disk: on the system bus only machines of root and "
                        "group libvirt can have them",
                        object_describe((Object *)&domain->object));
        for (unsigned i = 0; r >= 0 && i < line->overlays->len; i++) {
                const PassedOverlay *overlay = line->overlays->pdata[i];

                r = overlay_make(driver, overlay->path, deadline_usec, &fds[overlay->fd - FIRST_FD], error);
        }
        return r;
}

static int open_groups(const Domain *domain, const CommandLine *line, Preparation *preparation, Error *error)
{
        for (unsigned i = 0; i < line->files->len; i++) {
                const PassedFile *file = line->files->pdata[i];

                if (!file->is_group)
                        continue;
                preparation->fds[i] = file_groups_open(domain, file->path, file->is_writable, error);
                if (preparation->fds[i] < 0)
                        return preparation->fds[i];
        }
        return 0;
}

static void take_files(const CommandLine *line, Preparation *preparation, int *fds, unsigned first_fd)
{
        for (unsigned i = 0; i < line->files->len; i++) {
                PassedFile *file = line->files->pdata[i];

                file->device = preparation->identities[i].device;
                file->inode = preparation->identities[i].inode;
                fds[file->fd - first_fd] = TAKE_FD(preparation->fds[i]);
        }
}

int launch(Domain *domain, CommandLine *line, const RunUser *user, uint64_t deadline_usec, Error *error)
{
        _cleanup_(preparation_freep) Preparation *preparation = NULL;
        _cleanup_(closep) int folder = -EBADF;
        _cleanup_(descriptors_clear) Descriptors descriptors = {
                .fds = g_new(int, line->next_fd),
                .count = line->next_fd - FIRST_FD,
        };
        int r;

        for (size_t i = 0; i < descriptors.count; i++)
                descriptors.fds[i] = -EBADF;
        r = preparation_run(domain, line, prepare, deadline_usec, &preparation, error);
        if (r >= 0)
                r = open_groups(domain, line, preparation, error);
        if (r >= 0)
                r = make_overlays(domain, line, deadline_usec, descriptors.fds, error);
        if (r < 0)
                return r;
        folder = folder_make(domain, user->is_other ? user->uid : (uid_t)-1, user->gid, error);
        if (folder < 0)
                return folder;
        r = secret_begin(domain, line, folder, user->is_other ? user->uid : (uid_t)-1, user->gid, error);
        if (r >= 0)
                r = bind_sockets(line, folder, descriptors.fds, FIRST_FD, error);
        if (r < 0)
                return r;
        take_files(line, preparation, descriptors.fds, FIRST_FD);
        r = make_memory_folder(domain, user, error);
        if (r >= 0)
                r = passthrough_take(domain, machine_of(domain)->pending, user, deadline_usec, error);
        if (r >= 0) /* first, as it ends what has the run's tag already: passt will have it */
                r = helpers_start(domain, line, user, descriptors.fds, FIRST_FD, deadline_usec, error);
        if (r >= 0)
                r = plug_interfaces(domain, machine_of(domain)->pending, line, user, descriptors.fds,
                                    FIRST_FD, error);
        return r < 0 ? r : spawn(domain, line, user, &descriptors, deadline_usec, error);
}

int launch_check_files(const Domain *domain, const CommandLine *line, uint64_t deadline_usec, Error *error)
{
        _cleanup_(preparation_freep) Preparation *preparation = NULL;

        return line->files->len > 0
                       ? preparation_run(domain, line, compare, deadline_usec, &preparation, error)
                       : 0;
}

/* For a device that the machine did not start with. */
static int allow_locked(const Domain *domain, DomainDefinition *live, const RunUser *user, Error *error)
{
        uint64_t bytes;
        int r = find_locked_bytes(domain, live, user, &bytes, error);

        if (r < 0)
                return r;
        if (bytes > 0 && machine_of(domain)->child &&
            prlimit(child_get_pid(machine_of(domain)->child), RLIMIT_MEMLOCK,
                    &(struct rlimit){ bytes, bytes }, NULL) < 0)
                return error_set_errno(error, errno, "Cannot let the %s lock its memory",
                                       object_describe(&domain->object));
        return 0;
}

int launch_open(Domain *domain, DomainDefinition *live, const CommandLine *line, const RunUser *user,
                unsigned first_fd, uint64_t deadline_usec, int *fds, Error *error)
{
        _cleanup_(preparation_freep) Preparation *preparation = NULL;
        _cleanup_(closep) int folder = -EBADF;
        int r = preparation_run(domain, line, prepare, deadline_usec, &preparation, error);

        if (r >= 0)
                r = open_groups(domain, line, preparation, error);
        if (r < 0)
                return r;
        take_files(line, preparation, fds, first_fd);
        folder = folder_open(domain, error);
        r = folder < 0 ? folder : bind_sockets(line, folder, fds, first_fd, error);
        if (r >= 0)
                r = passthrough_take(domain, live, user, deadline_usec, error);
        if (r >= 0)
                r = allow_locked(domain, live, user, error);
        return r < 0 ? r : plug_interfaces(domain, live, line, user, fds, first_fd, error);
}
