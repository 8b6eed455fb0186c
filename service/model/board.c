/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Machine types and architectures by name. A definition without a machine type is taken for the oldest of
 * its architecture, as QEMU itself does. */

#include "model/board.h"

bool board_is_qemu(const DomainDefinition *definition)
{
        return definition->type == DOMAIN_TYPE_QEMU || definition->type == DOMAIN_TYPE_KVM ||
               definition->type == DOMAIN_TYPE_KQEMU || definition->type == DOMAIN_TYPE_HVF;
}

bool board_is_x86(const DomainDefinition *definition)
{
        const char *arch = definition->os.arch;

        return !arch || g_str_equal(arch, "x86_64") || g_str_equal(arch, "i686");
}

static bool is_i440fx(const char *machine)
{
        return g_str_equal(machine, "pc") || g_str_has_prefix(machine, "pc-0.") ||
               g_str_has_prefix(machine, "pc-1.") || g_str_has_prefix(machine, "pc-i440fx-") ||
               g_str_has_prefix(machine, "rhel");
}

static bool is_virt(const DomainDefinition *definition, const char *machine)
{
        const char *arch = definition->os.arch;

        if (!g_str_equal(machine, "virt") && !g_str_has_prefix(machine, "virt-"))
                return false;
        return arch && (g_str_equal(arch, "aarch64") || g_str_equal(arch, "armv7l") ||
                        g_str_equal(arch, "armv6l") || g_str_has_prefix(arch, "riscv"));
}

BoardFamily board_family(const DomainDefinition *definition)
{
        const char *machine = definition->os.machine;

        if (!board_is_qemu(definition))
                return BOARD_OTHER;
        if (!machine)
                return board_is_x86(definition) ? BOARD_I440FX : BOARD_OTHER;
        if (is_virt(definition, machine))
                return BOARD_VIRT;
        if (!board_is_x86(definition))
                return BOARD_OTHER;
        if (g_str_equal(machine, "isapc"))
                return BOARD_ISAPC;
        if (g_str_equal(machine, "q35") || g_str_has_prefix(machine, "pc-q35-"))
                return BOARD_Q35;
        return is_i440fx(machine) ? BOARD_I440FX : BOARD_OTHER;
}
