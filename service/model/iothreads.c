/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model/iothreads.h"
#include "model/pins.h"

#define ID_MAX 4096

static bool has_number(const DomainDefinition *definition, uint32_t id)
{
        LIST_FOREACH (iothread, definition->iothread_list) {
                if (iothread->id == id)
                        return true;
        }
        return false;
}

uint32_t iothread_count(const DomainDefinition *definition)
{
        return MAX(definition->iothreads, definition->iothread_list.count);
}

bool iothread_is_there(const DomainDefinition *definition, uint32_t id)
{
        uint32_t unnumbered = iothread_count(definition) - definition->iothread_list.count;

        if (has_number(definition, id))
                return true;
        for (uint32_t i = 1; i <= id && unnumbered > 0; i++) {
                if (has_number(definition, i))
                        continue;
                if (i == id)
                        return true;
                unnumbered--;
        }
        return false;
}

/* Gives each its number, so that adding and removing one leaves the others what they are. */
static void number_all(DomainDefinition *definition)
{
        while (definition->iothread_list.count < definition->iothreads) {
                DomainIothread *iothread = g_new0(DomainIothread, 1);

                for (iothread->id = 1; has_number(definition, iothread->id); iothread->id++)
                        ;
                list_append(&definition->iothread_list, iothread);
        }
}

void iothread_add(DomainDefinition *definition, uint32_t id)
{
        DomainIothread *iothread = g_new0(DomainIothread, 1);

        number_all(definition);
        iothread->id = id;
        list_append(&definition->iothread_list, iothread);
        definition->iothreads = definition->iothread_list.count;
        definition->iothreads_given = true;
}

void iothread_remove(DomainDefinition *definition, uint32_t id)
{
        number_all(definition);
        for (uint32_t i = 0; i < definition->iothread_list.count; i++)
                if (definition->iothread_list.items[i]->id == id) {
                        g_free(list_remove(&definition->iothread_list, i));
                        break;
                }
        for (uint32_t i = 0; definition->cpu_tune && i < definition->cpu_tune->iothreadpins.count; i++) {
                IothreadPin *pin = definition->cpu_tune->iothreadpins.items[i];

                if (pin->iothread != id)
                        continue;
                (void)list_remove(&definition->cpu_tune->iothreadpins, i); /* it is `pin` */
                g_free(pin->cpuset);
                g_free(pin);
                break;
        }
        definition->iothreads = definition->iothread_list.count;
}

static int check_number(uint32_t id, Error *error)
{
        return id == 0 || id > ID_MAX
                       ? error_set(error, ERROR_INVALID_ARGUMENT,
                                   "I/O threads have numbers from 1 to %d, not %u", ID_MAX, id)
                       : 0;
}

int iothread_check_new(const DomainDefinition *definition, uint32_t id, Error *error)
{
        int r = check_number(id, error);

        if (r >= 0 && iothread_is_there(definition, id))
                r = error_set(error, ERROR_EXISTS, "Domain '%s' has an I/O thread %u already",
                              definition->name, id);
        return r;
}

int iothread_check_unused(const DomainDefinition *definition, uint32_t id, Error *error)
{
        int r = check_number(id, error);

        if (r >= 0 && !iothread_is_there(definition, id))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "Domain '%s' has no I/O thread %u",
                              definition->name, id);
        if (r < 0)
                return r;
        LIST_FOREACH (disk, definition->devices.disks) {
                if (disk->iothread == id)
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "Disk '%s' of domain '%s' uses I/O thread %u", disk->target,
                                         definition->name, id);
        }
        LIST_FOREACH (controller, definition->devices.controllers) {
                if (controller->iothread == id)
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "Controller %u of domain '%s' uses I/O thread %u",
                                         controller->index, definition->name, id);
        }
        return 0;
}

GVariant *iothread_maps(const DomainDefinition *definition, unsigned n_processors)
{
        GVariantBuilder list;

        g_variant_builder_init(&list, G_VARIANT_TYPE("a(uab)"));
        for (uint32_t id = 1, left = iothread_count(definition); left > 0; id++) {
                if (!iothread_is_there(definition, id))
                        continue;
                g_variant_builder_add(
                        &list, "(u@ab)", id,
                        pin_map_of_set(pin_get(definition, THREAD_IOTHREAD, id), n_processors));
                left--;
        }
        return g_variant_builder_end(&list);
}
