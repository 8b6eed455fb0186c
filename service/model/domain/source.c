/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the bytes of a disk are: files, hosts, pools, and the secrets that open them. What is common to
 * disks and to the images below them. */

#include "model/domain/disk.h"
#include <stdlib.h>
#include <string.h>

DEFINE_ENUM(disk_protocol, DISK_PROTOCOLS);
DEFINE_ENUM(disk_transport, DISK_TRANSPORTS);
DEFINE_ENUM(secret_type, SECRET_TYPES);
DEFINE_ENUM(encryption_format, ENCRYPTION_FORMATS);
DEFINE_ENUM(encryption_engine, ENCRYPTION_ENGINES);
DEFINE_ENUM(disk_pool_mode, DISK_POOL_MODES);
DEFINE_ENUM(startup_policy, STARTUP_POLICIES);

#define THIS SecretReference
static const Field secret_reference_fields[] = {
        ENUM("@type", type, secret_type, .flags = FIELD_NO_ABI),
        UUID("@uuid", uuid, .flags = FIELD_NO_ABI),
        STRING("@usage", usage, .flags = FIELD_NO_ABI),
};
#undef THIS

static int secret_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const SecretReference *secret = object;

        (void)flags;
        if (!*secret->uuid == !secret->usage)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <secret>: either @uuid or @usage is needed",
                                 node ? node->line : 0);
        return 0;
}

static DEFINE_STRUCT(secret_reference, SecretReference, .check = secret_check);

#define THIS DiskAuth
static const Field disk_auth_fields[] = {
        STRING("@username", username, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY | FIELD_NO_ABI),
        INLINE("secret", secret, secret_reference),
};
#undef THIS

static int auth_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DiskAuth *auth = object;

        (void)flags;
        if (auth->secret.type != SECRET_TYPE_CEPH && auth->secret.type != SECRET_TYPE_ISCSI)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <auth>: a <secret> of type ceph or iscsi is needed",
                                 node ? node->line : 0);
        return 0;
}

DEFINE_STRUCT(disk_auth, DiskAuth, .check = auth_check);

#define THIS DiskEncryption
static const Field disk_encryption_fields[] = {
        ENUM("@format", format, encryption_format, .flags = FIELD_REQUIRED | FIELD_ALWAYS | FIELD_NO_ABI),
        ENUM("@engine", engine, encryption_engine, .flags = FIELD_NO_ABI),
        ITEMS("secret", secrets, secret_reference, .flags = FIELD_NO_ABI),
        STRING("cipher/@name", cipher_name),
        UNSIGNED("cipher/@size", cipher_size),
        STRING("cipher/@mode", cipher_mode),
        STRING("cipher/@hash", cipher_hash),
        STRING("ivgen/@name", ivgen_name),
        STRING("ivgen/@hash", ivgen_hash),
};
#undef THIS

static int encryption_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DiskEncryption *encryption = object;
        unsigned line = node ? node->line : 0;

        (void)flags;
        LIST_FOREACH (secret, encryption->secrets)
                if (secret->type != SECRET_TYPE_PASSPHRASE)
                        return error_set(error, ERROR_INVALID_XML,
                                         "line %u: <encryption>: a <secret> of type passphrase is expected",
                                         line);
        if (!encryption->cipher_name != (encryption->cipher_size == 0))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <encryption>: <cipher> needs @name and @size", line);
        return 0;
}

DEFINE_STRUCT(disk_encryption, DiskEncryption, .check = encryption_check);

#define THIS DiskHost
static const Field disk_host_fields[] = {
        STRING("@name", name),
        STRING("@port", port),
        ENUM("@transport", transport, disk_transport),
        STRING("@socket", socket),
};
#undef THIS

static int host_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DiskHost *host = object;
        unsigned line = node ? node->line : 0;

        (void)flags;
        if (host->transport == DISK_TRANSPORT_TCP) /* what no transport means */
                host->transport = DISK_TRANSPORT_ABSENT;
        if (host->transport == DISK_TRANSPORT_UNIX ? !host->socket : !host->name)
                return error_set(error, ERROR_INVALID_XML, "line %u: <host>: @%s is missing", line,
                                 host->transport == DISK_TRANSPORT_UNIX ? "socket" : "name");
        if (host->transport != DISK_TRANSPORT_UNIX && host->socket)
                return error_set(error, ERROR_INVALID_XML, "line %u: <host>: @socket needs transport='unix'",
                                 line);
        if (host->port && (strlen(host->port) > 5 || host->port[strspn(host->port, G_CSET_DIGITS)] ||
                           atoi(host->port) > 65535))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <host>: port='%s': a number up to 65535 is expected", line,
                                 host->port);
        return 0;
}

DEFINE_STRUCT(disk_host, DiskHost, .check = host_check);

#define THIS DiskCookie
static const Field disk_cookie_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        STRING(".", value, .flags = FIELD_SECRET),
};
#undef THIS
static DEFINE_STRUCT(disk_cookie, DiskCookie);

#define THIS DiskSlice
static const Field disk_slice_fields[] = {
        STRING("@type", type, .flags = FIELD_REQUIRED),
        UNSIGNED("@offset", offset, .flags = FIELD_REQUIRED),
        UNSIGNED("@size", size, .flags = FIELD_REQUIRED),
};
#undef THIS

static int slice_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DiskSlice *slice = object;

        (void)flags;
        if (!g_str_equal(slice->type, "storage") || slice->size == 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <slice>: type='storage' and a size above 0 are expected",
                                 node ? node->line : 0);
        return 0;
}

static DEFINE_STRUCT(disk_slice, DiskSlice, .check = slice_check);

#define THIS DiskSource
static const Field disk_source_fields[] = {
        ENUM("@protocol", protocol, disk_protocol),
        STRING("@file", file, .flags = FIELD_NO_ABI),
        STRING("@dev", dev, .flags = FIELD_NO_ABI),
        STRING("@dir", dir, .flags = FIELD_NO_ABI),
        STRING("@type", nvme_type, .flags = FIELD_NO_ABI),
        STRING("@type", vhost_type, .flags = FIELD_NO_ABI),
        STRING("@dev", vdpa_dev, .flags = FIELD_NO_ABI),
        YESNO("@managed", managed, .flags = FIELD_NO_ABI),
        UNSIGNED("@namespace", namespace_id, .flags = FIELD_NO_ABI),
        STRING("@path", vhost_path, .flags = FIELD_NO_ABI),
        STRING("@name", name, .flags = FIELD_NO_ABI),
        STRING("@query", query, .flags = FIELD_NO_ABI),
        STRING("@pool", pool, .flags = FIELD_NO_ABI),
        STRING("@volume", volume, .flags = FIELD_NO_ABI),
        ENUM("@mode", pool_mode, disk_pool_mode, .flags = FIELD_NO_ABI),
        YESNO("@tls", tls, .flags = FIELD_NO_ABI),
        STRING("@tlsHostname", tls_hostname, .flags = FIELD_NO_ABI),
        STRING("@fdgroup", fd_group, .flags = FIELD_NO_ABI),
        ENUM("@startupPolicy", startup_policy, startup_policy, .flags = FIELD_NO_ABI),
        UNSIGNED("@index", index, .flags = FIELD_LIVE | FIELD_NO_ABI),
        STRUCT("address", address, host_pci_address),
        ITEMS("host", hosts, disk_host, .flags = FIELD_NO_ABI),
        STRING("snapshot/@name", snapshot_name),
        STRING("config/@file", config_file),
        STRING("initiator/iqn/@name", initiator_iqn),
        YESNO("ssl/@verify", ssl_verify),
        ITEMS("cookies/cookie", cookies, disk_cookie),
        FIELD_(FIELD_UNSIGNED, "readahead/@size", readahead),
        UNSIGNED("timeout/@seconds", timeout_seconds, .has_offset = offsetof(THIS, has_timeout)),
        YESNO("reconnect/@enabled", reconnect_enabled),
        UNSIGNED("reconnect/@timeout", reconnect_timeout),
        UNSIGNED("reconnect/@delay", reconnect_delay),
        STRING("identity/@username", ssh_username),
        STRING("identity/@keyfile", ssh_keyfile),
        STRING("identity/@agentsock", ssh_agent_sock),
        STRING("knownHosts/@path", ssh_known_hosts),
        STRING("identity/@user", identity_user),
        STRING("identity/@group", identity_group),
        ITEMS("seclabel", seclabels, security_label, .flags = FIELD_NO_ABI),
        ITEMS("slices/slice", slices, disk_slice),
        STRUCT("auth", auth, disk_auth),
        YESNO("reservations/@managed", reservations_managed),
        STRING("reservations/source/@type", reservations_type),
        STRING("reservations/source/@path", reservations_path),
        STRING("reservations/source/@mode", reservations_mode),
        STRUCT("encryption", encryption, disk_encryption),
};
#undef THIS

static int reservations_check(const DiskSource *source, unsigned line, Error *error)
{
        bool has_source =
                source->reservations_type || source->reservations_path || source->reservations_mode;

        if (source->reservations_managed == YES_NO_ABSENT && has_source)
                return error_set(error, ERROR_INVALID_XML, "line %u: <reservations>: @managed is missing",
                                 line);
        if (source->reservations_managed != NO)
                return 0;
        if (g_strcmp0(source->reservations_type, "unix") != 0 || !source->reservations_path ||
            g_strcmp0(source->reservations_mode, "client") != 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <reservations>: managed='no' needs a <source> with type='unix', "
                                 "mode='client' and @path",
                                 line);
        return 0;
}

static int source_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DiskSource *source = object;
        unsigned line = node ? node->line : 0;

        (void)flags;
        if (source->reconnect_enabled == YES && source->reconnect_timeout == 0)
                return error_set(error, ERROR_INVALID_XML, "line %u: <reconnect>: @timeout is missing",
                                 line);
        for (uint32_t i = 0; i < source->cookies.count; i++)
                for (uint32_t k = 0; k < i; k++)
                        if (g_str_equal(source->cookies.items[i]->name, source->cookies.items[k]->name))
                                return error_set(error, ERROR_INVALID_XML,
                                                 "line %u: <cookies>: '%s' stands there twice", line,
                                                 source->cookies.items[i]->name);
        return reservations_check(source, line, error);
}

DEFINE_STRUCT(disk_source, DiskSource, .check = source_check);

bool disk_source_is_empty(const DiskSource *source)
{
        return !source->file && !source->dev && !source->dir && !source->name && !source->volume &&
               source->hosts.count == 0 && !source->vhost_path && !source->vdpa_dev && !source->nvme_type &&
               !source->fd_group;
}

/* An attribute means something for some types only, and one name can be that of different things: what does
 * not belong to the type was not said. */
static void drop_foreign(DiskSource *source)
{
        static const struct {
                uint32_t offset;
                uint16_t types;
        } members[] = {
                { offsetof(DiskSource, file), BIT(DISK_TYPE_FILE) },
                { offsetof(DiskSource, fd_group), BIT(DISK_TYPE_FILE) },
                { offsetof(DiskSource, dev), BIT(DISK_TYPE_BLOCK) },
                { offsetof(DiskSource, vdpa_dev), BIT(DISK_TYPE_VHOSTVDPA) },
                { offsetof(DiskSource, dir), BIT(DISK_TYPE_DIR) },
                { offsetof(DiskSource, nvme_type), BIT(DISK_TYPE_NVME) },
                { offsetof(DiskSource, vhost_type), BIT(DISK_TYPE_VHOSTUSER) },
                { offsetof(DiskSource, vhost_path), BIT(DISK_TYPE_VHOSTUSER) },
                { offsetof(DiskSource, name), BIT(DISK_TYPE_NETWORK) },
                { offsetof(DiskSource, query), BIT(DISK_TYPE_NETWORK) },
                { offsetof(DiskSource, tls_hostname), BIT(DISK_TYPE_NETWORK) },
                { offsetof(DiskSource, snapshot_name), BIT(DISK_TYPE_NETWORK) },
                { offsetof(DiskSource, config_file), BIT(DISK_TYPE_NETWORK) },
                { offsetof(DiskSource, pool), BIT(DISK_TYPE_VOLUME) },
                { offsetof(DiskSource, volume), BIT(DISK_TYPE_VOLUME) },
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(members); i++)
                if (!(members[i].types & BIT(source->type)))
                        g_clear_pointer((char **)((char *)source + members[i].offset), g_free);
        if (source->type != DISK_TYPE_NETWORK)
                source->protocol = DISK_PROTOCOL_NONE;
        if (source->type != DISK_TYPE_NETWORK)
                while (source->hosts.count > 0)
                        struct_free(&disk_host_type, list_remove(&source->hosts, 0));
}

static void complete_ports(DiskSource *source)
{
        static const uint16_t ports[] = {
                [DISK_PROTOCOL_NBD] = 10809,     [DISK_PROTOCOL_SHEEPDOG] = 7000,
                [DISK_PROTOCOL_GLUSTER] = 24007, [DISK_PROTOCOL_ISCSI] = 3260,
                [DISK_PROTOCOL_HTTP] = 80,       [DISK_PROTOCOL_HTTPS] = 443,
                [DISK_PROTOCOL_FTP] = 21,        [DISK_PROTOCOL_FTPS] = 990,
                [DISK_PROTOCOL_TFTP] = 69,       [DISK_PROTOCOL_SSH] = 22,
                [DISK_PROTOCOL_VXHS] = 9999,
        };
        unsigned port = source->protocol < G_N_ELEMENTS(ports) ? ports[source->protocol] : 0;

        LIST_FOREACH (host, source->hosts)
                if (port > 0 && !host->port && host->transport == DISK_TRANSPORT_ABSENT)
                        host->port = g_strdup_printf("%u", port);
}

static int network_check(const DiskSource *source, unsigned line, Error *error)
{
        bool has_pool = source->protocol == DISK_PROTOCOL_RBD || source->protocol == DISK_PROTOCOL_GLUSTER;
        const char *slash = source->name ? strchr(source->name, '/') : NULL;

        if (disk_source_is_empty(source))
                return 0;
        if (source->protocol == DISK_PROTOCOL_NONE)
                return error_set(error, ERROR_INVALID_XML, "line %u: <source>: @protocol is missing", line);
        if (!source->name && source->protocol != DISK_PROTOCOL_NBD)
                return error_set(error, ERROR_INVALID_XML, "line %u: <source>: @name is missing", line);
        if (has_pool && (!slash || slash == source->name))
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <source>: name='%s': pool and image, with '/' between them, are expected",
                        line, source->name);
        return 0;
}

static int nvme_check(const DiskSource *source, unsigned line, Error *error)
{
        if (g_strcmp0(source->nvme_type, "pci") != 0)
                return error_set(error, ERROR_INVALID_XML, "line %u: <source>: type='pci' is expected",
                                 line);
        if (source->namespace_id == 0)
                return error_set(error, ERROR_INVALID_XML, "line %u: <source>: @namespace is at least 1",
                                 line);
        if (!source->address)
                return error_set(error, ERROR_INVALID_XML, "line %u: <source>: <address> is missing", line);
        return 0;
}

int disk_source_complete(DiskSource *source, DiskType type, unsigned line, Error *error)
{
        source->type = type;
        drop_foreign(source);
        complete_ports(source);
        switch (type) {
        case DISK_TYPE_NETWORK:
                return network_check(source, line, error);
        case DISK_TYPE_NVME:
                return nvme_check(source, line, error);
        case DISK_TYPE_VOLUME:
                if (!source->pool != !source->volume)
                        return error_set(error, ERROR_INVALID_XML,
                                         "line %u: <source>: @pool and @volume go together", line);
                return 0;
        case DISK_TYPE_VHOSTUSER:
                if (g_strcmp0(source->vhost_type, "unix") != 0 || !source->vhost_path)
                        return error_set(error, ERROR_INVALID_XML,
                                         "line %u: <source>: type='unix' and @path are expected", line);
                return 0;
        default:
                return 0;
        }
}
