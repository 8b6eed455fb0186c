/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Firmware, and what it shows to the guest: elements of <os> against each other and against the machine. */

#include "model/board.h"
#include "model/complete.h"
#include <stdio.h>

static int check_loader(const DomainDefinition *definition, Error *error)
{
        const DomainOs *os = &definition->os;
        bool has_loader = os->loader_type != LOADER_TYPE_ABSENT || os->loader_readonly != YES_NO_ABSENT ||
                          os->loader_secure != YES_NO_ABSENT || os->loader_stateless != YES_NO_ABSENT;

        if (os->firmware != OS_FIRMWARE_ABSENT)
                return 0;
        if (os->firmware_features.count > 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "Features of the firmware choose one only where os/@firmware is given");
        if (has_loader && !os->loader && os->loader_type != LOADER_NONE)
                return error_set(error, ERROR_INVALID_XML,
                                 "os/loader needs a path where os/@firmware is not given");
        if (os->nvram && !os->loader)
                return error_set(error, ERROR_INVALID_XML, "os/nvram needs os/loader");
        return 0;
}

static int check_nvram(const DomainDefinition *definition, Error *error)
{
        const DomainOs *os = &definition->os;

        if (os->nvram && os->loader_stateless == YES)
                return error_set(error, ERROR_INVALID_XML, "A stateless loader has no NVRAM");
        if (os->loader_type == LOADER_PFLASH && board_is_x86(definition) && !definition->features.acpi)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "UEFI needs the feature 'acpi' on this architecture");
        return 0;
}

/* month/day/year, as SMBIOS has it; the year with two digits or four. */
static bool is_bios_date(const char *text)
{
        unsigned month, day, year;
        int end = 0;

        if (sscanf(text, "%2u/%2u/%4u%n", &month, &day, &year, &end) != 3 || text[end] != '\0')
                return false;
        return month >= 1 && month <= 12 && day >= 1 && day <= 31 && (year < 100 || year >= 1900);
}

static int check_sysinfo(const DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (sysinfo, definition->sysinfos)
                LIST_FOREACH (entry, sysinfo->bios)
                        if (g_strcmp0(entry->name, "date") == 0 && entry->value &&
                            !is_bios_date(entry->value))
                                return error_set(error, ERROR_INVALID_XML,
                                                 "'%s' is no date of a BIOS: month/day/year is expected",
                                                 entry->value);
        return 0;
}

int domain_definition_validate_boot(const DomainDefinition *definition, Error *error)
{
        static int (*const checks[])(const DomainDefinition *, Error *) = { check_loader, check_nvram,
                                                                            check_sysinfo };

        if (!board_is_qemu(definition))
                return 0;
        for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++) {
                int r = checks[i](definition, error);
                if (r < 0)
                        return r;
        }
        return 0;
}
