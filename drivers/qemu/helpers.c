/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A TPM's state is kept from run to run, a folder has none. */

#include "drivers/qemu/helpers.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/keep.h"
#include "drivers/secret/secrets.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SWTPM       "/usr/bin/swtpm"
#define SWTPM_SETUP "/usr/bin/swtpm_setup"
#define UNSHARE     "/usr/bin/unshare"

/* How long one may live on after QEMU. */
#define GRACE_USEC (5 * G_USEC_PER_SEC)
/* For a change of a TPM that is there: swtpm_setup waits for ever for a swtpm that ended as it could not
 * read the state, when the passphrase is wrong. */
#define RECONFIGURE_USEC (10 * G_USEC_PER_SEC)
#define MESSAGES_MAX     4096
#define OUTPUT_MAX       (64 * 1024)

typedef struct Helper {
        const char *what; /* for messages: "TPM" */
        Domain *domain;   /* borrowed: the machine has it */
        Child *child;
        int messages_fd;
        bool has_failed;
} Helper;

static void helper_free(void *data)
{
        Helper *helper = data;

        child_free(helper->child);
        closep(&helper->messages_fd);
        g_free(helper);
}

static void helper_exited(Child *child, int code, int status, void *data)
{
        Helper *helper = data;
        const Machine *machine = machine_of(helper->domain);

        (void)child;
        helper->has_failed = code != CLD_EXITED || status != 0;
        if (machine->phase == MACHINE_RUNNING && !machine->has_exited)
                log_warning(helper->domain->object.path, "the %s of machine %s has ended", helper->what,
                            helper->domain->object.name);
}

/* As the user, tagged, with fds as its numbers 3 and up. `user` NULL: with the daemon's own rights. */
static int spawn(Domain *domain, const char *what, GPtrArray *arguments, const RunUser *user, const int *fds,
                 size_t n_fds, uint64_t deadline_usec, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        _cleanup_(freep) char *folder = folder_path(domain),
                              *tag = g_strdup_printf(FOLDER_TAG "=%s", folder),
                              *home = g_strdup_printf("HOME=%s", user && user->home ? user->home : "/");
        const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", home, tag,
                                            NULL };
        Helper *helper = g_new0(Helper, 1);
        ChildOptions options = {
                .environment = environment,
                .fds = fds,
                .n_fds = n_fds,
                .stdin_fd = -EBADF,
                .new_session = true,
        };
        int r;

        helper->what = what;
        helper->domain = domain;
        helper->messages_fd = child_messages_open(OUTPUT_MAX, error);
        options.stdout_fd = options.stderr_fd = helper->messages_fd;
        g_ptr_array_add(arguments, NULL);
        options.arguments = (const char *const *)arguments->pdata;
        if (user)
                run_user_become(&options, user);
        r = helper->messages_fd < 0 ? helper->messages_fd
                                    : child_spawn(&options, deadline_usec, &helper->child, error);
        if (r < 0) {
                error_prefix(error, "Cannot start the %s of the %s", what, object_describe(&domain->object));
                helper_free(helper);
                return r;
        }
        child_on_exit(helper->child, helper_exited, helper);
        if (!machine->helpers)
                machine->helpers = g_ptr_array_new_with_free_func(helper_free);
        g_ptr_array_add(machine->helpers, helper);
        return 0;
}

char *helpers_complaint(const Machine *machine)
{
        for (unsigned i = 0; machine->helpers && i < machine->helpers->len; i++) {
                const Helper *helper = machine->helpers->pdata[i];
                _cleanup_(freep) char *text = g_malloc0(MESSAGES_MAX + 1);

                if (!helper->has_failed || pread(helper->messages_fd, text, MESSAGES_MAX, 0) <= 0 ||
                    !*g_strstrip(text))
                        continue;
                return g_strdup_printf("the %s said: %s", helper->what, text);
        }
        return NULL;
}

static bool has_helpers(const DomainDefinition *definition)
{
        LIST_FOREACH (tpm, definition->devices.tpms) {
                if (tpm->backend == TPM_EMULATOR)
                        return true;
        }
        LIST_FOREACH (filesystem, definition->devices.filesystems) {
                if (filesystem->driver == FILESYSTEM_DRIVER_VIRTIOFS && !filesystem->source_socket)
                        return true;
        }
        return false;
}

/* Those of the last run that are on their way out. */
static int end_old_ones(const Domain *domain, uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(g_array_unrefp) GArray *pidfds =
                folder_kill_tagged(qemu_driver_of(domain), domain->object.uuid);

        return folder_wait_for_ends(pidfds, deadline_usec, error);
}

typedef struct Grace {
        Domain *domain;
        uint64_t run;
} Grace;

/* After a transient machine's end, or an undefined one's, another may have come with that UUID: what it
 * started has the same tag. */
static bool is_last_run(const Domain *domain, uint64_t run)
{
        const Domain *now = (const Domain *)object_table_by_uuid(domain->object.driver->objects,
                                                                 OBJECT_DOMAIN, domain->object.uuid);

        return machine_of(domain)->run == run && (!now || now == domain || machine_of(now)->run == 0);
}

static void grace_fiber(void *data)
{
        const Grace grace = *(Grace *)data;
        _cleanup_(domain_unrefp) Domain *domain = grace.domain;

        (void)await_until(deadline_after_usec(GRACE_USEC)); /* cut short when the daemon ends */
        if (is_last_run(domain, grace.run))
                g_array_unref(folder_kill_tagged(qemu_driver_of(domain), domain->object.uuid));
}

void helpers_end(Domain *domain, const DomainDefinition *definition)
{
        Grace grace = { domain, machine_of(domain)->run };

        if (!has_helpers(definition))
                return;
        domain_ref(domain);
        if (fiber_start("qemu-helpers", grace_fiber, &grace) < 0)
                domain_unref(domain); /* they have lost QEMU, and end by that */
}

static void add(GPtrArray *arguments, const char *argument)
{
        g_ptr_array_add(arguments, g_strdup(argument));
}

/* The passphrase that the TPM's state is encrypted with, readable as a file; -EBADF: it is not. */
static int open_passphrase(const Domain *domain, const DomainTpm *tpm, int *ret_fd, Error *error)
{
        SecretReference reference = { .type = SECRET_TYPE_VTPM };
        _cleanup_(closep) int fd = -EBADF;
        uint8_t *value;
        size_t size;
        int r;

        *ret_fd = -EBADF;
        if (!*tpm->encryption_secret)
                return 0;
        g_strlcpy(reference.uuid, tpm->encryption_secret, sizeof reference.uuid);
        r = secrets_find_value(domain->object.driver, domain->object.owner, &reference, &value, &size,
                               error);
        if (r < 0)
                return r;
        fd = memfd_create("tpm-passphrase", MFD_CLOEXEC);
        r = fd < 0 || write(fd, value, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0 ? -EIO : 0;
        secrets_value_free(value, size);
        if (r < 0)
                return error_set_errno(error, r, "Cannot hand over the passphrase of the TPM");
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static char *bank_names(const TpmPcrBanks *banks)
{
        GString *text = g_string_new(NULL);

        if (banks->sha1)
                g_string_append(text, ",sha1");
        if (banks->sha256)
                g_string_append(text, ",sha256");
        if (banks->sha384)
                g_string_append(text, ",sha384");
        if (banks->sha512)
                g_string_append(text, ",sha512");
        g_string_erase(text, 0, text->len > 0);
        return g_string_free(text, FALSE);
}

/* Has keys and banks put into the TPM in that folder. What of it outlives the daemon carries the run's tag:
 * the next one ends it before anything else uses the folder. */
static int set_up_tpm(const Domain *domain, const DomainTpm *tpm, const RunUser *user, const char *folder,
                      bool is_new, int passphrase, uint64_t deadline_usec, Error *error) AWAITS
{
        g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(freep) char *banks = tpm->active_pcr_banks ? bank_names(tpm->active_pcr_banks) : NULL,
                              *output = NULL, *run = folder_path(domain),
                              *tag = g_strdup_printf(FOLDER_TAG "=%s", run);
        const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", tag,
                                            NULL };
        const int fds[] = { passphrase };
        ChildOptions options = { .environment = environment,
                                 .stdin_fd = -EBADF,
                                 .stdout_fd = -EBADF,
                                 .stderr_fd = -EBADF,
                                 .ends_with_us = true };
        size_t size;
        int r;

        add(arguments, SWTPM_SETUP);
        add(arguments, "--tpmstate");
        add(arguments, folder);
        if (tpm->version != TPM_VERSION_1_2)
                add(arguments, "--tpm2");
        add(arguments, is_new ? "--createek" : "--reconfigure");
        if (is_new)
                add(arguments, "--lock-nvram");
        if (banks) {
                add(arguments, "--pcr-banks");
                add(arguments, banks);
        }
        if (passphrase >= 0) {
                add(arguments, "--pwdfile-fd");
                add(arguments, "3");
                add(arguments, "--cipher");
                add(arguments, "aes-256-cbc");
        }
        g_ptr_array_add(arguments, NULL);
        options.arguments = (const char *const *)arguments->pdata;
        options.fds = fds;
        options.n_fds = passphrase >= 0;
        run_user_become(&options, user);
        if (!is_new)
                deadline_usec = MIN(deadline_usec, deadline_after_usec(RECONFIGURE_USEC));
        r = child_run(&options, NULL, 0, OUTPUT_MAX, deadline_usec, &output, &size, error);
        if (r < 0)
                error_prefix(error, "Cannot make the TPM of the %s", object_describe(&domain->object));
        return passphrase >= 0 && lseek(passphrase, 0, SEEK_SET) < 0 ? -errno : r;
}

/* What a maker does once. Half a TPM is none: it gets its name when it is whole. */
static int make_tpm(const Domain *domain, const DomainTpm *tpm, const RunUser *user, int passphrase,
                    uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(closep) int fd = keep_begin(domain, KEEP_TPM, user->is_other ? user->uid : (uid_t)-1,
                                              user->gid, &folder, error);
        int r;

        if (fd < 0)
                return fd;
        r = set_up_tpm(domain, tpm, user, folder, true, passphrase, deadline_usec, error);
        if (r >= 0)
                r = keep_finish(domain, KEEP_TPM, error);
        if (r < 0)
                (void)keep_abandon(domain, KEEP_TPM, NULL); /* the next start does it else */
        return r;
}

static int start_tpm(Domain *domain, const DomainTpm *tpm, const RunUser *user, int socket,
                     uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(freep) char *folder = keep_path(domain->object.driver, domain->object.uuid, KEEP_TPM),
                              *state = NULL;
        _cleanup_(closep) int fd = -EBADF, passphrase = -EBADF;
        g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
        bool is_new = !keep_is_used(domain, KEEP_TPM);
        int r;

        if (access(SWTPM, X_OK) < 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "An emulated <tpm> needs swtpm, which this host does not have (%s)", SWTPM);
        r = open_passphrase(domain, tpm, &passphrase, error);
        if (r < 0)
                return r;
        /* Without swtpm_setup swtpm makes a plain one by itself. */
        if (is_new && (tpm->active_pcr_banks || access(SWTPM_SETUP, X_OK) >= 0))
                r = make_tpm(domain, tpm, user, passphrase, deadline_usec, error);
        if (r < 0)
                return r;
        fd = keep_open(domain, KEEP_TPM, user->is_other ? user->uid : (uid_t)-1, user->gid, error);
        if (fd < 0)
                return fd;
        if (!is_new && tpm->active_pcr_banks)
                r = set_up_tpm(domain, tpm, user, folder, false, passphrase, deadline_usec, error);
        if (r < 0)
                return r;
        state = g_strdup_printf("dir=%s,mode=0600", folder);
        add(arguments, SWTPM);
        add(arguments, "socket");
        add(arguments, "--ctrl");
        add(arguments, "type=unixio,clientfd=3");
        add(arguments, "--tpmstate");
        add(arguments, state);
        add(arguments, "--terminate");
        if (tpm->version != TPM_VERSION_1_2)
                add(arguments, "--tpm2");
        if (passphrase >= 0) {
                add(arguments, "--key");
                add(arguments, "pwdfd=4,mode=aes-256-cbc");
        }
        const int fds[] = { socket, passphrase };

        return spawn(domain, "TPM", arguments, user, fds, passphrase >= 0 ? 2 : 1, deadline_usec, error);
}

static const char *find_virtiofsd(const DomainFilesystem *filesystem)
{
        static const char *const places[] = { "/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd",
                                              "/usr/libexec/qemu/virtiofsd" };

        if (filesystem->binary)
                return filesystem->binary;
        for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
                if (access(places[i], X_OK) >= 0)
                        return places[i];
        return NULL;
}

/* A program that is to run with root's rights is one that only root can have put there. */
static int check_program(const char *path, Error *error)
{
        struct stat status;

        if (stat(path, &status) < 0)
                return error_set_errno(error, errno, "Cannot use %s for a <filesystem>", path);
        if (status.st_uid != 0 || status.st_mode & 022)
                return error_set(error, ERROR_ACCESS_DENIED,
                                 "%s does not belong to root alone: it cannot serve a <filesystem> of a "
                                 "shared machine",
                                 path);
        return 0;
}

/* Of options that are separated by commas. */
static char *escape_option(const char *text)
{
        GString *escaped = g_string_new(NULL);

        for (; *text; text++) {
                if (*text == ',' || *text == '\\')
                        g_string_append_c(escaped, '\\');
                g_string_append_c(escaped, *text);
        }
        return g_string_free(escaped, FALSE);
}

static void add_option(GPtrArray *arguments, const char *text)
{
        add(arguments, "-o");
        add(arguments, text);
}

static void add_switch(GPtrArray *arguments, const char *name, OnOff value)
{
        _cleanup_(freep) char *text = g_strconcat(value == OFF ? "no_" : "", name, NULL);

        if (value != ON_OFF_ABSENT)
                add_option(arguments, text);
}

static void add_filesystem(GPtrArray *arguments, const DomainFilesystem *filesystem)
{
        _cleanup_(freep) char *path = escape_option(filesystem->source_dir),
                              *source = g_strconcat("source=", path, NULL);

        add(arguments, "--fd=3");
        add_option(arguments, source);
        if (filesystem->cache != FILESYSTEM_CACHE_DEFAULT)
                add_option(arguments,
                           filesystem->cache == FILESYSTEM_CACHE_NONE ? "cache=none" : "cache=always");
        if (filesystem->sandbox != FILESYSTEM_SANDBOX_DEFAULT)
                add_option(arguments, filesystem->sandbox == FILESYSTEM_SANDBOX_CHROOT
                                              ? "sandbox=chroot"
                                              : "sandbox=namespace");
        add_switch(arguments, "xattr", filesystem->xattr);
        add_switch(arguments, "flock", filesystem->flock);
        add_switch(arguments, "posix_lock", filesystem->posix_lock);
        if (filesystem->thread_pool_size > 0) {
                _cleanup_(freep) char *size =
                        g_strdup_printf("--thread-pool-size=%u", filesystem->thread_pool_size);

                add(arguments, size);
        }
}

/* With the owner's rights: root's for shared machines, and in a namespace of their own for others, where
 * virtiofsd can lock itself in. */
static int start_filesystem(Domain *domain, const DomainFilesystem *filesystem, const RunUser *user,
                            int socket, uint64_t deadline_usec, Error *error) AWAITS
{
        bool is_roots = geteuid() == 0 && domain->object.owner == 0;
        g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
        const char *program = find_virtiofsd(filesystem);
        RunUser alone = *user; /* borrows */
        int r = 0;

        if (!program)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "<driver type='virtiofs'> needs virtiofsd, which this host does not have");
        if (!filesystem->source_dir || !g_path_is_absolute(filesystem->source_dir))
                return error_set(error, ERROR_INVALID_XML,
                                 "The source of <filesystem> is no absolute path: %s",
                                 filesystem->source_dir ? filesystem->source_dir : "");
        if (is_roots)
                r = check_program(program, error);
        if (r < 0)
                return r;
        if (!is_roots) {
                add(arguments, UNSHARE);
                add(arguments, "--user");
                add(arguments, "--map-root-user");
                add(arguments, "--");
        }
        alone.n_groups = 0; /* in its namespace it could not give them up, as it wants to */
        add(arguments, program);
        add_filesystem(arguments, filesystem);
        return spawn(domain, "virtiofsd", arguments, is_roots ? NULL : &alone, &socket, 1, deadline_usec,
                     error);
}

/* Two ends that know nobody but each other. */
static int connect_ends(int *ret_helper, int *ret_qemu, Error *error)
{
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return error_set_errno(error, errno, "Cannot make a socket");
        *ret_helper = ends[0];
        *ret_qemu = ends[1];
        return 0;
}

/* virtiofsd wants to be connected to: by a socket in the run's folder that is gone when it is. */
static int connect_by_name(const Domain *domain, int *ret_helper, int *ret_qemu, Error *error)
{
        _cleanup_(closep) int folder = folder_open(domain, error), listening = -EBADF, connected = -EBADF;
        static const char name[] = "helper.sock";

        if (folder < 0)
                return folder;
        listening = folder_bind(folder, name, error);
        if (listening < 0)
                return listening;
        connected = folder_connect(folder, name, error);
        if (connected < 0)
                return connected;
        (void)unlinkat(folder, name, 0); /* the folder is removed with all in it */
        *ret_helper = TAKE_FD(listening);
        *ret_qemu = TAKE_FD(connected);
        return 0;
}

static int start_one(Domain *domain, const PassedHelper *passed, const RunUser *user, int *ret_fd,
                     uint64_t deadline_usec, Error *error) AWAITS
{
        const DomainDevices *devices = &machine_of(domain)->pending->devices;
        _cleanup_(closep) int socket = -EBADF, qemu = -EBADF;
        int r = passed->kind == HELPER_TPM ? connect_ends(&socket, &qemu, error)
                                           : connect_by_name(domain, &socket, &qemu, error);

        if (r < 0)
                return r;
        r = passed->kind == HELPER_TPM ? start_tpm(domain, devices->tpms.items[passed->index], user, socket,
                                                   deadline_usec, error)
                                       : start_filesystem(domain, devices->filesystems.items[passed->index],
                                                          user, socket, deadline_usec, error);
        if (r >= 0)
                *ret_fd = TAKE_FD(qemu);
        return r;
}

int helpers_start(Domain *domain, const CommandLine *line, const RunUser *user, int *fds, unsigned first_fd,
                  uint64_t deadline_usec, Error *error)
{
        int r = line->helpers->len > 0 ? end_old_ones(domain, deadline_usec, error) : 0;

        for (unsigned i = 0; r >= 0 && i < line->helpers->len; i++) {
                const PassedHelper *passed = line->helpers->pdata[i];

                r = start_one(domain, passed, user, &fds[passed->fd - first_fd], deadline_usec, error);
        }
        return r;
}
