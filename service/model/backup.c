/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <domainbackup>. */

#include "model/backup.h"
#include <string.h>

DEFINE_ENUM(backup_mode, BACKUP_MODES);
DEFINE_ENUM(backup_disk_mode, BACKUP_DISK_MODES);

static int server_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        BackupServer *server = object;
        unsigned line = node ? node->line : 0;
        bool is_unix = server->transport == DISK_TRANSPORT_UNIX;

        (void)flags;
        if (server->transport == DISK_TRANSPORT_RDMA)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <server>: transport='rdma': tcp or unix is expected", line);
        if (is_unix && (!server->socket || !g_path_is_absolute(server->socket)))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <server>: transport='unix' needs the absolute path of a @socket",
                                 line);
        if (is_unix && server->tls == YES)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <server>: tls='yes' is for transport='tcp'", line);
        if (!is_unix && (!server->name || server->socket))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <server>: transport='tcp' has a @name and no @socket", line);
        return 0;
}

#define THIS BackupServer
static const Field backup_server_fields[] = {
        ENUM("@transport", transport, disk_transport, .initial = DISK_TRANSPORT_TCP, .flags = FIELD_ALWAYS),
        YESNO("@tls", tls),
        STRING("@name", name),
        STRING("@port", port),
        STRING("@socket", socket),
};
#undef THIS
static DEFINE_STRUCT(backup_server, BackupServer, .check = server_check);

static int disk_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        BackupDisk *disk = object;
        unsigned line = node ? node->line : 0;
        int r;

        (void)flags;
        if (disk->backup == NO)
                return 0;
        if (disk->type != DISK_TYPE_FILE && disk->type != DISK_TYPE_BLOCK)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <disk>: type='%s': file or block is "
                                 "expected",
                                 line, disk_type_to_string(disk->type));
        if (disk->mode == BACKUP_FULL && disk->incremental)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <disk>: backupmode='full' has no @incremental", line);
        r = disk_source_complete(&disk->target, disk->type, line, error);
        return r < 0 ? r : disk_source_complete(&disk->scratch, disk->type, line, error);
}

static bool is_backed_up(const void *object, unsigned flags)
{
        (void)flags;
        return ((const BackupDisk *)object)->backup != NO;
}

static bool has_target(const void *object, unsigned flags)
{
        return is_backed_up(object, flags) && !disk_source_is_empty(&((const BackupDisk *)object)->target);
}

static bool has_scratch(const void *object, unsigned flags)
{
        return is_backed_up(object, flags) && !disk_source_is_empty(&((const BackupDisk *)object)->scratch);
}

#define THIS BackupDisk
static const Field backup_disk_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        YESNO("@backup", backup, .initial = YES, .flags = FIELD_ALWAYS),
        ENUM("@type", type, disk_type, .initial = DISK_TYPE_FILE, .flags = FIELD_ALWAYS,
             .shown = is_backed_up),
        ENUM("@backupmode", mode, backup_disk_mode, .shown = is_backed_up),
        STRING("@incremental", incremental, .shown = is_backed_up),
        STRING("@exportname", export_name, .shown = is_backed_up),
        STRING("@exportbitmap", export_bitmap, .shown = is_backed_up),
        ENUM("driver/@type", format, disk_format, .shown = is_backed_up),
        INLINE("target", target, disk_source, .shown = has_target),
        INLINE("scratch", scratch, disk_source, .shown = has_scratch),
};
#undef THIS
static DEFINE_STRUCT(backup_disk, BackupDisk, .check = disk_check);

static int backup_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        BackupDefinition *backup = object;
        bool is_pull = backup->mode == BACKUP_PULL;

        (void)node, (void)flags;
        if (backup->mode == BACKUP_MODE_ABSENT)
                backup->mode = BACKUP_PUSH;
        if (backup->server && !is_pull)
                return error_set(error, ERROR_INVALID_XML, "<server> is for backups of mode='pull'");
        LIST_FOREACH (disk, backup->disks) {
                const DiskSource *other = is_pull ? &disk->target : &disk->scratch;

                if (disk->backup == NO)
                        continue;
                if (!is_pull && (disk->export_name || disk->export_bitmap))
                        return error_set(
                                error, ERROR_INVALID_XML,
                                "Disk '%s': @exportname and @exportbitmap are for backups of mode='pull'",
                                disk->name);
                if (!disk_source_is_empty(other))
                        return error_set(error, ERROR_INVALID_XML, "Disk '%s': a %s has no <%s>", disk->name,
                                         backup_mode_to_string(backup->mode),
                                         is_pull ? "target" : "scratch");
                if (is_pull && disk->format != DISK_FORMAT_ABSENT && disk->format != DISK_FORMAT_QCOW2)
                        return error_set(error, ERROR_INVALID_XML,
                                         "Disk '%s': the <scratch> image of a pull is qcow2, not %s",
                                         disk->name, disk_format_to_string(disk->format));
        }
        return 0;
}

#define THIS BackupDefinition
static const Field backup_definition_fields[] = {
        ENUM("@mode", mode, backup_mode),
        STRING("incremental", incremental),
        STRUCT("server", server, backup_server),
        ITEMS("disks/disk", disks, backup_disk),
};
#undef THIS
DEFINE_STRUCT(backup_definition, BackupDefinition, .check = backup_check);

int backup_definition_parse(const char *xml, size_t size, BackupDefinition **ret, Error *error)
{
        void *definition;
        int r = struct_parse_document(&backup_definition_type, "domainbackup", xml, size,
                                      DEFINITION_INACTIVE, &definition, error);

        if (r >= 0)
                *ret = definition;
        return r;
}

char *backup_definition_format(const BackupDefinition *definition)
{
        return struct_to_xml(&backup_definition_type, definition, "domainbackup", 0);
}

BackupDefinition *backup_definition_free(BackupDefinition *definition)
{
        return struct_free(&backup_definition_type, definition);
}

static const DomainDisk *find_disk(const DomainDefinition *domain, const char *name)
{
        LIST_FOREACH (disk, domain->devices.disks) {
                if (g_strcmp0(disk->target, name) == 0)
                        return disk;
        }
        return NULL;
}

/* One that is backed up: from where, and to which file. */
static int complete_disk(BackupDefinition *backup, BackupDisk *disk, const DomainDisk *of,
                         const char *suffix, Error *error)
{
        DiskSource *to = backup->mode == BACKUP_PULL ? &disk->scratch : &disk->target;

        if (!disk->incremental && disk->mode != BACKUP_FULL)
                disk->incremental = g_strdup(backup->incremental);
        if (disk->mode == BACKUP_INCREMENTAL && !disk->incremental)
                return error_set(error, ERROR_INVALID_XML,
                                 "Disk '%s': backupmode='incremental' needs a checkpoint", disk->name);
        disk->mode = disk->incremental ? BACKUP_INCREMENTAL : BACKUP_FULL;
        if (disk_source_is_empty(&of->source))
                return error_set(error, ERROR_INVALID_XML, "Disk '%s' has no medium to be backed up",
                                 disk->name);
        if (!disk_source_is_empty(to))
                return 0;
        if (disk->type != DISK_TYPE_FILE || !of->source.file)
                return error_set(error, ERROR_INVALID_XML, "Disk '%s': where its data is to go is missing",
                                 disk->name);
        to->type = DISK_TYPE_FILE;
        to->file = g_strdup_printf("%s.%s", of->source.file, suffix);
        return 0;
}

int backup_definition_complete(BackupDefinition *definition, const DomainDefinition *domain,
                               const char *suffix, Error *error)
{
        const bool has_list = definition->disks.count > 0;
        const uint32_t n = definition->disks.count;

        for (uint32_t i = 0; i < n; i++) {
                BackupDisk *disk = definition->disks.items[i];
                const DomainDisk *of = find_disk(domain, disk->name);
                int r;

                if (!of)
                        return error_set(error, ERROR_INVALID_XML, "The machine has no disk '%s'",
                                         disk->name);
                for (uint32_t j = 0; j < i; j++)
                        if (strcmp(definition->disks.items[j]->name, disk->name) == 0)
                                return error_set(error, ERROR_INVALID_XML, "Disk '%s' is named twice",
                                                 disk->name);
                r = disk->backup == NO ? 0 : complete_disk(definition, disk, of, suffix, error);
                if (r < 0)
                        return r;
        }
        LIST_FOREACH (of, domain->devices.disks) {
                bool is_named = false;
                BackupDisk *disk;

                for (uint32_t i = 0; i < n; i++)
                        is_named = is_named || strcmp(definition->disks.items[i]->name, of->target) == 0;
                if (is_named)
                        continue;
                disk = struct_new(&backup_disk_type);
                disk->name = g_strdup(of->target);
                disk->backup = has_list || disk_source_is_empty(&of->source) || of->readonly ? NO : YES;
                list_append(&definition->disks, disk);
                if (disk->backup == NO)
                        continue;
                int r = complete_disk(definition, disk, of, suffix, error);
                if (r < 0)
                        return r;
        }
        return 0;
}
