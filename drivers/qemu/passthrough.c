/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Before a device is taken from the host a file RUN/qemu/given-NAME says so, which goes when the host has it
 * back: it is by these that a daemon finds what one before it took for a machine that is no more. */

#include "drivers/qemu/passthrough.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/host/given.h"
#include "drivers/host/pci-bind.h"
#include "drivers/host/sysfs.h"
#include "drivers/host/virtual-function.h"
#include "drivers/qemu/hostdevs.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PCI_DEVICES  "/sys/bus/pci/devices"
#define MDEV_DEVICES "/sys/bus/mdev/devices"
#define SCSI_DEVICES "/sys/bus/scsi/devices"
#define VFIO_FOLDER  "/dev/vfio"
#define VFIO_DRIVER  "vfio-pci"

#define SCSI_PREFIX "scsi "

#define NOTE_PREFIX  "given-"
#define NOTE_PART    "unfinished-given" /* until it is whole: there may be an older one */
#define NOTE_MANAGED "managed"          /* the file's content: the host's driver is to have it again */
#define NOTE_OPENED  "opened"           /* only the rights on it change */
#define NOTE_MAX     64 /* what a virtual function had follows: "managed 00:00:00:00:00:00 0 0" */

/* A QEMU that was killed a moment ago has it still, and nothing tells when it is gone from the kernel. */
#define RETRY_USEC (100 * G_TIME_SPAN_MILLISECOND)
#define BUSY_USEC  (30 * G_USEC_PER_SEC)

#define EXTRA_KIB                                                                                           \
        (UINT64_C(1024) * 1024) /* for what is no memory of the guest's: registers, screens, ROMs */

/* A device of the host by its name (drivers/host/given.h). */
typedef struct HostDevice {
        char *name;      /* NULL: it is none */
        bool is_vfio;    /* has a group, of which QEMU opens the file by itself */
        bool is_scsi;    /* its file is opened by QEMU itself, too, which has to see what it is */
        bool is_managed; /* by the host's driver, unless a machine has it */
        bool is_function;
        FunctionSettings settings; /* of a virtual function while the machine has it */
} HostDevice;

/* What the note says of a device. */
typedef struct Note {
        bool is_managed, is_function;
        FunctionSettings before; /* a virtual function's */
} Note;

static void host_device_clear(HostDevice *host)
{
        g_free(host->name);
}

static HostDevice host_pci(const DeviceAddress *address, YesNo managed)
{
        return (HostDevice){ .name = device_address_to_string(address),
                             .is_vfio = true,
                             .is_managed = managed == YES };
}

static HostDevice host_scsi(const DomainHostdev *hostdev)
{
        _cleanup_(freep) char *address = hostdevs_scsi_address(hostdev);

        if (!address || (hostdev->shareable && geteuid() != 0))
                return (HostDevice){};
        return (HostDevice){ .name = g_strconcat(SCSI_PREFIX, address, NULL), .is_scsi = true };
}

static HostDevice host_hostdev(const DomainHostdev *hostdev)
{
        if (hostdev->mode != HOSTDEV_SUBSYSTEM)
                return (HostDevice){};
        switch (hostdev->type) {
        case HOSTDEV_PCI:
                return host_pci(&hostdev->source_address, hostdev->managed);
        case HOSTDEV_MDEV:
                return (HostDevice){ .name = g_strdup(hostdev->mdev_uuid), .is_vfio = true };
        case HOSTDEV_USB: /* the address was found by hostdevs.c */
                return (HostDevice){ .name = hostdev->has_usb_bus && hostdev->missing != YES
                                                     ? g_strdup_printf("usb %u:%u", hostdev->usb_bus,
                                                                       hostdev->usb_device)
                                                     : NULL };
        case HOSTDEV_SCSI:
                return host_scsi(hostdev);
        default:
                return (HostDevice){};
        }
}

static HostDevice host_function(const DomainInterface *interface)
{
        HostDevice host = host_pci(interface_function(interface), interface->managed);

        host.is_function = true;
        g_strlcpy(host.settings.mac, interface->mac, sizeof host.settings.mac);
        if (interface->vlan && interface->vlan->tags.count > 0)
                host.settings.vlan = interface->vlan->tags.items[0]->id;
        return host;
}

static HostDevice host_device(const Device *device)
{
        const DomainDisk *disk = device->object;

        if (device->kind == DEVICE_INTERFACE && interface_function(device->object))
                return host_function(device->object);
        if (device->kind == DEVICE_HOSTDEV)
                return host_hostdev(device->object);
        if (device->kind == DEVICE_DISK && disk->type == DISK_TYPE_NVME)
                return host_pci(disk->source.address, disk->source.managed);
        return (HostDevice){};
}

/* Its folder in /sys; the caller frees. */
static char *folder_of(const char *name)
{
        if (g_str_has_prefix(name, SCSI_PREFIX))
                return g_build_filename(SCSI_DEVICES, name + strlen(SCSI_PREFIX), NULL);
        return g_build_filename(strchr(name, ':') ? PCI_DEVICES : MDEV_DEVICES, name, NULL);
}

/* What QEMU opens, "/dev/vfio/8" or "/dev/sg0"; NULL: it is in no group, or its driver is another. */
static char *node_path(const char *name)
{
        _cleanup_(freep) char *folder = NULL, *group = NULL;

        if (g_str_has_prefix(name, SCSI_PREFIX))
                return hostdevs_scsi_node(name + strlen(SCSI_PREFIX));
        folder = folder_of(name);
        group = sysfs_read_link_name(folder, "iommu_group");
        return group ? g_build_filename(VFIO_FOLDER, group, NULL) : NULL;
}

static char *note_name(const char *name)
{
        return g_strconcat(NOTE_PREFIX, name, NULL);
}

static int note_write(const QemuDriver *qemu, const char *name, const Note *note, Error *error)
{
        const char *how = note->is_managed ? NOTE_MANAGED : NOTE_OPENED;
        _cleanup_(freep) char *file = note_name(name), *content = NULL;
        _cleanup_(closep) int fd =
                openat(qemu->run_fd, NOTE_PART, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

        content = note->is_function ? g_strdup_printf("%s %s %u %u", how, note->before.mac,
                                                      note->before.vlan, note->before.priority)
                                    : g_strdup(how);
        if (fd < 0 || write(fd, content, strlen(content)) != (ssize_t)strlen(content) ||
            renameat(qemu->run_fd, NOTE_PART, qemu->run_fd, file) < 0)
                return error_set_errno(error, errno, "Cannot note in %s that %s was given away",
                                       qemu->run_path, name);
        return 0;
}

/* False: there is none. */
static bool note_read(const QemuDriver *qemu, const char *name, Note *ret_note)
{
        _cleanup_(freep) char *file = note_name(name);
        _cleanup_(closep) int fd = openat(qemu->run_fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        char text[NOTE_MAX + 1] = "", how[sizeof NOTE_MANAGED] = "";
        Note note = {};

        if (fd < 0)
                return false;
        /* An empty one was not even begun: nothing is done then that was not done before. */
        if (read(fd, text, NOTE_MAX) > 0)
                note.is_function = sscanf(text, "%7s %17s %hu %hhu", how, note.before.mac, &note.before.vlan,
                                          &note.before.priority) == 4;
        note.is_managed = strcmp(how, NOTE_MANAGED) == 0;
        *ret_note = note;
        return true;
}

static void note_remove(const QemuDriver *qemu, const char *name)
{
        _cleanup_(freep) char *file = note_name(name);

        (void)unlinkat(qemu->run_fd, file, 0); /* else the next daemon gives back what nobody has */
}

static int set_owner(const char *name, uid_t uid, Error *error)
{
        _cleanup_(freep) char *path = node_path(name), *again = NULL;
        _cleanup_(closep) int fd = path ? open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -EBADF;
        struct stat status;

        if (!path)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The device %s has no file in /dev: PCI devices need an IOMMU that is "
                                 "switched on, SCSI devices the module sg",
                                 name);
        if (fd < 0 || fstat(fd, &status) < 0)
                return error_set_errno(error, errno, "Cannot open %s, the file of device %s", path, name);
        if (!S_ISCHR(status.st_mode))
                return error_set(error, ERROR_OPERATION_FAILED, "%s is no device", path);
        again = g_strdup_printf("/proc/self/fd/%d", fd);
        if (chown(again, uid, (gid_t)-1) < 0)
                return error_set_errno(error, errno, "Cannot give %s to user %u", path, uid);
        return 0;
}

/* Bridges may stay with the host: they do nothing by themselves. */
static bool is_bridge(const char *folder)
{
        uint64_t class;

        return sysfs_read_number(folder, "class", 16, &class) && class >> 8 == 0x0604;
}

/* The devices of a group can reach each other: the kernel lets a guest have one only if the host uses none.
 */
static int check_group(const char *name, Error *error)
{
        _cleanup_(freep) char *folder = folder_of(name),
                              *devices = g_build_filename(folder, "iommu_group/devices", NULL);
        g_autoptr(GDir) names = g_dir_open(devices, 0, NULL);
        const char *other;

        while (names && (other = g_dir_read_name(names))) {
                _cleanup_(freep) char *neighbour = g_build_filename(devices, other, NULL),
                                      *driver = sysfs_read_link_name(neighbour, "driver");

                if (driver && strcmp(driver, VFIO_DRIVER) != 0 && strcmp(other, name) != 0 &&
                    strchr(other, ':') && !is_bridge(neighbour))
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "PCI device %s shares its IOMMU group with %s, which the driver "
                                         "'%s' has: all of a group go together",
                                         name, other, driver);
        }
        return 0;
}

static int read_function(const char *name, FunctionSettings *ret_settings, Error *error) AWAITS
{
        VirtualFunction function;
        int r = virtual_function_find(PCI_DEVICES, name, &function, error);

        return r < 0 ? r : virtual_function_read(&function, ret_settings, error);
}

static int set_function(const char *name, const FunctionSettings *settings, Error *error) AWAITS
{
        VirtualFunction function;
        int r = virtual_function_find(PCI_DEVICES, name, &function, error);

        return r < 0 ? r : virtual_function_set(&function, settings, error);
}

/* If that fails the host's driver has it still, and is not to be disturbed: unless an earlier machine left
 * something to be put back, of which the note was there before. */
static int prepare_host(const QemuDriver *qemu, const HostDevice *host, const Note *note, bool had_note,
                        Error *error) AWAITS
{
        _cleanup_(freep) char *folder = folder_of(host->name);
        int r = 0;

        if (host->is_function) /* before the guest's driver begins with it */
                r = set_function(host->name, &host->settings, error);
        if (r >= 0 && host->is_managed)
                r = pci_bind(folder, VFIO_DRIVER, error);
        if (r < 0 && !had_note && (!note->is_function || set_function(host->name, &note->before, NULL) >= 0))
                note_remove(qemu, host->name);
        return r;
}

/* The machine has it, but nothing was done for that yet. */
static int open_host(const Domain *domain, const HostDevice *host, const RunUser *user, Error *error) AWAITS
{
        Note note = { .is_managed = host->is_managed, .is_function = host->is_function }, old = {};
        bool had_note = false;
        int r = 0;

        if (geteuid() != 0 && host->is_function)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The MAC address of the virtual function %s is set by the card, which only "
                                 "the daemon of the system can tell it",
                                 host->name);
        if (geteuid() != 0 && host->is_managed)
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "Device %s is to be taken from the host's driver (managed='yes'), which only "
                        "the daemon of the system can do",
                        host->name);
        /* Other users are given it by whoever administers the host. */
        if ((!host->is_vfio && !host->is_scsi) || geteuid() != 0 || domain->object.owner != 0)
                return 0;
        if (host->is_function)
                r = read_function(host->name, &note.before, error);
        if (r >= 0)
                had_note = note_read(qemu_driver_of(domain), host->name, &old);
        /* What an earlier machine left, and could not be put back, is not what it was. */
        note.is_managed |= old.is_managed;
        if (old.is_function) {
                note.is_function = true;
                note.before = old.before;
        }
        if (r >= 0)
                r = note_write(qemu_driver_of(domain), host->name, &note, error);
        if (r >= 0)
                r = prepare_host(qemu_driver_of(domain), host, &note, had_note, error);
        return r >= 0 && user->is_other ? set_owner(host->name, user->uid, error) : r;
}

/* Whoever has a device that reaches all memory of its machine, and perhaps the host's, could be the host. */
static int check_owner(const Domain *domain, const char *name, Error *error)
{
        if (domain->object.driver->config->is_system && domain->object.owner != 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Only machines of root and of members of group libvirt are given devices "
                                 "like %s of the host",
                                 name);
        return 0;
}

typedef struct Reserving {
        Domain *domain;
        uint64_t deadline_usec;
        Error *error;
} Reserving;

static int reserve(const Device *device, void *data) AWAITS
{
        const Reserving *reserving = data;
        _cleanup_(host_device_clear) HostDevice host = host_device(device);
        const DomainInterface *interface = device->object;
        int r;

        if (!host.name || !host.is_vfio ||
            (device->kind == DEVICE_INTERFACE && interface->type == INTERFACE_TYPE_NETWORK))
                return 0;
        r = check_owner(reserving->domain, host.name, reserving->error);
        if (r >= 0)
                r = given_reserve(reserving->domain, host.name, reserving->deadline_usec, reserving->error);
        return MIN(r, 0);
}

int passthrough_reserve(Domain *domain, DomainDefinition *definition, uint64_t deadline_usec, Error *error)
{
        return device_foreach(definition, reserve, &(Reserving){ domain, deadline_usec, error });
}

static void clear_host(void *host)
{
        host_device_clear(host);
}

static int add_host(const Device *device, void *data)
{
        HostDevice host = host_device(device);

        if (host.name)
                g_array_append_vals(data, &host, 1);
        return 0;
}

/* The caller unrefs the array of HostDevice. */
static GArray *list_hosts(DomainDefinition *definition)
{
        GArray *hosts = g_array_new(false, false, sizeof(HostDevice));

        g_array_set_clear_func(hosts, clear_host);
        (void)device_foreach(definition, add_host, hosts); /* goes through all */
        return hosts;
}

static bool has_host(const GArray *hosts, unsigned count, const char *name)
{
        for (unsigned i = 0; i < count; i++)
                if (strcmp(g_array_index(hosts, HostDevice, i).name, name) == 0)
                        return true;
        return false;
}

static int take(Domain *domain, DomainDefinition *definition, const RunUser *user, uint64_t deadline_usec,
                Error *error) AWAITS
{
        g_autoptr(GArray) hosts = list_hosts(definition);
        g_autofree bool *is_new = g_new0(bool, hosts->len + 1);
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < hosts->len; i++) {
                const HostDevice *host = &g_array_index(hosts, HostDevice, i);

                if (has_host(hosts, i, host->name))
                        r = error_set(error, ERROR_OPERATION_INVALID,
                                      "The device %s of the host is passed twice", host->name);
                if (r >= 0 && host->is_vfio)
                        r = check_owner(domain, host->name, error);
                if (r >= 0)
                        r = given_take(domain, host->name, deadline_usec, error);
                if (r != 0)
                        continue; /* it has it already */
                is_new[i] = host->is_vfio;
                r = open_host(domain, host, user, error);
        }
        /* When all are with vfio-pci: they may be one group. */
        for (unsigned i = 0; r >= 0 && i < hosts->len; i++)
                if (is_new[i])
                        r = check_group(g_array_index(hosts, HostDevice, i).name, error);
        return MIN(r, 0);
}

int passthrough_take(Domain *domain, DomainDefinition *definition, const RunUser *user,
                     uint64_t deadline_usec, Error *error)
{
        Machine *machine = machine_of(domain);
        int r;

        machine->takes_devices = true;
        r = take(domain, definition, user, deadline_usec, error);
        machine->takes_devices = false;
        if (machine->phase != MACHINE_OFF)
                return r;
        passthrough_ended(domain);
        return r < 0 ? r
                     : error_set(error, ERROR_OPERATION_FAILED, "The %s ended",
                                 object_describe(&domain->object));
}

uint64_t passthrough_locked_bytes(DomainDefinition *definition)
{
        g_autoptr(GArray) hosts = list_hosts(definition);
        uint64_t kib = MAX(definition->memory_kib, definition->max_memory_kib);
        unsigned n_vfio = 0;

        for (unsigned i = 0; i < hosts->len; i++)
                n_vfio += g_array_index(hosts, HostDevice, i).is_vfio;
        if (n_vfio == 0)
                return 0;
        /* Behind an IOMMU of the guest's each has a view of the memory of its own. */
        return (kib * (definition->devices.iommus.count > 0 ? n_vfio : 1) + EXTRA_KIB) * 1024;
}

/* The kernel would wait for who has /dev/sgN for himself. */
static bool is_busy(const char *path)
{
        _cleanup_(closep) int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

        return fd < 0 && errno == EBUSY;
}

/* Another device of the same group that some machine has, and keeps. */
static bool shares_group(const Driver *driver, const char *name)
{
        _cleanup_(freep) char *folder = folder_of(name),
                              *devices = g_build_filename(folder, "iommu_group/devices", NULL);
        g_autoptr(GDir) names = g_dir_open(devices, 0, NULL);
        const char *other;

        while (names && (other = g_dir_read_name(names)))
                if (strcmp(other, name) != 0 && given_find(driver, other))
                        return true;
        return false;
}

/* The kernel would wait for whoever has it open, for ever if need be. */
static int wait_until_free(const char *name, const char *group, Error *error) AWAITS
{
        uint64_t until_usec = deadline_after_usec(BUSY_USEC);

        while (is_busy(group)) {
                if (deadline_after_usec(0) >= until_usec)
                        return error_set(error, ERROR_OPERATION_FAILED,
                                         "%s is still open: device %s does not go back to the host", group,
                                         name);
                if (await_until(deadline_after_usec(RETRY_USEC)) < 0)
                        return error_set(error, ERROR_CANCELLED, "The daemon ends");
        }
        return 0;
}

/* Leaves the note where it fails: the next daemon tries again. */
static int return_to_host(Driver *driver, const char *name, const Note *note, Error *error) AWAITS
{
        _cleanup_(freep) char *folder = folder_of(name), *group = node_path(name);
        bool is_shared = shares_group(driver, name);
        int r = 0;

        if (access(folder, F_OK) < 0)
                return 0; /* it is gone */
        if (group && !is_shared)
                r = wait_until_free(name, group, error);
        if (r >= 0 && note->is_function)
                r = set_function(name, &note->before, error);
        if (r >= 0 && note->is_managed)
                return pci_release(folder, error);
        if (r >= 0 && group && !is_shared && access(group, F_OK) >= 0)
                r = set_owner(name, 0, error);
        return r;
}

static void give_back(Driver *driver, const char *name) AWAITS
{
        const QemuDriver *qemu = qemu_driver(driver);
        _cleanup_(error_clear) Error error = {};
        Note note;

        if (note_read(qemu, name, &note)) {
                given_leave(driver, name);
                if (return_to_host(driver, name, &note, &error) >= 0)
                        note_remove(qemu, name);
                else
                        log_warning(driver->object.path, "%s", error.message);
        }
        given_drop(driver, name);
}

void passthrough_give_back(Domain *domain, const Device *device)
{
        _cleanup_(host_device_clear) HostDevice host = host_device(device);
        g_autoptr(GArray) kept = domain->live ? list_hosts(domain->live) : NULL;

        /* The device may have been refused because the machine has it already. */
        if (host.name && !(kept && has_host(kept, kept->len, host.name)) &&
            given_find(domain->object.driver, host.name) == domain)
                give_back(domain->object.driver, host.name);
}

typedef struct GivingBack {
        Driver *driver;
        GPtrArray *names;
} GivingBack;

/* The machine may start again before they are all back; it waits for them then. */
static void leave(const GivingBack *giving)
{
        for (unsigned i = 0; i < giving->names->len; i++)
                given_leave(giving->driver, giving->names->pdata[i]);
}

static void give_back_fiber(void *data)
{
        const GivingBack giving = *(GivingBack *)data;

        for (unsigned i = 0; i < giving.names->len; i++)
                give_back(giving.driver, giving.names->pdata[i]);
        g_ptr_array_unref(giving.names);
}

/* Takes the names over. */
static void give_back_soon(GivingBack giving)
{
        if (giving.names->len > 0) {
                leave(&giving);
                if (fiber_start("devices-back", give_back_fiber, &giving) >= 0)
                        return;
                log_warning(giving.driver->object.path, "devices of the host stay with machines that have "
                                                        "ended, until the daemon is started again");
        }
        for (unsigned i = 0; i < giving.names->len; i++)
                given_drop(giving.driver, giving.names->pdata[i]);
        g_ptr_array_unref(giving.names);
}

void passthrough_give_back_all(Domain *domain)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = given_list(domain);

        leave(&(GivingBack){ domain->object.driver, names });
        for (unsigned i = 0; i < names->len; i++)
                give_back(domain->object.driver, names->pdata[i]);
}

void passthrough_ended(Domain *domain)
{
        if (!machine_of(domain)->takes_devices) /* else it is done when all is taken that is on its way */
                give_back_soon((GivingBack){ domain->object.driver, given_list(domain) });
}

void passthrough_resume(Domain *domain)
{
        DomainDefinition *was = machine_of(domain)->was;
        g_autoptr(GArray) hosts = list_hosts(domain->live), before = was ? list_hosts(was) : NULL;

        for (unsigned i = 0; i < hosts->len; i++) {
                const char *name = g_array_index(hosts, HostDevice, i).name;

                /* What was about to be taken may be another machine's. */
                if (!before || has_host(before, before->len, name) ||
                    given_is_free(domain->object.driver, name))
                        given_note(domain, name);
        }
}

void passthrough_sweep(Driver *driver)
{
        const QemuDriver *qemu = qemu_driver(driver);
        bool has_unknown = g_hash_table_size(qemu->unknown) > 0; /* it may have any of them */
        GivingBack giving = { driver, g_ptr_array_new_with_free_func(g_free) };
        int fd = openat(qemu->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!folder)
                closep(&fd);
        while (folder && (entry = readdir(folder))) {
                const char *name = entry->d_name + strlen(NOTE_PREFIX);

                if (!g_str_has_prefix(entry->d_name, NOTE_PREFIX) ||
                    (!given_is_free(driver, name) && !given_is_held(driver, name)))
                        continue;
                if (has_unknown)
                        given_hold(driver, name);
                else
                        g_ptr_array_add(giving.names, g_strdup(name));
        }
        if (folder)
                (void)closedir(folder); /* was only read */
        give_back_soon(giving);
}
