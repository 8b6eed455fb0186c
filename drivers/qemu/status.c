/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The file of a run is written before the guest runs and whenever something changes that a later daemon must
 * know. It stands beside the folder with QEMU's sockets, where only the daemon can write. */

#include "drivers/qemu/status.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/store.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

/* The numbers in it. */
static const struct {
        const char *name;
        size_t offset;
        uint64_t max;
} numbers[] = {
        { "pid", offsetof(Status, pid), INT32_MAX },
        { "start-time", offsetof(Status, start_time), UINT64_MAX },
        { "started-at", offsetof(Status, started_at_usec), UINT64_MAX },
        { "created-at", offsetof(Status, created_at_usec), UINT64_MAX },
        { "sequence", offsetof(Status, sequence), UINT64_MAX },
        { "state", offsetof(Status, state), _DOMAIN_STATE_MAX - 1 },
        { "reason", offsetof(Status, reason), 100 },
        { "owner", offsetof(Status, owner), UINT32_MAX - 1 },
};

static uint64_t *number_at(Status *status, size_t i)
{
        return (uint64_t *)(void *)((char *)status + numbers[i].offset);
}

static Status status_of(const Domain *domain)
{
        const Machine *machine = machine_of(domain);

        return (Status){
                .pid = (uint64_t)child_get_pid(machine->child),
                .start_time = child_get_start_time(machine->child),
                .started_at_usec = domain->started_at_usec,
                .created_at_usec = domain->created_at_usec,
                .sequence = domain->sequence,
                .state = (uint64_t)domain->state,
                .reason = (uint64_t)domain->reason,
                .owner = domain->object.owner,
        };
}

static char *status_format(const Domain *domain)
{
        _cleanup_(freep) char *xml =
                domain_definition_format(domain->live, DEFINITION_SECURE | DEFINITION_STATUS);
        Status status = status_of(domain);
        XmlWriter *writer = xml_writer_new();
        char text[24];

        xml_writer_open(writer, "run");
        for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
                g_snprintf(text, sizeof text, "%" PRIu64, *number_at(&status, i));
                xml_writer_attribute(writer, numbers[i].name, text);
        }
        xml_writer_attribute(writer, "persistent", domain->is_persistent ? "yes" : "no");
        xml_writer_attribute(writer, "updated", domain->is_updated ? "yes" : "no");
        xml_writer_raw(writer, xml);
        xml_writer_close(writer);
        return xml_writer_finish(writer);
}

static char *file_name(const Domain *domain)
{
        return g_strconcat(domain->object.uuid, ".xml", NULL);
}

int status_store(Domain *domain, Error *error)
{
        _cleanup_(freep) char *name = file_name(domain), *text = status_format(domain);
        int r;

        r = store_write(qemu_driver(domain->object.driver)->runs_fd, name, text, strlen(text), 0600, error);
        if (r < 0)
                error_prefix(error, "The state of %s is not stored", object_describe(&domain->object));
        else if (!domain_is_active(domain)) /* it ended while the disk worked */
                status_remove(domain);
        return r;
}

static void store_fiber(void *data)
{
        _cleanup_(domain_unrefp) Domain *domain = data;
        _cleanup_(error_clear) Error error = {};

        if (domain_is_active(domain) && machine_of(domain) && status_store(domain, &error) < 0)
                log_warning(domain->object.path, "%s", error.message);
}

static void store_now(void *data)
{
        Domain *domain = data;

        if (fiber_start("status", store_fiber, domain) < 0) {
                log_warning(domain->object.path, "the state is not stored: too much is going on");
                domain_unref(domain);
        }
}

void status_store_soon(Domain *domain)
{
        loop_defer(store_now, domain_ref(domain));
}

void status_remove(Domain *domain)
{
        _cleanup_(freep) char *name = file_name(domain);

        /* Not fsynced: a file that comes back after a crash of the host names a process that is no longer
         * there. */
        if (unlinkat(qemu_driver(domain->object.driver)->runs_fd, name, 0) < 0 && errno != ENOENT)
                log_warning(domain->object.path, "cannot remove the file of the run: %s", g_strerror(errno));
}

void status_clear(Status *status)
{
        domain_definition_free(status->live);
        *status = (Status){};
}

static bool is_yes(const XmlNode *node, const char *name)
{
        const char *text = xml_attribute(node, name);

        return text && strcmp(text, "yes") == 0;
}

static int status_parse(const XmlNode *root, Status *status, Error *error)
{
        const XmlNode *node = xml_child(root, "domain");
        void *live;
        int r;

        if (strcmp(root->name, "run") != 0 || !node)
                return error_set(error, ERROR_INVALID_XML, "this is no run of a machine");
        for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
                const char *text = xml_attribute(root, numbers[i].name);
                guint64 value;

                if (!text || !g_ascii_string_to_unsigned(text, 10, 0, numbers[i].max, &value, NULL))
                        return error_set(error, ERROR_INVALID_XML, "@%s is missing or no number",
                                         numbers[i].name);
                *number_at(status, i) = value;
        }
        status->is_persistent = is_yes(root, "persistent");
        status->is_updated = is_yes(root, "updated");
        r = struct_parse(&domain_definition_type, node, DEFINITION_STATUS, &live, error);
        if (r >= 0)
                status->live = live;
        return r;
}

int status_read(int folder_fd, const char *name, Status *ret_status, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(status_clear) Status status = {};
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = store_read(folder_fd, name, XML_SIZE_MAX, &text, &size, error);
        if (r >= 0)
                r = xml_parse(text, size, name, &document, error);
        if (r >= 0)
                r = status_parse(xml_document_root(document), &status, error);
        if (r < 0)
                return r;
        *ret_status = status;
        status = (Status){};
        return 0;
}
