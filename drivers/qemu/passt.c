/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* passt gets one end of a pair of sockets and QEMU the other: nobody else can connect, and when QEMU goes so
 * does passt, whether there is a daemon or not. It goes into the background when it is set up, so that its
 * first process' end says whether all went well. */

#include "drivers/qemu/passt.h"
#include "core/fiber.h"
#include "drivers/qemu/folder.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASST_FD   "3"
#define PASST_USEC (15 * G_USEC_PER_SEC)
#define OUTPUT_MAX (64 * 1024)

bool passt_is_installed(void)
{
        _cleanup_(freep) char *path = g_find_program_in_path("passt");

        return path != NULL;
}

static void add(GPtrArray *arguments, const char *option, char *value)
{
        g_ptr_array_add(arguments, g_strdup(option));
        g_ptr_array_add(arguments, value);
}

/* "ADDRESS%DEVICE/FIRST-LAST:TO-TO,~EXCLUDED", or "all". */
static int add_forward(GPtrArray *arguments, const PortForward *forward, Error *error)
{
        GString *text = g_string_new(NULL);

        if (forward->address)
                g_string_append(text, forward->address);
        if (forward->dev)
                g_string_append_printf(text, "%%%s", forward->dev);
        if (forward->ranges.count == 0 && text->len > 0) {
                g_string_free(text, TRUE);
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "A <portForward> with an address or a device needs a <range> of ports");
        }
        if (text->len > 0)
                g_string_append_c(text, '/');
        LIST_FOREACH (range, forward->ranges) {
                unsigned end = range->end ? range->end : range->start;

                if (range != forward->ranges.items[0])
                        g_string_append_c(text, ',');
                g_string_append_printf(text, "%s%u", range->exclude == YES ? "~" : "", range->start);
                if (end != range->start)
                        g_string_append_printf(text, "-%u", end);
                if (range->to && range->exclude != YES)
                        g_string_append_printf(text, ":%u", range->to);
                if (range->to && range->exclude != YES && end != range->start)
                        g_string_append_printf(text, "-%u", range->to + end - range->start);
        }
        if (text->len == 0)
                g_string_append(text, "all");
        add(arguments, forward->protocol == PORT_FORWARD_UDP ? "-u" : "-t", g_string_free(text, FALSE));
        return 0;
}

static int make_arguments(GPtrArray *arguments, const DomainInterface *interface, Error *error)
{
        int r = 0;

        add(arguments, "--fd", g_strdup(PASST_FD));
        if (interface->mtu > 0)
                add(arguments, "--mtu", g_strdup_printf("%u", interface->mtu));
        if (interface->source_dev)
                add(arguments, "--interface", g_strdup(interface->source_dev));
        if (interface->backend_log)
                add(arguments, "--log-file", g_strdup(interface->backend_log));
        LIST_FOREACH (ip, interface->ips) {
                if (!ip->address)
                        continue;
                add(arguments, "--address", g_strdup(ip->address));
                if (ip->has_prefix && ip_family(ip->address) == AF_INET)
                        add(arguments, "--netmask", g_strdup_printf("%u", ip->prefix));
        }
        LIST_FOREACH (forward, interface->port_forwards) {
                if (r >= 0)
                        r = add_forward(arguments, forward, error);
        }
        g_ptr_array_add(arguments, NULL);
        return r;
}

int passt_start(const Domain *domain, const DomainInterface *interface, const RunUser *user, int *ret_fd,
                Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(freep) char *program = g_find_program_in_path("passt"), *output = NULL,
                              *folder = folder_path(domain),
                              *tag = g_strdup_printf(FOLDER_TAG "=%s", folder);
        const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", tag,
                                            NULL };
        _cleanup_(closep) int ours = -EBADF, its = -EBADF;
        size_t size;
        int pair[2], r;

        if (!program)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "This host has no passt, which interfaces with that backend need");
        g_ptr_array_add(arguments, g_strdup(program));
        r = make_arguments(arguments, interface, error);
        if (r < 0)
                return r;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(error, errno, "Cannot make a pair of sockets for passt");
        ours = pair[0];
        its = pair[1];
        ChildOptions options = { .arguments = (const char *const *)arguments->pdata,
                                 .environment = environment,
                                 .fds = &its,
                                 .n_fds = 1,
                                 .stdin_fd = -EBADF,
                                 .stdout_fd = -EBADF,
                                 .stderr_fd = -EBADF,
                                 .new_session = true };
        run_user_become(&options, user);
        r = child_run(&options, NULL, 0, OUTPUT_MAX, deadline_after_usec(PASST_USEC), &output, &size, error);
        if (r < 0) {
                error_prefix(error, "The user network of interface %s", interface->mac);
                return r;
        }
        *ret_fd = TAKE_FD(ours);
        return 0;
}
