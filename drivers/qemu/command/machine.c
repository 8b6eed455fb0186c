/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* -machine and -accel: the board, and who runs its processors. What <features> says of the processors is in
 * cpu.c. */

#include "drivers/qemu/command/machine.h"
#include "drivers/qemu/command/device.h"
#include <inttypes.h>

static void append_on_off(GString *text, const char *key, OnOff value)
{
        if (value != ON_OFF_ABSENT)
                g_string_append_printf(text, ",%s=%s", key, on_off_to_string(value));
}

/* Boards of x86 only: others do not know these options. */
static void append_x86(const CommandLine *line, GString *text)
{
        const DomainFeatures *features = &line->definition->features;
        const ClockTimer *hpet = clock_timer(line->definition, TIMER_HPET);
        const ClockTimer *pit = clock_timer(line->definition, TIMER_PIT);

        append_on_off(text, "vmport", features->vmport);
        append_on_off(text, "smm", features->smm);
        if (!features->acpi)
                g_string_append(text, ",acpi=off");
        /* Guests keep better time without it, so it is there only for those that ask. */
        g_string_append_printf(text, ",hpet=%s", hpet && hpet->present == YES ? "on" : "off");
        if (pit && pit->present == NO)
                g_string_append(text, ",pit=off");
        if (line->definition->os.bios_useserial == YES)
                g_string_append(text, ",graphics=off"); /* SeaBIOS then talks to the first serial port */
        LIST_FOREACH (sound, line->definition->devices.sounds) {
                if (sound->model == SOUND_MODEL_PCSPK)
                        g_string_append_printf(text, ",pcspk-audiodev=audio%u",
                                               sound->has_audio_id ? sound->audio_id : 1);
        }
}

static int append_irqchip(const CommandLine *line, GString *text, Error *error)
{
        const DomainFeatures *features = &line->definition->features;

        if (features->ioapic != IOAPIC_ABSENT && !machine_uses_kvm(line->definition))
                return device_unsupported(error, "<ioapic driver='%s'> needs KVM",
                                          ioapic_driver_to_string(features->ioapic));
        if (features->ioapic != IOAPIC_ABSENT)
                g_string_append_printf(text, ",kernel_irqchip=%s",
                                       features->ioapic == IOAPIC_KVM ? "on" : "split");
        if (features->gic != GIC_ABSENT)
                g_string_append_printf(text, ",gic-version=%s", gic_version_to_string(features->gic));
        return 0;
}

static int add_accel(CommandLine *line, Error *error)
{
        const DomainDefinition *definition = line->definition;
        const KvmFeatures *kvm = definition->features.kvm;

        if (definition->type == DOMAIN_TYPE_QEMU) {
                if (definition->features.tcg_tb_cache_kib > 0)
                        command_add_option(line, "-accel", "tcg,tb-size=%" PRIu64,
                                           MAX(definition->features.tcg_tb_cache_kib / 1024, 1));
                else
                        command_add_option(line, "-accel", "tcg");
                return 0;
        }
        if (definition->type != DOMAIN_TYPE_KVM)
                return device_unsupported(error, "The QEMU driver has no domains of type '%s'",
                                          domain_type_to_string(definition->type));
        if (kvm && kvm->dirty_ring == ON)
                command_add_option(line, "-accel", "kvm,dirty-ring-size=%u", kvm->dirty_ring_size);
        else
                command_add_option(line, "-accel", "kvm");
        return 0;
}

int command_machine(CommandLine *line, const char *options, Error *error)
{
        const DomainDefinition *definition = line->definition;
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        _cleanup_(freep) char *machine = NULL;
        int r;

        if (!definition->os.machine)
                return error_set(error, ERROR_INVALID_XML, "<os> needs a machine type");
        machine = command_escape(definition->os.machine);
        g_string_append_printf(text, "%s,usb=off", machine);
        append_on_off(text, "dump-guest-core",
                      definition->dump_core == ON_OFF_ABSENT ? OFF : definition->dump_core);
        if (definition->memory_backing && definition->memory_backing->nosharepages)
                g_string_append(text, ",mem-merge=off");
        if (machine_is_x86(definition))
                append_x86(line, text);
        r = append_irqchip(line, text, error);
        if (r < 0)
                return r;
        g_string_append(text, options);
        command_add_option(line, "-machine", "%s", text->str);
        if (definition->features.has_smm_tseg) {
                if (!machine_is_q35(definition))
                        return device_unsupported(error, "<tseg> of <smm> needs a machine of type q35");
                command_add_option(line, "-global", "mch.extended-tseg-mbytes=%" PRIu64,
                                   definition->features.smm_tseg_bytes / (1024 * 1024));
        }
        return add_accel(line, error);
}
