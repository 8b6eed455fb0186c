/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One function for each kind of event, found in a table by QEMU's name. What QEMU says is a guest's word:
 * nothing of it is believed beyond its type. Numbers are libvirt's. */

#include "drivers/qemu/notices.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/status.h"
#include "drivers/qemu/unplug.h"
#include "drivers/qemu/vcpus.h"
#include <string.h>

#define LIST_USEC (30 * G_USEC_PER_SEC)

void notice_raise(Domain *domain, const char *member, GVariant *arguments)
{
        _cleanup_(g_variant_unrefp) GVariant *owned = arguments ? g_variant_ref_sink(arguments) : NULL;

        event_raise(domain->object.driver->events, EVENT_DOMAIN_SIGNAL,
                    &(DomainSignalEvent){ .domain = domain, .member = member, .arguments = owned });
}

/* jansson lets only UTF-8 through; "" if it is no string. */
static const char *text_of(json_t *arguments, const char *key)
{
        const char *text = json_string_value(json_object_get(arguments, key));

        return text ? text : "";
}

/* The number that stands for a word: its place in the list, or `otherwise`. */
static int word_number(const char *word, const char *const *words, int otherwise)
{
        for (int i = 0; words[i]; i++)
                if (strcmp(words[i], word) == 0)
                        return i;
        return otherwise;
}

static void on_reset(Domain *domain, json_t *arguments)
{
        (void)arguments;
        notice_raise(domain, "Reboot", NULL);
}

static void on_rtc_change(Domain *domain, json_t *arguments)
{
        int64_t offset_sec = (int64_t)json_integer_value(json_object_get(arguments, "offset"));

        if (__builtin_add_overflow(offset_sec, machine_of(domain)->clock_base_sec, &offset_sec))
                return;
        if (domain->live && domain->live->clock.offset == CLOCK_VARIABLE) {
                g_free(domain->live->clock.adjustment);
                domain->live->clock.adjustment = g_strdup_printf("%" G_GINT64_FORMAT, offset_sec);
                status_save_soon(domain);
        }
        notice_raise(domain, "RTCChange", g_variant_new("(x)", offset_sec));
}

static void on_balloon_change(Domain *domain, json_t *arguments)
{
        json_int_t actual = json_integer_value(json_object_get(arguments, "actual"));
        uint64_t actual_kib = actual > 0 ? (uint64_t)actual / 1024 : 0;

        if (!domain->live || actual_kib == 0)
                return;
        if (domain->live->current_memory_kib != actual_kib) {
                domain->live->current_memory_kib = actual_kib;
                object_changed(&domain->object, "MemoryKiB");
                status_save_soon(domain);
        }
        notice_raise(domain, "BalloonChange", g_variant_new("(t)", actual_kib));
}

/* "virtio-disk0" of ".../virtio-disk0/virtio-backend", or of "drive-virtio-disk0" or a device's own id. */
static char *alias_of(json_t *arguments)
{
        const char *path = text_of(arguments, "qom-path"), *device = text_of(arguments, "device");
        _cleanup_(strvp) char **parts = NULL;

        if (g_str_has_prefix(path, "/machine/peripheral/")) {
                parts = g_strsplit(path + strlen("/machine/peripheral/"), "/", 2);
                return g_strdup(parts[0] ? parts[0] : "");
        }
        return g_strdup(g_str_has_prefix(device, "drive-") ? device + strlen("drive-") : device);
}

static const DomainDisk *find_disk(const Domain *domain, const char *alias)
{
        if (!domain->live)
                return NULL;
        LIST_FOREACH (disk, domain->live->devices.disks) {
                if (g_strcmp0(disk->info.alias, alias) == 0)
                        return disk;
        }
        return NULL;
}

static void on_block_io_error(Domain *domain, json_t *arguments)
{
        static const char *const actions[] = { "ignore", "stop", "report", NULL };
        _cleanup_(freep) char *alias = alias_of(arguments);
        const DomainDisk *disk = find_disk(domain, alias);
        const char *source = disk && disk->source.file ? disk->source.file : NULL;
        int action = word_number(text_of(arguments, "action"), actions, 0);

        if (!source && disk && disk->source.dev)
                source = disk->source.dev;
        if (action == 1)
                machine_of(domain)->pause_reason = PAUSED_REASON_IOERROR;
        notice_raise(domain, "IOError",
                     g_variant_new("(ssis)", source ? source : "", alias, action,
                                   json_is_true(json_object_get(arguments, "nospace")) ? "enospc" : ""));
}

/* It comes once, from the file below the disk's format. */
static void on_block_write_threshold(Domain *domain, json_t *arguments)
{
        const char *node = text_of(arguments, "node-name");
        json_int_t threshold = json_integer_value(json_object_get(arguments, "write-threshold"));
        json_int_t excess = json_integer_value(json_object_get(arguments, "amount-exceeded"));

        if (!domain->live || threshold < 0 || excess < 0)
                return;
        LIST_FOREACH (disk, domain->live->devices.disks) {
                _cleanup_(freep) char *own = chain_storage_node(disk, disk->source.index);
                const char *path = chain_path(&disk->source);

                if (strcmp(own, node) == 0)
                        notice_raise(domain, "BlockThreshold",
                                     g_variant_new("(sstt)", disk->target, path ? path : "",
                                                   (guint64)threshold, (guint64)excess));
        }
}

static void on_watchdog(Domain *domain, json_t *arguments)
{
        static const char *const actions[] = { "none",     "pause", "reset",      "poweroff",
                                               "shutdown", "debug", "inject-nmi", NULL };
        int action = word_number(text_of(arguments, "action"), actions, 0);

        if (action == 1)
                machine_of(domain)->pause_reason = PAUSED_REASON_WATCHDOG;
        notice_raise(domain, "Watchdog", g_variant_new("(i)", action));
}

typedef struct Told {
        Domain *domain; /* counted */
        char *alias;
        uint64_t run;
} Told;

static bool is_listed(json_t *peripherals, const char *alias)
{
        json_t *item;
        size_t i;

        json_array_foreach(peripherals, i,
                           item) if (g_strcmp0(json_string_value(json_object_get(item, "name")), alias) ==
                                     0) return true;
        return false;
}

static void told_fiber(void *data)
{
        Told *told = data;
        Machine *machine = machine_of(told->domain);
        _cleanup_(json_decrefp) json_t *peripherals = NULL;

        /* Without an answer QEMU's word has to do. */
        if (machine->run == told->run && machine_has_monitor(machine))
                (void)qmp_call(machine->qmp, "qom-list", json_pack("{s:s}", "path", "/machine/peripheral"),
                               deadline_after_usec(LIST_USEC), &peripherals, NULL);
        condition_wake_all(&machine->changed);
        if (machine->run == told->run && told->domain->live && !is_listed(peripherals, told->alias)) {
                unplug_begin(told->domain, told->alias);
                notice_raise(told->domain, "DeviceRemoved", g_variant_new("(s)", told->alias));
        }
        domain_unref(told->domain);
        g_free(told->alias);
        g_free(told);
}

/* QEMU says so late: if another device has the alias by now, only what waits for the first goes on. */
static void on_device_gone(Domain *domain, const char *alias)
{
        Told *told = g_new(Told, 1);

        *told = (Told){ .domain = domain_ref(domain),
                        .alias = g_strdup(alias),
                        .run = machine_of(domain)->run };
        if (fiber_start("qemu-unplug", told_fiber, told) >= 0)
                return;
        log_warning(domain->object.path, "device %s of machine %s went unseen", alias, domain->object.name);
        domain_unref(domain);
        g_free(told->alias);
        g_free(told);
}

static void on_device_deleted(Domain *domain, json_t *arguments)
{
        const char *alias = text_of(arguments, "device");

        if (!*alias || vcpus_removed(domain, alias))
                return;
        on_device_gone(domain, alias);
}

static void on_device_unplug_error(Domain *domain, json_t *arguments)
{
        const char *alias = text_of(arguments, "device");

        if (!*alias)
                return;
        g_free(machine_of(domain)->kept_alias);
        machine_of(domain)->kept_alias = g_strdup(alias);
        condition_wake_all(&machine_of(domain)->changed);
        notice_raise(domain, "DeviceRemovalFailed", g_variant_new("(s)", alias));
}

static void on_device_tray_moved(Domain *domain, json_t *arguments)
{
        const char *alias = text_of(arguments, "id");
        bool is_open = json_is_true(json_object_get(arguments, "tray-open"));

        notice_raise(domain, "TrayChange",
                     g_variant_new("(si)", *alias ? alias : text_of(arguments, "device"), is_open ? 0 : 1));
}

static const char *const families[] = { "ipv4", "ipv6", "unix", NULL };

static GVariant *graphics_address(json_t *address)
{
        const char *service = text_of(address, "service"), *port = text_of(address, "port");

        return g_variant_new("(iss)", word_number(text_of(address, "family"), families, 0),
                             text_of(address, "host"), *service ? service : port);
}

static void graphics(Domain *domain, json_t *arguments, int phase)
{
        static const struct {
                const char *key, *type;
        } known[] = { { "x509_dname", "x509dname" }, { "sasl_username", "saslUsername" } };
        json_t *client = json_object_get(arguments, "client"),
               *server = json_object_get(arguments, "server");
        const char *scheme = text_of(server, "auth");
        GVariantBuilder identities;

        g_variant_builder_init(&identities, G_VARIANT_TYPE("a(ss)"));
        for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
                if (*text_of(client, known[i].key))
                        g_variant_builder_add(&identities, "(ss)", known[i].type,
                                              text_of(client, known[i].key));
        notice_raise(domain, "Graphics",
                     g_variant_new("(i@(iss)@(iss)s@a(ss))", phase, graphics_address(server),
                                   graphics_address(client), scheme, g_variant_builder_end(&identities)));
}

static void on_graphics_connected(Domain *domain, json_t *arguments)
{
        graphics(domain, arguments, 0);
}

static void on_graphics_initialized(Domain *domain, json_t *arguments)
{
        graphics(domain, arguments, 1);
}

static void on_graphics_disconnected(Domain *domain, json_t *arguments)
{
        graphics(domain, arguments, 2);
}

static void on_port_change(Domain *domain, json_t *arguments)
{
        bool is_open = json_is_true(json_object_get(arguments, "open"));
        const char *alias = text_of(arguments, "id");

        if (!domain->live)
                return;
        LIST_FOREACH (channel, domain->live->devices.channels) {
                if (g_strcmp0(channel->info.alias, alias) != 0)
                        continue;
                channel->state = is_open ? CHANNEL_CONNECTED : CHANNEL_DISCONNECTED;
                status_save_soon(domain);
                if (g_strcmp0(channel->name, "org.qemu.guest_agent.0") != 0)
                        continue;
                machine_of(domain)->agent_is_there = is_open;
                notice_raise(domain, "AgentEvent", g_variant_new("(ii)", is_open ? 1 : 2, 2));
        }
}

/* The guest sees its cable pulled out. A netdev is "host" and the card's alias (command/interface.c). */
void notice_lost_network(Domain *domain, const char *netdev)
{
        log_warning(domain->object.path, "machine %s has lost the user network of %s", domain->object.name,
                    netdev);
        if (!domain->live || !g_str_has_prefix(netdev, "host"))
                return;
        LIST_FOREACH (interface, domain->live->devices.interfaces) {
                if (g_strcmp0(interface->info.alias, netdev + strlen("host")) != 0)
                        continue;
                interface->link = LINK_DOWN;
                qmp_command_free(qmp_send(machine_of(domain)->qmp, "set_link",
                                          json_pack("{s:s, s:b}", "name", interface->info.alias, "up", 0),
                                          -EBADF)); /* if QEMU refuses, the log has it already */
                status_save_soon(domain);
        }
}

/* passt has ended, or was ended. */
static void on_stream_disconnected(Domain *domain, json_t *arguments)
{
        notice_lost_network(domain, text_of(arguments, "netdev-id"));
}

static const struct {
        const char *event;
        void (*handle)(Domain *domain, json_t *arguments);
} notices[] = {
        { "BALLOON_CHANGE", on_balloon_change },
        { "BLOCK_IO_ERROR", on_block_io_error },
        { "BLOCK_WRITE_THRESHOLD", on_block_write_threshold },
        { "DEVICE_DELETED", on_device_deleted },
        { "DEVICE_TRAY_MOVED", on_device_tray_moved },
        { "DEVICE_UNPLUG_GUEST_ERROR", on_device_unplug_error },
        { "NETDEV_STREAM_DISCONNECTED", on_stream_disconnected },
        { "RESET", on_reset },
        { "RTC_CHANGE", on_rtc_change },
        { "SPICE_CONNECTED", on_graphics_connected },
        { "SPICE_DISCONNECTED", on_graphics_disconnected },
        { "SPICE_INITIALIZED", on_graphics_initialized },
        { "VNC_CONNECTED", on_graphics_connected },
        { "VNC_DISCONNECTED", on_graphics_disconnected },
        { "VNC_INITIALIZED", on_graphics_initialized },
        { "VSERPORT_CHANGE", on_port_change },
        { "WATCHDOG", on_watchdog },
};

bool notice_handle(Domain *domain, const char *event, json_t *arguments)
{
        for (size_t i = 0; i < G_N_ELEMENTS(notices); i++)
                if (strcmp(notices[i].event, event) == 0) {
                        notices[i].handle(domain, arguments);
                        return true;
                }
        return false;
}
