/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* virtbusd: from the options to the end. The order is the point: nothing is touched before the folders are
 * this daemon's alone, definitions are loaded before the bus can ask for them, names are owned when
 * everything answers, and only then machines are taken back and started. The end lets go of everything and
 * stops no machine. */

#include "bus/client.h"
#include "bus/connection.h"
#include "bus/front.h"
#include "bus/introspect.h"
#include "bus/jobs.h"
#include "bus/peers.h"
#include "bus/scope.h"
#include "bus/service-call.h"
#include "bus/signals.h"
#include "bus/volume-users.h"
#include "core/await.h"
#include "core/fiber.h"
#include "core/kept.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/store.h"
#include "core/worker.h"
#include "core/xml.h"
#include "manager.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

/* Larger blocks, such as a client's long text, are given back to the host as soon as they are freed: by
 * itself the C library would keep room for more of them once it has seen one. */
#define LARGE_BLOCK (1024 * 1024)

#define END_TIMEOUT_USEC (5 * G_USEC_PER_SEC)
#define END_CHECK_USEC   (2 * G_TIME_SPAN_MILLISECOND)

/* A daemon that is just ending is waited for. */
#define LOCK_TIMEOUT_USEC (END_TIMEOUT_USEC + 3 * G_USEC_PER_SEC)
#define LOCK_CHECK_USEC   (20 * G_TIME_SPAN_MILLISECOND)

static int folders_make(const Config *config, Error *error)
{
        const struct {
                const char *path;
                mode_t mode;
        } folders[] = {
                { config->config_dir, 0700 },
                { config->state_dir, 0711 },
                { config->cache_dir, 0711 },
                { config->run_dir, 0711 },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
                _cleanup_(closep) int folder = store_open_folder(folders[i].path, folders[i].mode, error);

                if (folder < 0)
                        return folder;
        }
        return 0;
}

static int lock_open(const Config *config, Error *error)
{
        _cleanup_(closep) int folder = store_open_folder(config->run_dir, 0711, error);
        int fd;

        if (folder < 0)
                return folder;
        fd = openat(folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        return fd < 0 ? error_set_errno(error, errno, "Cannot open %s/lock", config->run_dir) : fd;
}

/* The kernel does not tell whose a lock of this kind is: its holder has written it. */
static int lock_refuse(const Config *config, int fd, Error *error)
{
        char pid[12] = "";
        ssize_t size = pread(fd, pid, sizeof pid - 1, 0);

        return error_set(
                error, ERROR_OPERATION_INVALID,
                "Another virtbusd, process %s, has the folder %s: two would take each other's machines",
                size > 0 ? g_strstrip(pid) : "unknown", config->run_dir);
}

/* Of the open file, so that no child has it after exec, and gone with the process however that ends. */
static int lock_take(const Config *config, int *ret_fd, Error *error)
{
        struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        const uint64_t deadline_usec = deadline_after_usec(LOCK_TIMEOUT_USEC);
        _cleanup_(closep) int fd = lock_open(config, error);

        if (fd < 0)
                return fd;
        while (fcntl(fd, F_OFD_SETLK, &all) < 0) {
                if (errno != EAGAIN && errno != EINTR)
                        return error_set_errno(error, errno, "Cannot lock %s/lock", config->run_dir);
                if (loop_now_usec() >= deadline_usec)
                        return lock_refuse(config, fd, error);
                g_usleep(LOCK_CHECK_USEC);
        }
        if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
                return error_set_errno(error, errno, "Cannot write %s/lock", config->run_dir);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static void drivers_watch(const FrontEnd *front)
{
        signals_watch(front->manager);
        for (unsigned i = 0; i < front->drivers->len; i++) {
                signals_watch(front->drivers->pdata[i]);
                jobs_watch(front->drivers->pdata[i]);
                volume_users_watch(front->drivers->pdata[i]);
        }
}

static int start(Error *error) AWAITS
{
        FrontEnd *front = front_end();
        int r;

        manager_open(front->drivers);
        drivers_watch(front); /* nobody can have listened before */
        r = connection_open(error);
        if (r >= 0)
                r = peers_listen(error);
        if (r >= 0)
                r = connection_own_names(error);
        if (r < 0)
                return r;
        scope_open(front);
        service_call_open(front);
        (void)sd_notify(false, "READY=1"); /* fails where no service manager waits */
        log_info(NULL, "virtbusd " VIRTBUS_VERSION " serves %s machines",
                 front->config->is_system ? "all users'" : "one user's");
        manager_run(front->drivers);
        return 0;
}

static void start_fiber(void *data)
{
        _cleanup_(error_clear) Error error = {};

        (void)data;
        if (start(&error) < 0) {
                log_error(NULL, "%s", error.message);
                loop_exit(EXIT_FAILURE);
        }
}

/* Calls in flight are ended, or finish what must not be left in doubt, before the process goes. */
static void end_fiber(void *data)
{
        uint64_t deadline_usec = deadline_after_usec(END_TIMEOUT_USEC);

        (void)data;
        fiber_cancel_all();
        while (fiber_count() > 1 && loop_now_usec() < deadline_usec)
                if (await_until(deadline_after_usec(END_CHECK_USEC)) < 0)
                        break;
        loop_exit(EXIT_SUCCESS);
}

static int asked_to_end(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
        (void)source;
        (void)data;
        log_info(NULL, "ending after signal %u; machines go on", info->ssi_signo);
        (void)sd_notify(false, "STOPPING=1");
        if (fiber_start("end", end_fiber, NULL) < 0)
                loop_exit(EXIT_SUCCESS);
        return 0;
}

static int signals_handle(void)
{
        int r = sd_event_add_signal(loop_get(), NULL, SIGTERM, asked_to_end, NULL);

        return r < 0 ? r : sd_event_add_signal(loop_get(), NULL, SIGINT, asked_to_end, NULL);
}

static int run(const Config *config, Error *error)
{
        FrontEnd *front = front_end();
        int r;

        r = loop_open();
        if (r >= 0)
                r = signals_handle();
        if (r < 0)
                return error_set_errno(error, r, "Cannot make the event loop");
        front->config = config;
        front->started_usec = loop_now_usec();
        front->callers = caller_table_new(!config->is_system, config->uid);
        manager_new(config, &front->drivers, &front->manager);
        r = fiber_start("start", start_fiber, NULL);
        if (r < 0)
                return error_set_errno(error, r, "Cannot start a fiber");
        return loop_run();
}

/* What would be left to the end of the process anyway, so that a leak is seen by the tools that look for
 * one. */
static void end(void)
{
        FrontEnd *front = front_end();

        manager_close(front->drivers);
        peers_close();
        connection_close();
        clients_clear();
        jobs_clear();
        volume_users_clear();
        front->callers = caller_table_free(front->callers);
        worker_close();
        front->manager = driver_free(front->manager);
        g_clear_pointer(&front->drivers, g_ptr_array_unref);
        kept_close();
        introspect_clear();
        fiber_close();
        loop_close();
}

int main(int argc, char *argv[])
{
        _cleanup_(config_clear) Config config = {};
        _cleanup_(error_clear) Error error = {};
        _cleanup_(closep) int lock = -EBADF;
        int r;

        r = config_parse(&config, argc, argv, &error);
        if (r == 0)
                r = folders_make(&config, &error);
        if (r == 0)
                r = lock_take(&config, &lock, &error);
        if (r < 0) {
                fprintf(stderr, "virtbusd: %s\n", error.message);
                return EXIT_FAILURE;
        }
        if (r > 0)
                return EXIT_SUCCESS;
        (void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK); /* if it does not, memory is what it would be anyway */
        log_open(config.log_level);
        kept_open();
        xml_open();
        r = run(&config, &error);
        if (error_is_set(&error))
                log_error(NULL, "%s", error.message);
        if (fiber_count() > 0) {
                log_warning(NULL, "%u calls did not end in time", fiber_count());
                _exit(r < 0 ? EXIT_FAILURE : r); /* what they hold on to cannot be freed under them */
        }
        end();
        return r < 0 ? EXIT_FAILURE : r;
}
