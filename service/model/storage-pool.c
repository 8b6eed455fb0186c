/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <pool>: the tables, and what each type of pool needs. */

#include "model/storage-pool.h"
#include "model/identity.h"
#include <string.h>

#define NAMESPACE "http://libvirt.org/schemas/storagepool/"

DEFINE_ENUM(pool_type, POOL_TYPES);
DEFINE_ENUM(pool_auth_type, POOL_AUTH_TYPES);
DEFINE_ENUM(pool_adapter_type, POOL_ADAPTERS);
DEFINE_ENUM(pool_refresh, POOL_REFRESHES);

/* What of a <source> belongs to a type, and what the type cannot be without. */
enum {
        SOURCE_HOST = 1 << 0,
        SOURCE_DEVICE = 1 << 1,
        SOURCE_DIR = 1 << 2,
        SOURCE_ADAPTER = 1 << 3,
        SOURCE_NAME = 1 << 4,
        SOURCE_INITIATOR = 1 << 5,
        SOURCE_NETWORK = 1 << 6, /* no path on the host */
};

typedef struct TypeFacts {
        unsigned source, required;
        const char *formats; /* the first one is meant where none is said; NULL: the type has none */
} TypeFacts;

static const TypeFacts facts[] = {
        [POOL_TYPE_FS] = { SOURCE_DEVICE, SOURCE_DEVICE,
                           "auto ext2 ext3 ext4 ufs iso9660 udf gfs gfs2 vfat hfs+ xfs ocfs2 vmfs btrfs" },
        [POOL_TYPE_NETFS] = { SOURCE_HOST | SOURCE_DIR, SOURCE_HOST | SOURCE_DIR,
                              "auto nfs glusterfs cifs" },
        [POOL_TYPE_LOGICAL] = { SOURCE_NAME | SOURCE_DEVICE, 0, "lvm2 unknown" },
        [POOL_TYPE_DISK] = { SOURCE_DEVICE, SOURCE_DEVICE, "unknown dos dvh gpt mac bsd pc98 sun lvm2" },
        [POOL_TYPE_ISCSI] = { SOURCE_HOST | SOURCE_DEVICE | SOURCE_INITIATOR, SOURCE_HOST, NULL },
        [POOL_TYPE_SCSI] = { SOURCE_ADAPTER, SOURCE_ADAPTER, NULL },
        [POOL_TYPE_RBD] = { SOURCE_HOST | SOURCE_NAME | SOURCE_NETWORK, SOURCE_HOST, NULL },
        [POOL_TYPE_SHEEPDOG] = { SOURCE_HOST | SOURCE_NAME | SOURCE_NETWORK, SOURCE_HOST, NULL },
        [POOL_TYPE_GLUSTER] = { SOURCE_HOST | SOURCE_NAME | SOURCE_DIR | SOURCE_NETWORK, SOURCE_HOST, NULL },
        [POOL_TYPE_ZFS] = { SOURCE_NAME | SOURCE_DEVICE, 0, NULL },
        [POOL_TYPE_VSTORAGE] = { SOURCE_NAME, 0, NULL },
        [POOL_TYPE_ISCSI_DIRECT] = { SOURCE_HOST | SOURCE_DEVICE | SOURCE_INITIATOR | SOURCE_NETWORK,
                                     SOURCE_HOST | SOURCE_INITIATOR, NULL },
};

#define THIS StoragePermissions
static const Field storage_permissions_fields[] = {
        OPTIONAL_UNSIGNED("mode", mode, .flags = FIELD_OCTAL | FIELD_MINUS_ONE, .width = 4),
        OPTIONAL_UNSIGNED("owner", owner, .flags = FIELD_MINUS_ONE),
        OPTIONAL_UNSIGNED("group", group, .flags = FIELD_MINUS_ONE),
        STRING("label", label),
};
#undef THIS

static int permissions_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const StoragePermissions *permissions = object;

        (void)flags;
        if (permissions->has_mode && permissions->mode > 07777)
                return error_set(error, ERROR_INVALID_XML, "line %u: <mode>: 0%o is more than 07777",
                                 node ? node->line : 0, permissions->mode);
        return 0;
}
DEFINE_STRUCT(storage_permissions, StoragePermissions, .check = permissions_check);

#define THIS PoolHost
static const Field pool_host_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED),
        UNSIGNED("@port", port),
};
#undef THIS
static DEFINE_STRUCT(pool_host, PoolHost);

#define THIS PoolExtent
static const Field pool_extent_fields[] = {
        UNSIGNED("@start", start, .flags = FIELD_ALWAYS),
        UNSIGNED("@end", end, .flags = FIELD_ALWAYS),
};
#undef THIS
static DEFINE_STRUCT(pool_extent, PoolExtent);

#define THIS PoolDevice
static const Field pool_device_fields[] = {
        STRING("@path", path, .flags = FIELD_REQUIRED),
        YESNO("@part_separator", part_separator),
        ITEMS("freeExtent", free_extents, pool_extent),
};
#undef THIS
static DEFINE_STRUCT(pool_device, PoolDevice);

#define THIS PoolParentAddress
static const Field pool_parent_address_fields[] = {
        UNSIGNED("@unique_id", unique_id),
        HEX_ALWAYS("address/@domain", domain, 4),
        HEX_ALWAYS("address/@bus", bus, 2),
        HEX_ALWAYS("address/@slot", slot, 2),
        HEX_ALWAYS("address/@function", function, 1),
};
#undef THIS
static DEFINE_STRUCT(pool_parent_address, PoolParentAddress);

#define IS(name)    BIT(POOL_ADAPTER_##name)
#define IS_SCSIHOST WHEN(type, IS(DEFAULT) | IS(SCSI_HOST))
#define IS_FCHOST   WHEN(type, IS(FC_HOST))
#define THIS        PoolAdapter
static const Field pool_adapter_fields[] = {
        ENUM("@type", type, pool_adapter_type),
        STRING("@name", name, IS_SCSIHOST),
        STRING("@parent", parent, IS_FCHOST),
        STRING("@parent_wwnn", parent_wwnn, IS_FCHOST),
        STRING("@parent_wwpn", parent_wwpn, IS_FCHOST),
        STRING("@parent_fabric_wwn", parent_fabric_wwn, IS_FCHOST),
        YESNO("@managed", managed, IS_FCHOST),
        STRING("@wwnn", wwnn, IS_FCHOST),
        STRING("@wwpn", wwpn, IS_FCHOST),
        STRUCT("parentaddr", parent_address, pool_parent_address, IS_SCSIHOST),
};
#undef THIS

static bool is_wwn(const char *text)
{
        return text && strlen(text) == 16 && strspn(text, "0123456789abcdefABCDEF") == 16;
}

static int fc_host_check(const PoolAdapter *adapter, unsigned line, Error *error)
{
        const char *const optional[] = { adapter->parent_wwnn, adapter->parent_wwpn,
                                         adapter->parent_fabric_wwn };

        if (!is_wwn(adapter->wwnn) || !is_wwn(adapter->wwpn))
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <adapter type='fc_host'>: @wwnn and @wwpn of 16 hexadecimal digits "
                        "are needed",
                        line);
        for (unsigned i = 0; i < G_N_ELEMENTS(optional); i++)
                if (optional[i] && !is_wwn(optional[i]))
                        return error_set(error, ERROR_INVALID_XML,
                                         "line %u: <adapter>: '%s' has not 16 hexadecimal digits", line,
                                         optional[i]);
        if (!adapter->parent_wwnn != !adapter->parent_wwpn)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <adapter>: @parent_wwnn and @parent_wwpn belong together", line);
        return 0;
}

static int adapter_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        PoolAdapter *adapter = object;
        unsigned line = node ? node->line : 0;

        (void)flags;
        if (adapter->type == POOL_ADAPTER_FC_HOST)
                return fc_host_check(adapter, line, error);
        if (node &&
            (xml_attribute(node, "wwnn") || xml_attribute(node, "wwpn") || xml_attribute(node, "parent")))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <adapter>: @wwnn, @wwpn and @parent need type='fc_host'", line);
        adapter->type = POOL_ADAPTER_SCSI_HOST;
        if (!adapter->name == !adapter->parent_address)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <adapter>: either @name or a <parentaddr> is needed", line);
        return 0;
}
static DEFINE_STRUCT(pool_adapter, PoolAdapter, .check = adapter_check);

#define THIS PoolAuth
static const Field pool_auth_fields[] = {
        ENUM("@type", type, pool_auth_type, .flags = FIELD_REQUIRED),
        STRING("@username", username, .flags = FIELD_REQUIRED),
        UUID("secret/@uuid", secret.uuid),
        STRING("secret/@usage", secret.usage),
};
#undef THIS

static int auth_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const PoolAuth *auth = object;

        (void)flags;
        if (!*auth->secret.uuid == !auth->secret.usage)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <auth>: a <secret> with either @uuid or @usage is needed",
                                 node ? node->line : 0);
        return 0;
}
static DEFINE_STRUCT(pool_auth, PoolAuth, .check = auth_check);

#define THIS PoolSource
static const Field pool_source_fields[] = {
        ITEMS("host", hosts, pool_host),
        ITEMS("device", devices, pool_device),
        STRING("dir/@path", dir),
        STRUCT("adapter", adapter, pool_adapter),
        STRING("name", name),
        STRING("initiator/iqn/@name", initiator),
        STRING("format/@type", format),
        STRUCT("auth", auth, pool_auth),
        STRING("protocol/@ver", protocol_version),
        STRING("vendor/@name", vendor),
        STRING("product/@name", product),
};
#undef THIS
static DEFINE_STRUCT(pool_source, PoolSource);

#define THIS PoolOption
static const Field mount_option_fields[] = { STRING("@name", name, .flags = FIELD_REQUIRED) };
static const Field rbd_option_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED),
        STRING("@value", value, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(mount_option, PoolOption);
static DEFINE_STRUCT(rbd_option, PoolOption);

char *storage_path_clean(const char *path)
{
        char *clean = g_strdup(path), *end = clean;

        for (const char *at = path; *at; at++)
                if (*at != '/' || end == clean || end[-1] != '/')
                        *end++ = *at;
        if (end > clean + 1 && end[-1] == '/')
                end--;
        *end = '\0';
        return clean;
}

static void clean(char **path)
{
        char *cleaned = storage_path_clean(*path);

        g_free(*path);
        *path = cleaned;
}

static void list_drop(const StructType *type, void *list)
{
        while (((AnyList *)list)->count > 0)
                struct_free(type, list_remove(list, 0));
}

static void drop(char **text)
{
        g_free(*text);
        *text = NULL;
}

void storage_pool_set_free_extents(StoragePoolDefinition *pool, const PoolExtent *extents, size_t count)
{
        PoolDevice *device = pool->source.devices.count > 0 ? pool->source.devices.items[0] : NULL;

        LIST_FOREACH (each, pool->source.devices)
                list_drop(&pool_extent_type, &each->free_extents);
        for (size_t i = 0; device && i < count; i++) {
                PoolExtent *extent = struct_new(&pool_extent_type);

                *extent = extents[i];
                list_append(&device->free_extents, extent);
        }
}

/* What the type does not have is not kept. */
static void source_trim(PoolSource *source, const TypeFacts *type)
{
        if (!(type->source & SOURCE_HOST))
                list_drop(&pool_host_type, &source->hosts);
        if (!(type->source & SOURCE_DEVICE))
                list_drop(&pool_device_type, &source->devices);
        if (!(type->source & SOURCE_ADAPTER))
                source->adapter = struct_free(&pool_adapter_type, source->adapter);
        if (!(type->source & SOURCE_DIR))
                drop(&source->dir);
        if (!(type->source & SOURCE_NAME))
                drop(&source->name);
        if (!(type->source & SOURCE_INITIATOR))
                drop(&source->initiator);
        if (!type->formats)
                drop(&source->format);
}

static int source_check(const StoragePoolDefinition *pool, const TypeFacts *type, Error *error)
{
        const PoolSource *source = &pool->source;
        const struct {
                unsigned what;
                bool is_there;
                const char *element;
        } parts[] = {
                { SOURCE_HOST, source->hosts.count > 0, "host" },
                { SOURCE_DEVICE, source->devices.count > 0, "device" },
                { SOURCE_DIR, source->dir != NULL, "dir" },
                { SOURCE_ADAPTER, source->adapter != NULL, "adapter" },
                { SOURCE_INITIATOR, source->initiator != NULL, "initiator" },
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
                if (type->required & parts[i].what && !parts[i].is_there)
                        return error_set(error, ERROR_INVALID_XML,
                                         "pool '%s': type='%s' needs a <%s> in its <source>", pool->name,
                                         pool_type_to_string(pool->type), parts[i].element);
        return 0;
}

static int format_check(StoragePoolDefinition *pool, const TypeFacts *type, Error *error)
{
        _cleanup_(strvp) char **formats = type->formats ? g_strsplit(type->formats, " ", -1) : NULL;

        if (!formats)
                return 0;
        if (!pool->source.format)
                pool->source.format = g_strdup(formats[0]);
        if (g_strv_contains((const char *const *)formats, pool->source.format))
                return 0;
        return error_set(error, ERROR_INVALID_XML, "pool '%s': format/@type='%s': one of %s is expected",
                         pool->name, pool->source.format, type->formats);
}

static int name_check(StoragePoolDefinition *pool, const TypeFacts *type, Error *error)
{
        if (!pool->name && type->source & SOURCE_NAME)
                pool->name = g_strdup(pool->source.name);
        if (!pool->name)
                return error_set(error, ERROR_INVALID_XML, "<pool>: name is missing");
        for (const char *c = pool->name; *c; c++)
                if ((unsigned char)*c < ' ' || *c == '/' || *c == 0x7f)
                        return error_set(error, ERROR_INVALID_XML,
                                         "<name>: a pool's name has no '/' and no control characters");
        if (type->source & SOURCE_NAME && !pool->source.name)
                pool->source.name = g_strdup(pool->name);
        return 0;
}

static int path_check(StoragePoolDefinition *pool, const TypeFacts *type, Error *error)
{
        const char *folder = pool->type == POOL_TYPE_LOGICAL ? "/dev/"
                             : pool->type == POOL_TYPE_ZFS   ? "/dev/zvol/"
                                                             : NULL;

        if (type->source & SOURCE_NETWORK || folder)
                drop(&pool->path);
        if (type->source & SOURCE_NETWORK)
                return 0;
        if (folder)
                pool->path = g_strconcat(folder, pool->source.name, NULL);
        if (!pool->path || pool->path[0] != '/' || strchr(pool->path, '\n'))
                return error_set(error, ERROR_INVALID_XML,
                                 "pool '%s': <target>: an absolute <path> on one line is needed",
                                 pool->name);
        clean(&pool->path);
        return 0;
}

static int pool_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        StoragePoolDefinition *pool = object;
        const TypeFacts *type = &facts[pool->type];
        int r;

        (void)node, (void)flags;
        pool->capacity = pool->allocation = pool->available = 0;
        storage_pool_set_free_extents(pool, NULL, 0);
        source_trim(&pool->source, type);
        if (pool->source.dir)
                clean(&pool->source.dir);
        r = name_check(pool, type, error);
        if (r >= 0)
                r = format_check(pool, type, error);
        if (r >= 0)
                r = source_check(pool, type, error);
        return r < 0 ? r : path_check(pool, type, error);
}

static bool is_on_host(const void *object, unsigned flags)
{
        (void)flags;
        return ((const StoragePoolDefinition *)object)->path != NULL;
}

#define THIS StoragePoolDefinition
static const Field storage_pool_definition_fields[] = {
        ENUM("@type", type, pool_type, .flags = FIELD_REQUIRED | FIELD_ALWAYS),
        STRING("name", name),
        UUID("uuid", uuid),
        SIZE_BYTES("capacity", capacity, .flags = FIELD_ALWAYS),
        SIZE_BYTES("allocation", allocation, .flags = FIELD_ALWAYS),
        SIZE_BYTES("available", available, .flags = FIELD_ALWAYS),
        YESNO("features/cow/@state", copy_on_write),
        INLINE("source", source, pool_source, .flags = FIELD_KEEP_EMPTY),
        STRING("target/path", path),
        INLINE("target/permissions", permissions, storage_permissions, .shown = is_on_host),
        ENUM("refresh/volume/@allocation", refresh, pool_refresh),
        ITEMS("fs:mount_opts/fs:option", mount_options, mount_option),
        ITEMS("rbd:config_opts/rbd:option", rbd_options, rbd_option),
};
#undef THIS
DEFINE_STRUCT(storage_pool_definition, StoragePoolDefinition, .check = pool_check);

int storage_pool_definition_parse(const char *xml, size_t size, unsigned flags, StoragePoolDefinition **ret,
                                  Error *error)
{
        void *definition;
        int r = struct_parse_document(&storage_pool_definition_type, "pool", xml, size, flags, &definition,
                                      error);

        if (r >= 0)
                *ret = definition;
        return r;
}

int storage_source_parse(const char *xml, size_t size, PoolSource **ret, Error *error)
{
        void *source;
        int r = struct_parse_document(&pool_source_type, "source", xml, size, DEFINITION_INACTIVE, &source,
                                      error);

        if (r >= 0)
                *ret = source;
        return r;
}

PoolSource *storage_source_new(const char *format)
{
        PoolSource *source = struct_new(&pool_source_type);

        source->format = g_strdup(format);
        return source;
}

PoolSource *storage_source_free(PoolSource *source)
{
        return struct_free(&pool_source_type, source);
}

void storage_source_add_device(PoolSource *source, const char *path)
{
        PoolDevice *device = struct_new(&pool_device_type);

        device->path = g_strdup(path);
        list_append(&source->devices, device);
}

void storage_source_add_host(PoolSource *source, const char *name)
{
        PoolHost *host = struct_new(&pool_host_type);

        host->name = g_strdup(name);
        list_append(&source->hosts, host);
}

static void source_release(void *source)
{
        storage_source_free(source);
}

GPtrArray *storage_sources_new(void)
{
        return g_ptr_array_new_with_free_func(source_release);
}

char *storage_sources_format(const GPtrArray *sources)
{
        XmlWriter *writer = xml_writer_new();

        xml_writer_open(writer, "sources");
        for (unsigned i = 0; i < sources->len; i++)
                struct_format(&pool_source_type, sources->pdata[i], "source", writer, 0);
        xml_writer_close(writer);
        return xml_writer_finish(writer);
}

void storage_pool_definition_complete(StoragePoolDefinition *definition)
{
        if (!definition->uuid[0])
                identity_make_uuid(definition->uuid);
}

char *storage_pool_definition_format(const StoragePoolDefinition *definition)
{
        XmlWriter *writer = xml_writer_new();

        xml_writer_open(writer, "pool");
        if (definition->mount_options.count > 0)
                xml_writer_attribute(writer, "xmlns:fs", NAMESPACE "fs/1.0");
        if (definition->rbd_options.count > 0)
                xml_writer_attribute(writer, "xmlns:rbd", NAMESPACE "rbd/1.0");
        struct_format(&storage_pool_definition_type, definition, NULL, writer, 0);
        xml_writer_close(writer);
        return xml_writer_finish(writer);
}

int storage_pool_definition_from_variant(GVariant *variant, StoragePoolDefinition **ret, Error *error)
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *definition = NULL;
        _cleanup_(freep) char *xml = NULL;
        void *made;
        int r = struct_from_variant(&storage_pool_definition_type, variant, &made, error);

        if (r < 0)
                return r;
        definition = made;
        xml = storage_pool_definition_format(definition);
        r = struct_check_document(&storage_pool_definition_type, "pool", xml, 0, error);
        if (r >= 0)
                *ret = TAKE_PTR(definition);
        return r;
}

StoragePoolDefinition *storage_pool_definition_copy(const StoragePoolDefinition *definition)
{
        return struct_copy(&storage_pool_definition_type, definition);
}

StoragePoolDefinition *storage_pool_definition_free(StoragePoolDefinition *definition)
{
        return struct_free(&storage_pool_definition_type, definition);
}
