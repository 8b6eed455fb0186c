/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a guest shares with the host or with other guests: memory (<shmem>), a socket (<vsock>), the host's
 * cryptography (<crypto>). */

#include "drivers/qemu/command/device.h"
#include <string.h>

/* What libvirt's tools expect where no path is given. */
#define SHMEM_FOLDER  "/dev/shm"
#define SERVER_FORMAT "/var/lib/libvirt/shmem-%s-sock"

static void add_shared_memory(CommandLine *line, const DomainShmem *shmem, json_t *device)
{
        _cleanup_(freep) char *id = g_strdup_printf("shmmem-%s", shmem->info.alias),
                              *path = g_build_filename(SHMEM_FOLDER, shmem->name, NULL);
        uint64_t size_mib = shmem->size_mib > 0 ? shmem->size_mib : 4;

        command_add_json(line, "-object",
                         json_pack("{s:s, s:s, s:s, s:I, s:b}", "qom-type", "memory-backend-file", "id", id,
                                   "mem-path", path, "size", (json_int_t)(size_mib * 1024 * 1024), "share",
                                   1));
        json_set_string(device, "memdev", id);
        if (shmem->role == SHMEM_MASTER)
                json_set_bool(device, "master", true);
        else if (shmem->role == SHMEM_PEER)
                json_set_bool(device, "master", false);
}

static void add_server(CommandLine *line, const DomainShmem *shmem, json_t *device)
{
        _cleanup_(freep) char *id = g_strdup_printf("char%s", shmem->info.alias),
                              *path = shmem->server_path ? g_strdup(shmem->server_path)
                                                         : g_strdup_printf(SERVER_FORMAT, shmem->name);
        _cleanup_(freep) char *escaped = command_escape(path);

        command_add_option(line, "-chardev", "socket,id=%s,path=%s", id, escaped);
        json_set_string(device, "chardev", id);
        json_set_number(device, "vectors", shmem->msi_vectors);
        json_set_on_off(device, "ioeventfd", shmem->msi_ioeventfd);
        if (shmem->role == SHMEM_MASTER)
                json_set_bool(device, "master", true);
        else if (shmem->role == SHMEM_PEER)
                json_set_bool(device, "master", false);
}

int command_shmem(CommandLine *line, const DomainShmem *shmem, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        int r;

        if (shmem->model == SHMEM_IVSHMEM || shmem->model == SHMEM_MODEL_ABSENT)
                return device_unsupported(error, "QEMU has no <shmem> of model 'ivshmem': ivshmem-plain and "
                                                 "ivshmem-doorbell took its place");
        if (strchr(shmem->name, '/'))
                return error_set(error, ERROR_INVALID_XML, "<shmem>: '%s' is a path, not a name",
                                 shmem->name);
        device = device_new(shmem_model_to_string(shmem->model), &shmem->info);
        if (shmem->model == SHMEM_IVSHMEM_PLAIN)
                add_shared_memory(line, shmem, device);
        else
                add_server(line, shmem, device);
        r = device_set_info(line, device, &shmem->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

int command_vsock(CommandLine *line, const DomainVsock *vsock, Error *error)
{
        _cleanup_(freep) char *driver = device_virtio_driver("vhost-vsock", &vsock->info, vsock->model),
                              *fd = NULL;
        _cleanup_(json_decrefp) json_t *device = device_new(driver, &vsock->info);
        int r;

        if (vsock->cid == 0 && line->host.runs)
                return error_set(error, ERROR_INTERNAL, "No number was chosen for <vsock>");
        /* 3 is the first that a guest can have. */
        json_set_number(device, "guest-cid", vsock->cid > 0 ? vsock->cid : 3);
        if (line->host.passes_files || !line->host.runs) /* otherwise QEMU opens it, if its user may */
                fd = command_descriptor(line, "/dev/vhost-vsock");
        json_set_string(device, "vhostfd", fd);
        device_set_virtio(device, &vsock->virtio);
        r = device_set_info(line, device, &vsock->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

int command_crypto(CommandLine *line, const DomainCrypto *crypto, Error *error)
{
        _cleanup_(freep) char *id = g_strdup_printf("obj%s", crypto->info.alias),
                              *type = g_strdup_printf("cryptodev-backend-%s",
                                                      crypto_backend_to_string(crypto->backend)),
                              *driver = device_virtio_driver("virtio-crypto", &crypto->info,
                                                             VIRTIO_MODEL_VIRTIO);
        _cleanup_(json_decrefp) json_t *device = device_new(driver, &crypto->info);
        json_t *object = json_pack("{s:s, s:s}", "qom-type", type, "id", id);
        int r;

        json_set_number(object, "queues", crypto->queues);
        command_add_json(line, "-object", object);
        json_set_string(device, "cryptodev", id);
        device_set_virtio(device, &crypto->virtio);
        r = device_set_info(line, device, &crypto->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}
