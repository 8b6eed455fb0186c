/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The node of bytes that another host serves: <source protocol=...>, with the passwords that it asks for
 * (<auth>). */

#include "drivers/qemu/command/blockdev.h"
#include "drivers/qemu/command/device.h"
#include <errno.h>
#include <string.h>

/* Where QEMU's certificates are by convention. */
#define TLS_FOLDER "/etc/pki/qemu"

static json_t *server(const DiskHost *host, const char *default_port, bool has_type)
{
        json_t *object = json_object();

        if (host->transport == DISK_TRANSPORT_UNIX) {
                json_set_string(object, "type", "unix");
                json_set_string(object, "path", host->socket);
                return object;
        }
        if (has_type)
                json_set_string(object, "type", "inet");
        json_set_string(object, "host", host->name);
        json_set_string(object, "port", host->port ? host->port : default_port);
        return object;
}

static json_t *servers(const DiskSource *source, const char *default_port, bool has_type)
{
        json_t *array = json_array();

        LIST_FOREACH (host, source->hosts)
                json_array_append_new(array, server(host, default_port, has_type));
        return array;
}

/* "VOLUME/PATH": *ret_first is the caller's, the rest is returned. */
static const char *split(const char *name, char **ret_first)
{
        const char *slash = strchr(name, '/');

        *ret_first = slash ? g_strndup(name, (gsize)(slash - name)) : g_strdup(name);
        return slash ? slash + 1 : NULL;
}

static int set_nbd(CommandLine *line, const DiskSource *source, const char *name, json_t *node)
{
        json_object_set_new(node, "server", server(source->hosts.items[0], "10809", true));
        json_set_string(node, "export", source->name);
        if (source->tls == YES) {
                _cleanup_(freep) char *id = g_strdup_printf("%s-tls", name);

                command_add_json(line, "-object",
                                 json_pack("{s:s, s:s, s:s, s:s, s:b}", "qom-type", "tls-creds-x509", "id",
                                           id, "dir", TLS_FOLDER, "endpoint", "client", "verify-peer", 1));
                json_set_string(node, "tls-creds", id);
                json_set_string(node, "tls-hostname", source->tls_hostname);
        }
        if (source->reconnect_enabled == YES)
                json_set_number(node, "reconnect-delay", source->reconnect_timeout);
        return 0;
}

static int set_gluster(const DiskSource *source, json_t *node, Error *error)
{
        _cleanup_(freep) char *volume = NULL;
        const char *path = split(source->name, &volume);

        if (!path)
                return error_set(error, ERROR_INVALID_XML, "A gluster image is VOLUME/PATH, not '%s'",
                                 source->name);
        json_set_string(node, "volume", volume);
        json_set_string(node, "path", path);
        json_object_set_new(node, "server", servers(source, "24007", true));
        json_object_set_new(node, "debug",
                            json_integer(4)); /* QEMU's own level, said for the log's reader */
        return 0;
}

/* User and password; `password` is how this kind of server calls the latter. */
static void set_auth(CommandLine *line, const DiskAuth *auth, const char *name, const char *user,
                     const char *password, json_t *node)
{
        _cleanup_(freep) char *id = g_strdup_printf("%s-auth", name);

        if (!auth)
                return;
        command_secret(line, id, &auth->secret, auth->secret.type == SECRET_TYPE_CEPH);
        json_set_string(node, user, auth->username);
        json_set_string(node, password, id);
}

static void set_cookies(CommandLine *line, const DiskSource *source, const char *name, json_t *node)
{
        _cleanup_(freep) char *id = g_strdup_printf("%s-cookies", name);
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);

        if (source->cookies.count == 0)
                return;
        LIST_FOREACH (cookie, source->cookies)
                g_string_append_printf(text, "%s%s=%s", text->len > 0 ? "; " : "", cookie->name,
                                       cookie->value ? cookie->value : "");
        command_secret_text(line, id, text->str);
        json_set_string(node, "cookie-secret", id);
}

static void set_url(const DiskSource *source, const char *default_port, json_t *node)
{
        const DiskHost *host = source->hosts.items[0];
        _cleanup_(freep) char *url = NULL;

        url = g_strdup_printf("%s://%s:%s/%s%s%s", disk_protocol_to_string(source->protocol), host->name,
                              host->port ? host->port : default_port, source->name, source->query ? "?" : "",
                              source->query ? source->query : "");
        json_set_string(node, "url", url);
        if (source->ssl_verify != YES_NO_ABSENT)
                json_set_bool(node, "sslverify", source->ssl_verify == YES);
        json_set_number(node, "readahead", source->readahead);
        json_set_number(node, "timeout", source->timeout_seconds);
}

static int set_iscsi(const DiskSource *source, json_t *node, Error *error)
{
        const DiskHost *host = source->hosts.items[0];
        _cleanup_(freep) char *target = NULL, *portal = NULL;
        const char *unit = split(source->name, &target);
        guint64 number = 0;

        if (unit && !g_ascii_string_to_unsigned(unit, 10, 0, UINT32_MAX, &number, NULL))
                return error_set(error, ERROR_INVALID_XML, "An iSCSI disk is TARGET/LUN, not '%s'",
                                 source->name);
        portal = g_strdup_printf("%s:%s", host->name, host->port ? host->port : "3260");
        json_set_string(node, "portal", portal);
        json_set_string(node, "target", target);
        json_object_set_new(node, "lun", json_integer((json_int_t)number));
        json_set_string(node, "transport", "tcp");
        json_set_string(node, "initiator-name", source->initiator_iqn);
        return 0;
}

static int set_rbd(const DiskSource *source, json_t *node, Error *error)
{
        _cleanup_(freep) char *pool = NULL;
        const char *image = split(source->name, &pool);

        if (!image)
                return error_set(error, ERROR_INVALID_XML, "An RBD image is POOL/IMAGE, not '%s'",
                                 source->name);
        json_set_string(node, "pool", pool);
        json_set_string(node, "image", image);
        json_set_string(node, "snapshot", source->snapshot_name);
        json_set_string(node, "conf", source->config_file);
        if (source->hosts.count > 0)
                json_object_set_new(node, "server", servers(source, "6789", false));
        return 0;
}

/* "+107" is the number 107, as opposed to a name. */
static int set_nfs_id(json_t *node, const char *key, const char *text, Error *error)
{
        guint64 number;

        if (!text)
                return 0;
        if (!g_ascii_string_to_unsigned(*text == '+' ? text + 1 : text, 10, 0, UINT32_MAX, &number, NULL))
                return device_unsupported(error, "The %s of an NFS disk must be a number, not '%s'", key,
                                          text);
        json_object_set_new(node, key, json_integer((json_int_t)number));
        return 0;
}

static int set_nfs(const DiskSource *source, json_t *node, Error *error)
{
        _cleanup_(freep) char *path = g_strconcat(*source->name == '/' ? "" : "/", source->name, NULL);
        int r;

        json_object_set_new(node, "server",
                            json_pack("{s:s, s:s}", "host", source->hosts.items[0]->name, "type", "inet"));
        json_set_string(node, "path", path);
        r = set_nfs_id(node, "user", source->identity_user, error);
        return r < 0 ? r : set_nfs_id(node, "group", source->identity_group, error);
}

static void set_ssh(const DiskSource *source, json_t *node)
{
        json_set_string(node, "path", source->name);
        json_object_set_new(node, "server", server(source->hosts.items[0], "22", false));
        json_set_string(node, "user", source->ssh_username);
}

/* Of protocols whose servers ask for a password. */
static int check_auth(const DiskSource *source, const DiskAuth *auth, Error *error)
{
        switch (source->protocol) {
        case DISK_PROTOCOL_RBD:
        case DISK_PROTOCOL_ISCSI:
        case DISK_PROTOCOL_HTTP:
        case DISK_PROTOCOL_HTTPS:
        case DISK_PROTOCOL_FTP:
        case DISK_PROTOCOL_FTPS:
                return 0;
        default:
                return auth ? device_unsupported(error, "QEMU has no <auth> for disks of protocol '%s'",
                                                 disk_protocol_to_string(source->protocol))
                            : 0;
        }
}

static int check(const DomainDisk *disk, const DiskSource *source, const DiskAuth *auth, Error *error)
{
        int r = check_auth(source, auth, error);

        if (r < 0)
                return r;
        if (source->tls == YES && source->protocol != DISK_PROTOCOL_NBD)
                return device_unsupported(error, "QEMU has no TLS for disks of protocol '%s'",
                                          disk_protocol_to_string(source->protocol));
        if (source->protocol == DISK_PROTOCOL_RBD)
                return source->name
                               ? 0
                               : error_set(error, ERROR_INVALID_XML, "Disk %s has no image", disk->target);
        if (source->hosts.count == 0)
                return error_set(error, ERROR_INVALID_XML, "Disk %s has no <host>", disk->target);
        LIST_FOREACH (host, source->hosts) {
                if (host->transport == DISK_TRANSPORT_RDMA)
                        return device_unsupported(error, "The QEMU driver has no disks by RDMA");
                if (host->transport == DISK_TRANSPORT_UNIX ? !host->socket : !host->name)
                        return error_set(error, ERROR_INVALID_XML, "A <host> of disk %s says not which",
                                         disk->target);
                if (host->transport == DISK_TRANSPORT_UNIX && source->protocol != DISK_PROTOCOL_NBD &&
                    source->protocol != DISK_PROTOCOL_GLUSTER)
                        return device_unsupported(error,
                                                  "QEMU has no unix sockets for disks of protocol '%s'",
                                                  disk_protocol_to_string(source->protocol));
        }
        if (!source->name && source->protocol != DISK_PROTOCOL_NBD)
                return error_set(error, ERROR_INVALID_XML, "The source of disk %s has no name",
                                 disk->target);
        return 0;
}

/* "http" and its like, which have their ports and nothing else of their own. */
static const char *url_port(DiskProtocol protocol)
{
        switch (protocol) {
        case DISK_PROTOCOL_HTTP:
                return "80";
        case DISK_PROTOCOL_HTTPS:
                return "443";
        case DISK_PROTOCOL_FTP:
                return "21";
        case DISK_PROTOCOL_FTPS:
                return "990";
        default:
                return NULL;
        }
}

int blockdev_set_network(CommandLine *line, const DomainDisk *disk, const DiskSource *source,
                         const DiskAuth *auth, const char *name, json_t *node, Error *error)
{
        const char *port = url_port(source->protocol);
        int r = check(disk, source, auth, error);

        if (r < 0)
                return r;
        json_set_string(node, "driver", disk_protocol_to_string(source->protocol));
        if (port) {
                set_url(source, port, node);
                set_cookies(line, source, name, node);
                set_auth(line, auth, name, "username", "password-secret", node);
                return 0;
        }
        switch (source->protocol) {
        case DISK_PROTOCOL_NBD:
                return set_nbd(line, source, name, node);
        case DISK_PROTOCOL_GLUSTER:
                return set_gluster(source, node, error);
        case DISK_PROTOCOL_ISCSI:
                set_auth(line, auth, name, "user", "password-secret", node);
                return set_iscsi(source, node, error);
        case DISK_PROTOCOL_RBD:
                set_auth(line, auth, name, "user", "key-secret", node);
                if (auth)
                        json_object_set_new(node, "auth-client-required",
                                            json_pack("[s, s]", "cephx", "none"));
                return set_rbd(source, node, error);
        case DISK_PROTOCOL_NFS:
                return set_nfs(source, node, error);
        case DISK_PROTOCOL_SSH:
                set_ssh(source, node);
                return 0;
        default:
                return device_unsupported(error, "The QEMU driver has no disks of protocol '%s'",
                                          disk_protocol_to_string(source->protocol));
        }
}
