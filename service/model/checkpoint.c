/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <domaincheckpoint>. */

#include "model/checkpoint.h"
#include <string.h>

DEFINE_ENUM(checkpoint_kind, CHECKPOINT_KINDS);

static int disk_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        CheckpointDisk *disk = object;

        (void)flags;
        if (disk->checkpoint == CHECKPOINT_ABSENT && disk->bitmap)
                disk->checkpoint = CHECKPOINT_BITMAP;
        if (disk->bitmap && disk->checkpoint != CHECKPOINT_BITMAP)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <disk>: bitmap='%s' needs checkpoint='bitmap'",
                                 node ? node->line : 0, disk->bitmap);
        return 0;
}

#define THIS CheckpointDisk
static const Field checkpoint_disk_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        ENUM("@checkpoint", checkpoint, checkpoint_kind),
        STRING("@bitmap", bitmap),
        OPTIONAL_UNSIGNED("@size", size, .flags = FIELD_LIVE),
};
#undef THIS
static DEFINE_STRUCT(checkpoint_disk, CheckpointDisk, .check = disk_check);

static bool shown_natively(const void *object, unsigned flags)
{
        (void)object;
        return flags & DEFINITION_NATIVE;
}

/* Requests are read with DEFINITION_INACTIVE. */
static int checkpoint_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        CheckpointDefinition *checkpoint = object;
        unsigned line = node ? node->line : 0;

        if (flags & DEFINITION_INACTIVE)
                return 0;
        if (!checkpoint->name)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <name> is missing: a checkpoint that exists has one", line);
        if (node && !xml_child(node, "creationTime"))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <creationTime> is missing: a checkpoint that exists has one",
                                 line);
        if (!checkpoint->domain)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <domain> is missing: a checkpoint that exists has one", line);
        checkpoint->domain->has_id = false;
        return 0;
}

#define THIS CheckpointDefinition
static const Field checkpoint_definition_fields[] = {
        STRING("name", name),
        STRING("description", description),
        STRING("parent/name", parent, .flags = FIELD_LIVE),
        SIGNED("creationTime", creation_time, .flags = FIELD_LIVE),
        ITEMS("disks/disk", disks, checkpoint_disk),
        ENUM("domain/@type", domain_type, domain_type, .flags = FIELD_LIVE, .shown = shown_natively),
        STRUCT("domain", domain, domain_definition, .flags = FIELD_LIVE, .shown = shown_natively,
               WHEN(domain_type, ~BIT(DOMAIN_TYPE_ABSENT))),
};
#undef THIS
DEFINE_STRUCT(checkpoint_definition, CheckpointDefinition, .check = checkpoint_check);

int checkpoint_definition_parse(const char *xml, size_t size, bool is_redefinition,
                                CheckpointDefinition **ret, Error *error)
{
        void *definition;
        int r = struct_parse_document(&checkpoint_definition_type, "domaincheckpoint", xml, size,
                                      is_redefinition ? 0 : DEFINITION_INACTIVE, &definition, error);

        if (r >= 0)
                *ret = definition;
        return r;
}

char *checkpoint_definition_format(const CheckpointDefinition *definition, unsigned flags)
{
        XmlWriter *writer = xml_writer_new();

        xml_writer_open(writer, "domaincheckpoint");
        struct_format(&checkpoint_definition_type, definition, NULL, writer, 0);
        if (definition->domain)
                domain_definition_write(definition->domain, "domain", writer,
                                        DEFINITION_INACTIVE | (flags & DEFINITION_SECURE));
        xml_writer_close(writer);
        return xml_writer_finish(writer);
}

CheckpointDefinition *checkpoint_definition_free(CheckpointDefinition *definition)
{
        return struct_free(&checkpoint_definition_type, definition);
}

/* What was asked about that disk, taken out of the first `n` of the list. */
static CheckpointDisk *take_request(CheckpointDefinition *definition, const char *name, uint32_t *n)
{
        for (uint32_t i = 0; i < *n; i++)
                if (strcmp(definition->disks.items[i]->name, name) == 0) {
                        (*n)--;
                        return list_remove(&definition->disks, i);
                }
        return NULL;
}

int checkpoint_definition_complete(CheckpointDefinition *definition, const DomainDefinition *domain,
                                   int64_t now, Error *error)
{
        bool has_list = definition->disks.count > 0;
        uint32_t n = definition->disks.count;

        if (definition->creation_time == 0)
                definition->creation_time = now;
        if (!definition->name)
                definition->name = g_strdup_printf("%" G_GINT64_FORMAT, definition->creation_time);
        if (strchr(definition->name, '/') || definition->name[0] == '.')
                return error_set(error, ERROR_INVALID_XML,
                                 "The name of a checkpoint has no '/' and does not begin with '.': '%s'",
                                 definition->name);
        LIST_FOREACH (of, domain->devices.disks) {
                CheckpointDisk *disk = take_request(definition, of->target, &n);
                bool has_medium = !disk_source_is_empty(&of->source) && !of->readonly;

                if (!disk) {
                        disk = struct_new(&checkpoint_disk_type);
                        disk->name = g_strdup(of->target);
                        disk->checkpoint = has_list || !has_medium ? CHECKPOINT_NO : CHECKPOINT_BITMAP;
                }
                list_append(&definition->disks, disk);
                if (disk->checkpoint == CHECKPOINT_ABSENT)
                        disk->checkpoint = CHECKPOINT_BITMAP;
                if (disk->checkpoint == CHECKPOINT_BITMAP && !has_medium)
                        return error_set(error, ERROR_INVALID_XML,
                                         "Disk '%s' is never written: it has no bitmap", disk->name);
                if (disk->checkpoint == CHECKPOINT_BITMAP && !disk->bitmap)
                        disk->bitmap = g_strdup(definition->name);
        }
        /* Those that are left are no disk's, or another's once more. */
        return n > 0 ? error_set(error, ERROR_INVALID_XML,
                                 "The machine has no disk '%s', or it is named twice",
                                 definition->disks.items[0]->name)
                     : 0;
}
