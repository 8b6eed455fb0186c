/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Starting QEMU's process. Sockets are bound and files opened by the daemon, so that nobody can stand in
 * their places, and passed by number; everything else QEMU opens with its owner's rights. */

#include "drivers/qemu/run.h"
#include "core/log.h"
#include "core/worker.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define LOG_TAIL 4096

bool run_needs_user(const Config *config)
{
        return config->is_system && config->uid == 0;
}

typedef struct Look {
        char *name;
        uid_t uid;
        RunUser user;
        Error error;
} Look;

static void look_free(void *data)
{
        Look *look = data;

        g_free(look->name);
        run_user_clear(&look->user);
        error_clear(&look->error);
        g_free(look);
}

static int look_run(void *data)
{
        Look *look = data;

        return run_user_find(look->name, look->uid, &look->user, &look->error);
}

int run_find_user(const Config *config, uid_t owner, uint64_t deadline_usec, RunUser *ret_user, Error *error)
{
        Look *look = g_new0(Look, 1);
        int r;

        look->name = owner == 0 ? g_strdup(config->machine_user) : NULL;
        look->uid = owner;
        r = worker_run(look_run, look, look_free, deadline_usec);
        if (r == -ETIMEDOUT || r == -ECANCELED)
                return error_set_errno(error, r, "Cannot look up the user of the machine");
        if (r >= 0 && look->user.uid == 0)
                r = error_set(&look->error, ERROR_OPERATION_FAILED, "Machines do not run as root");
        if (r < 0) {
                error_move(error, &look->error);
        } else {
                *ret_user = look->user;
                look->user = (RunUser){};
        }
        look_free(look);
        return r;
}

/* Descriptors by their number in QEMU, from 3. */
typedef struct Passed {
        GArray *fds; /* of int */
} Passed;

static void passed_clear(Passed *passed)
{
        for (unsigned i = 0; passed->fds && i < passed->fds->len; i++)
                closep(&g_array_index(passed->fds, int, i));
        if (passed->fds)
                g_array_unref(passed->fds);
}

static void passed_set(Passed *passed, unsigned number, int fd)
{
        const int none = -EBADF;

        while (passed->fds->len <= number - 3)
                g_array_append_val(passed->fds, none);
        g_array_index(passed->fds, int, number - 3) = fd;
}

static int socket_bind(const char *path, Error *error)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return error_set_errno(error, errno, "Cannot make a socket");
        if (strlen(path) >= sizeof address.sun_path)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The socket path %s is longer than %zu bytes", path,
                                 sizeof address.sun_path - 1);
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (unlink(path) < 0 && errno != ENOENT)
                return error_set_errno(error, errno, "Cannot remove the old socket %s", path);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0600) < 0 ||
            listen(fd, 4) < 0)
                return error_set_errno(error, errno, "Cannot bind %s", path);
        return TAKE_FD(fd);
}

/* For machines that no user owns: the file is opened with the daemon's rights, by its own name and not by a
 * link that somebody planted last. */
static int file_open(const PassedFile *file, const RunUser *user, Error *error)
{
        int flags = (file->is_writable ? O_RDWR : O_RDONLY) | (file->is_direct ? O_DIRECT : 0) | O_CLOEXEC |
                    O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
        _cleanup_(closep) int fd = open(file->path, flags);
        struct stat status;

        if (fd < 0)
                return error_set_errno(error, errno, "Cannot open %s", file->path);
        if (fstat(fd, &status) < 0)
                return error_set_errno(error, errno, "Cannot look at %s", file->path);
        if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
                return error_set(error, ERROR_OPERATION_FAILED, "%s is neither a file nor a block device",
                                 file->path);
        if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0)
                return error_set_errno(error, errno, "Cannot use %s", file->path);
        (void)user; /* reads by descriptor, whatever its rights on the path */
        return TAKE_FD(fd);
}

static int open_all(const CommandLine *line, const RunUser *user, Passed *passed, Error *error)
{
        for (unsigned i = 0; i < line->sockets->len; i++) {
                const PassedSocket *one = line->sockets->pdata[i];
                int fd = socket_bind(one->path, error);

                if (fd < 0)
                        return fd;
                passed_set(passed, one->fd, fd);
        }
        for (unsigned i = 0; i < line->files->len; i++) {
                const PassedFile *one = line->files->pdata[i];
                int fd = file_open(one, user, error);

                if (fd < 0)
                        return fd;
                passed_set(passed, one->fd, fd);
        }
        return 0;
}

/* Below it QEMU may make its own sockets; nobody else may look into it. */
static int folder_make(const Machine *machine, const RunUser *user, Error *error)
{
        machine_remove_folder_of(machine->domain->object.driver,
                                 machine->domain->object.uuid); /* of a run that a crash of the host ended */
        if (mkdir(machine->folder, 0700) < 0)
                return error_set_errno(error, errno, "Cannot make the folder %s", machine->folder);
        if (user && (chown(machine->folder, 0, user->gid) < 0 || chmod(machine->folder, 0710) < 0))
                return error_set_errno(error, errno, "Cannot give the folder %s to its machine",
                                       machine->folder);
        return 0;
}

static char *log_path(const Domain *domain)
{
        _cleanup_(freep) char *name = g_strconcat(domain->object.uuid, ".log", NULL);

        return g_build_filename(qemu_driver(domain->object.driver)->logs_path, name, NULL);
}

static int log_file_open(const Domain *domain, Error *error)
{
        _cleanup_(freep) char *path = log_path(domain);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

        return fd < 0 ? error_set_errno(error, errno, "Cannot open the log %s", path) : fd;
}

char *run_last_words(const Domain *domain)
{
        _cleanup_(freep) char *path = log_path(domain);
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        char text[LOG_TAIL + 1];
        off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
        char *line;
        ssize_t n;

        if (size <= 0)
                return NULL;
        n = pread(fd, text, LOG_TAIL, size > LOG_TAIL ? size - LOG_TAIL : 0);
        if (n <= 0)
                return NULL;
        text[n] = '\0';
        g_strchomp(text);
        line = strrchr(text, '\n');
        line = line ? line + 1 : text;
        return *line ? g_utf8_make_valid(line, -1) : NULL;
}

int run_spawn(Machine *machine, const CommandLine *line, const RunUser *user, Error *error)
{
        _cleanup_(passed_clear) Passed passed = { .fds = g_array_new(FALSE, FALSE, sizeof(int)) };
        _cleanup_(g_ptr_array_unrefp) GPtrArray *environment = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(closep) int log_fd = -EBADF;
        Child *child;
        int r;

        r = folder_make(machine, user, error);
        if (r >= 0)
                r = open_all(line, user, &passed, error);
        if (r < 0)
                return r;
        log_fd = log_file_open(machine->domain, error);
        if (log_fd < 0)
                return log_fd;
        g_ptr_array_add(environment, g_strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"));
        g_ptr_array_add(environment, g_strdup("LC_ALL=C"));
        g_ptr_array_add(environment,
                        g_strdup_printf("HOME=%s", user && user->home ? user->home : g_get_home_dir()));
        g_ptr_array_add(environment, g_strconcat(RUN_TAG, machine->folder, NULL));
        for (unsigned i = 0; i < line->environment->len; i++)
                g_ptr_array_add(environment, g_strdup(line->environment->pdata[i]));
        g_ptr_array_add(environment, NULL);
        g_ptr_array_add(line->arguments, NULL);

        ChildOptions options = {
                .arguments = (const char *const *)line->arguments->pdata,
                .environment = (const char *const *)environment->pdata,
                .fds = (const int *)(const void *)passed.fds->data,
                .n_fds = passed.fds->len,
                .stdin_fd = -EBADF,
                .stdout_fd = log_fd,
                .stderr_fd = log_fd,
                .set_user = user != NULL,
                .new_session = true,
        };
        if (user) {
                options.uid = user->uid;
                options.gid = user->gid;
                options.groups = user->groups;
                options.n_groups = user->n_groups;
        }
        r = child_spawn(&options, &child, error);
        if (r < 0)
                return r;
        machine_set_child(machine, child);
        return 0;
}
