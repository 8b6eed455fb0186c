/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A disk has a gibibyte until somebody says otherwise, reads as zeros, and is never written to: so it has no
 * errors, and no threshold is passed. */

#include "drivers/test/blocks.h"
#include "drivers/test/machine.h"
#include "model/disk-chain.h"
#include <inttypes.h>

#define DISK_BYTES (UINT64_C(1) << 30)
#define PEEK_MAX   65536

enum { RESIZE_BYTES = 1 << 0 }; /* virDomainBlockResizeFlags */

uint64_t blocks_size(const Domain *domain, const char *target)
{
        GHashTable *sizes = machine_of(domain)->disk_sizes;
        const uint64_t *size = sizes ? g_hash_table_lookup(sizes, target) : NULL;

        return size ? *size : DISK_BYTES;
}

static int find(const Domain *domain, const char *name, DomainDisk **ret_disk, Error *error)
{
        int r = domain_check_active(domain, error);

        return r < 0 ? r : chain_find_named(domain->live, name, ret_disk, error);
}

int test_domain_block_resize(Call *call, Domain *domain, const char *name, uint64_t size, uint32_t flags,
                             Error *error)
{
        Machine *machine = machine_of(domain);
        DomainDisk *disk;
        int r = error_check_flags(error, "BlockResize", flags, RESIZE_BYTES);

        (void)call;
        if (r >= 0)
                r = chain_wanted_bytes(size, flags & RESIZE_BYTES, &size, error);
        if (r >= 0)
                r = find(domain, name, &disk, error);
        if (r < 0)
                return r;
        if (!machine->disk_sizes)
                machine->disk_sizes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_hash_table_replace(machine->disk_sizes, g_strdup(disk->target), g_memdup2(&size, sizeof size));
        return 0;
}

int test_domain_block_peek(Call *call, Domain *domain, const char *name, uint64_t offset, uint64_t size,
                           uint32_t flags, GVariant **ret_buffer, Error *error)
{
        _cleanup_(freep) uint8_t *zeros = NULL;
        uint64_t length;
        DomainDisk *disk;
        int r = error_check_flags(error, "BlockPeek", flags, 0);

        (void)call;
        if (r >= 0 && (size == 0 || size > PEEK_MAX))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "BlockPeek reads 1 to %d bytes at a time",
                              PEEK_MAX);
        if (r >= 0)
                r = chain_find_named(domain_current_definition(domain), name, &disk, error);
        if (r < 0)
                return r;
        length = blocks_size(domain, disk->target);
        if (size > length || offset > length - size)
                return error_set(error, ERROR_INVALID_ARGUMENT, "Disk '%s' ends at %" PRIu64 " bytes",
                                 disk->target, length);
        zeros = g_malloc0(size);
        *ret_buffer = g_variant_ref_sink(g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, zeros, size, 1));
        return 0;
}

int test_domain_get_disk_errors(Call *call, Domain *domain, uint32_t flags, GVariant **ret_errors,
                                Error *error)
{
        int r = error_check_flags(error, "GetDiskErrors", flags, 0);

        (void)call;
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0)
                *ret_errors = g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(si)"), NULL, 0));
        return r;
}
