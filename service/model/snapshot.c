/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <domainsnapshot>: its tables, and how its disks are brought in line with the machine's. */

#include "model/snapshot.h"
#include <string.h>

#define NAME_MAX_BYTES 120 /* in a path each byte may need three */

DEFINE_ENUM(snapshot_state, SNAPSHOT_STATES);

static bool disk_has_image(const void *object, unsigned flags)
{
        const SnapshotDisk *disk = object;

        (void)flags;
        return disk->format != DISK_FORMAT_ABSENT || !disk_source_is_empty(&disk->source);
}

static bool disk_has_source(const void *object, unsigned flags)
{
        (void)flags;
        return !disk_source_is_empty(&((const SnapshotDisk *)object)->source);
}

static int disk_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        SnapshotDisk *disk = object;
        unsigned line = node ? node->line : 0;
        int r;

        (void)flags;
        if (disk->type != DISK_TYPE_FILE && disk->type != DISK_TYPE_BLOCK && disk->type != DISK_TYPE_NETWORK)
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <disk>: type='%s': a snapshot's image is a file, block or network", line,
                        disk_type_to_string(disk->type));
        r = disk_source_complete(&disk->source, disk->type, line, error);
        if (r < 0)
                return r;
        const char *path = disk->source.file ? disk->source.file : disk->source.dev;
        if (path && !g_path_is_absolute(path))
                return error_set(error, ERROR_INVALID_XML, "line %u: <source>: '%s' is no absolute path",
                                 line, path);
        if (disk->snapshot == DISK_SNAPSHOT_DEFAULT && disk_has_image(disk, 0))
                disk->snapshot = DISK_SNAPSHOT_EXTERNAL;
        return 0;
}

#define THIS SnapshotDisk
static const Field snapshot_disk_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        ENUM("@snapshot", snapshot, disk_snapshot),
        ENUM("@type", type, disk_type, .initial = DISK_TYPE_FILE, .flags = FIELD_ALWAYS,
             .shown = disk_has_image),
        ENUM("driver/@type", format, disk_format),
        SIZE_BYTES("driver/metadata_cache/max_size", metadata_cache_max_size),
        INLINE("source", source, disk_source, .shown = disk_has_source),
};
#undef THIS
DEFINE_STRUCT(snapshot_disk, SnapshotDisk, .check = disk_check);

/* Documents inside of the document are written by their own writer. */
static bool shown_natively(const void *object, unsigned flags)
{
        (void)object;
        return flags & DEFINITION_NATIVE;
}

/* Whether there is memory to be saved follows from the state; where it is may be left out. */
static int memory_check(SnapshotDefinition *snapshot, bool is_redefinition, unsigned line, Error *error)
{
        bool is_offline = snapshot_definition_is_offline(snapshot);

        if (snapshot->memory_file && snapshot->memory == DISK_SNAPSHOT_DEFAULT)
                snapshot->memory = DISK_SNAPSHOT_EXTERNAL;
        else if (snapshot->memory == DISK_SNAPSHOT_DEFAULT && is_redefinition)
                snapshot->memory = is_offline ? DISK_SNAPSHOT_NO : DISK_SNAPSHOT_INTERNAL;
        if (snapshot->memory == DISK_SNAPSHOT_MANUAL)
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <memory>: snapshot='manual': no, internal or external is expected", line);
        if (snapshot->memory_file && snapshot->memory != DISK_SNAPSHOT_EXTERNAL)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <memory>: file='%s' needs snapshot='external'", line,
                                 snapshot->memory_file);
        if (!snapshot->memory_file && snapshot->memory == DISK_SNAPSHOT_EXTERNAL)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <memory>: snapshot='external' needs a file", line);
        if (snapshot->memory_file && !g_path_is_absolute(snapshot->memory_file))
                return error_set(error, ERROR_INVALID_XML, "line %u: <memory>: '%s' is no absolute path",
                                 line, snapshot->memory_file);
        if (is_redefinition && is_offline && snapshot->memory > DISK_SNAPSHOT_NO)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <memory>: a snapshot in state '%s' has no memory", line,
                                 snapshot_state_to_string(snapshot->state));
        return 0;
}

/* Requests are read with DEFINITION_INACTIVE. */
static int snapshot_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        SnapshotDefinition *snapshot = object;
        bool is_redefinition = !(flags & DEFINITION_INACTIVE);
        unsigned line = node ? node->line : 0;

        if (is_redefinition && !snapshot->name)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <name> is missing: a snapshot that exists has one", line);
        if (is_redefinition && node && !xml_child(node, "creationTime"))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <creationTime> is missing: a snapshot that exists has one", line);
        if (is_redefinition && snapshot->state == SNAPSHOT_STATE_ABSENT)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <state> is missing: a snapshot that exists has one", line);
        if (snapshot->domain && !snapshot->domain->uuid[0])
                return error_set(error, ERROR_INVALID_XML, "line %u: <domain>: <uuid> is missing", line);
        if (snapshot->domain)
                snapshot->domain->has_id = false;
        if (snapshot->inactive_domain)
                snapshot->inactive_domain->has_id = false;
        return memory_check(snapshot, is_redefinition, line, error);
}

#define THIS SnapshotDefinition
static const Field snapshot_definition_fields[] = {
        STRING("name", name),
        STRING("description", description),
        ENUM("state", state, snapshot_state, .flags = FIELD_LIVE),
        STRING("parent/name", parent, .flags = FIELD_LIVE),
        SIGNED("creationTime", creation_time, .flags = FIELD_LIVE),
        ENUM("memory/@snapshot", memory, disk_snapshot),
        STRING("memory/@file", memory_file),
        ITEMS("disks/disk", disks, snapshot_disk),
        ENUM("domain/@type", domain_type, domain_type, .flags = FIELD_LIVE, .shown = shown_natively),
        UUID("domain/uuid", domain_uuid, .flags = FIELD_LIVE, WHEN(domain_type, BIT(DOMAIN_TYPE_ABSENT))),
        STRUCT("domain", domain, domain_definition, .flags = FIELD_LIVE, .shown = shown_natively,
               WHEN(domain_type, ~BIT(DOMAIN_TYPE_ABSENT))),
        STRUCT("inactiveDomain", inactive_domain, domain_definition, .flags = FIELD_LIVE,
               .shown = shown_natively),
        RAW("cookie", cookie, .flags = FIELD_LIVE, .shown = shown_natively),
};
#undef THIS
DEFINE_STRUCT(snapshot_definition, SnapshotDefinition, .check = snapshot_check);

int snapshot_definition_parse(const char *xml, size_t size, bool is_redefinition, SnapshotDefinition **ret,
                              Error *error)
{
        void *definition;
        int r = struct_parse_document(&snapshot_definition_type, "domainsnapshot", xml, size,
                                      is_redefinition ? 0 : DEFINITION_INACTIVE, &definition, error);

        if (r >= 0)
                *ret = definition;
        return r;
}

int snapshot_definition_validate(const char *xml, size_t size, Error *error)
{
        static const char *const in_root[] = { "name",           "description", "state",  "parent",
                                               "creationTime",   "memory",      "disks",  "domain",
                                               "inactiveDomain", "active",      "cookie", NULL };
        static const char *const in_disk[] = { "driver", "source", NULL };
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        const XmlNode *disks;
        int r = xml_parse(xml, size, "domainsnapshot", &document, error);

        if (r < 0)
                return r;
        for (const XmlNode *node = xml_document_root(document)->first_child; node; node = node->next)
                if (!g_strv_contains(in_root, node->name))
                        return error_set(error, ERROR_INVALID_XML, "line %u: a <domainsnapshot> has no <%s>",
                                         node->line, node->name);
        disks = xml_child(xml_document_root(document), "disks");
        for (const XmlNode *disk = disks ? disks->first_child : NULL; disk; disk = disk->next) {
                if (strcmp(disk->name, "disk") != 0)
                        return error_set(error, ERROR_INVALID_XML, "line %u: <disks> has no <%s>",
                                         disk->line, disk->name);
                for (const XmlNode *node = disk->first_child; node; node = node->next)
                        if (!g_strv_contains(in_disk, node->name))
                                return error_set(error, ERROR_INVALID_XML,
                                                 "line %u: the <disk> of a snapshot has no <%s>", node->line,
                                                 node->name);
        }
        return 0;
}

void snapshot_definition_write(const SnapshotDefinition *definition, XmlWriter *writer, unsigned flags)
{
        const unsigned inner = DEFINITION_INACTIVE | (flags & DEFINITION_SECURE);

        xml_writer_open(writer, "domainsnapshot");
        struct_format(&snapshot_definition_type, definition, NULL, writer, 0);
        if (definition->domain)
                domain_definition_write(definition->domain, "domain", writer, inner);
        if (definition->inactive_domain)
                domain_definition_write(definition->inactive_domain, "inactiveDomain", writer, inner);
        if (definition->cookie) {
                xml_writer_open(writer, "cookie");
                xml_writer_raw(writer, definition->cookie);
                xml_writer_close(writer);
        }
        xml_writer_close(writer);
}

char *snapshot_definition_format(const SnapshotDefinition *definition, unsigned flags)
{
        XmlWriter *writer = xml_writer_new();

        snapshot_definition_write(definition, writer, flags);
        return xml_writer_finish(writer);
}

SnapshotDefinition *snapshot_definition_free(SnapshotDefinition *definition)
{
        return struct_free(&snapshot_definition_type, definition);
}

void snapshot_definition_set_domain(SnapshotDefinition *definition, DomainDefinition *domain,
                                    DomainDefinition *inactive_domain)
{
        domain_definition_free(definition->domain);
        domain_definition_free(definition->inactive_domain);
        definition->domain = domain;
        definition->inactive_domain = inactive_domain;
        definition->domain_type = domain ? domain->type : DOMAIN_TYPE_ABSENT;
        if (domain)
                definition->domain_uuid[0] = '\0';
}

bool snapshot_definition_is_offline(const SnapshotDefinition *definition)
{
        return definition->state == SNAPSHOT_SHUTOFF || definition->state == SNAPSHOT_DISK_ONLY;
}

bool snapshot_definition_is_external(const SnapshotDefinition *definition)
{
        if (definition->memory == DISK_SNAPSHOT_EXTERNAL || definition->state == SNAPSHOT_DISK_ONLY)
                return true;
        LIST_FOREACH (disk, definition->disks) {
                if (disk->snapshot == DISK_SNAPSHOT_EXTERNAL)
                        return true;
        }
        return false;
}

int snapshot_definition_complete(SnapshotDefinition *definition, int64_t now, Error *error)
{
        if (definition->creation_time == 0)
                definition->creation_time = now;
        if (!definition->name)
                definition->name = g_strdup_printf("%" G_GINT64_FORMAT, definition->creation_time);
        if (strchr(definition->name, '/') || definition->name[0] == '.')
                return error_set(error, ERROR_INVALID_XML,
                                 "The name of a snapshot has no '/' and does not begin with '.': '%s'",
                                 definition->name);
        for (const char *c = definition->name; *c; c++)
                if (g_ascii_iscntrl(*c))
                        return error_set(error, ERROR_INVALID_XML,
                                         "The name of a snapshot has no control characters");
        if (strlen(definition->name) > NAME_MAX_BYTES)
                return error_set(error, ERROR_INVALID_XML,
                                 "The name of a snapshot has %zu bytes, at most %d are possible",
                                 strlen(definition->name), NAME_MAX_BYTES);
        if (definition->parent && strcmp(definition->parent, definition->name) == 0)
                return error_set(error, ERROR_INVALID_ARGUMENT, "Snapshot '%s' cannot be its own parent",
                                 definition->name);
        return 0;
}

static const DomainDisk *find_disk(const DomainDefinition *domain, const char *name)
{
        LIST_FOREACH (disk, domain->devices.disks) {
                if (g_strcmp0(disk->target, name) == 0 || g_strcmp0(disk->source.file, name) == 0 ||
                    g_strcmp0(disk->source.dev, name) == 0)
                        return disk;
        }
        return NULL;
}

/* "/images/web.qcow2" and "before" make "/images/web.before". */
static int set_image(SnapshotDisk *disk, const DomainDisk *of, const char *snapshot, Error *error)
{
        const char *path = of->source.file, *dot = path ? strrchr(path, '.') : NULL;

        if (disk->snapshot != DISK_SNAPSHOT_EXTERNAL || !disk_source_is_empty(&disk->source))
                return 0;
        if (of->type != DISK_TYPE_FILE || !path || disk->type != DISK_TYPE_FILE)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "Disk '%s' is no file: where its new image is to be must be said by <source>",
                        of->target);
        if (dot && strchr(dot, '/'))
                dot = NULL;
        disk->source.file = g_strdup_printf("%.*s.%s", (int)(dot ? dot - path : (ptrdiff_t)strlen(path)),
                                            path, snapshot);
        if (strcmp(disk->source.file, path) == 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "Disk '%s': the snapshot's name makes its new image the old one, '%s'",
                                 of->target, path);
        return 0;
}

/* Takes what was asked about this disk out of the list; a new one if nothing was. */
static SnapshotDisk *take_request(SnapshotDefinition *definition, const DomainDisk *of)
{
        SnapshotDisk *disk;

        for (uint32_t i = 0; i < definition->disks.count; i++)
                if (strcmp(definition->disks.items[i]->name, of->target) == 0)
                        return list_remove(&definition->disks, i);
        disk = struct_new(&snapshot_disk_type);
        disk->name = g_strdup(of->target);
        disk->snapshot = of->snapshot;
        if (disk_source_is_empty(&of->source) || (of->readonly && of->snapshot == DISK_SNAPSHOT_DEFAULT))
                disk->snapshot = DISK_SNAPSHOT_NO;
        return disk;
}

static int check_names(SnapshotDefinition *definition, const DomainDefinition *domain, Error *error)
{
        for (uint32_t i = 0; i < definition->disks.count; i++) {
                SnapshotDisk *disk = definition->disks.items[i];
                const DomainDisk *of = find_disk(domain, disk->name);

                if (!of)
                        return error_set(error, ERROR_INVALID_XML, "The machine has no disk named '%s'",
                                         disk->name);
                g_free(disk->name);
                disk->name = g_strdup(of->target);
                for (uint32_t j = 0; j < i; j++)
                        if (strcmp(definition->disks.items[j]->name, disk->name) == 0)
                                return error_set(error, ERROR_INVALID_XML, "Disk '%s' is named twice",
                                                 disk->name);
        }
        return 0;
}

int snapshot_definition_align(SnapshotDefinition *definition, const DomainDefinition *domain,
                              DiskSnapshot usual, Error *error)
{
        const uint32_t n = domain->devices.disks.count;
        int r = check_names(definition, domain, error);

        if (r < 0)
                return r;
        /* The list turns round once: what is put behind its end is in the machine's order. */
        for (uint32_t i = 0; i < n; i++) {
                const DomainDisk *of = domain->devices.disks.items[i];
                SnapshotDisk *disk = take_request(definition, of);

                list_append(&definition->disks, disk);
                if (disk->snapshot == DISK_SNAPSHOT_DEFAULT)
                        disk->snapshot = of->snapshot != DISK_SNAPSHOT_DEFAULT ? of->snapshot : usual;
                if (!disk_source_is_empty(&disk->source) && disk->snapshot != DISK_SNAPSHOT_EXTERNAL)
                        return error_set(error, ERROR_INVALID_XML,
                                         "Disk '%s': a <source> needs snapshot='external'", disk->name);
                r = set_image(disk, of, definition->name, error);
                if (r < 0)
                        return r;
        }
        for (uint32_t i = 0; i < n; i++)
                for (uint32_t j = 0; j < i; j++) {
                        const SnapshotDisk *a = definition->disks.items[i], *b = definition->disks.items[j];
                        const char *path = a->source.file ? a->source.file : a->source.dev;

                        if (path &&
                            (g_strcmp0(path, b->source.file) == 0 || g_strcmp0(path, b->source.dev) == 0))
                                return error_set(error, ERROR_INVALID_XML,
                                                 "Disks '%s' and '%s' would have the same new image '%s'",
                                                 b->name, a->name, path);
                }
        return 0;
}
