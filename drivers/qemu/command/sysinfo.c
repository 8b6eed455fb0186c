/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the guest can read of its machine: SMBIOS (<sysinfo type='smbios'>, shown only if <smbios> says so),
 * fw_cfg entries, further ACPI tables. */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"

typedef struct SmbiosName {
        const char *entry, *option;
} SmbiosName;

static const SmbiosName bios_names[] = { { "vendor", "vendor" },
                                         { "version", "version" },
                                         { "date", "date" },
                                         { "release", "release" },
                                         { NULL } };
static const SmbiosName system_names[] = { { "manufacturer", "manufacturer" },
                                           { "product", "product" },
                                           { "version", "version" },
                                           { "serial", "serial" },
                                           { "uuid", "uuid" },
                                           { "sku", "sku" },
                                           { "family", "family" },
                                           { NULL } };
static const SmbiosName baseboard_names[] = { { "manufacturer", "manufacturer" },
                                              { "product", "product" },
                                              { "version", "version" },
                                              { "serial", "serial" },
                                              { "asset", "asset" },
                                              { "location", "location" },
                                              { NULL } };
static const SmbiosName chassis_names[] = { { "manufacturer", "manufacturer" },
                                            { "version", "version" },
                                            { "serial", "serial" },
                                            { "asset", "asset" },
                                            { "sku", "sku" },
                                            { NULL } };

static const char *option_name(const SmbiosName *names, const char *entry)
{
        for (; names->entry; names++) {
                if (g_strcmp0(names->entry, entry) == 0)
                        return names->option;
        }
        return NULL;
}

static int add_table(CommandLine *line, unsigned type, const SmbiosName *names, SysinfoEntry *const *entries,
                     uint32_t count, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);

        for (uint32_t i = 0; i < count; i++) {
                const char *option = option_name(names, entries[i]->name);
                _cleanup_(freep) char *value = command_escape(entries[i]->value ? entries[i]->value : "");

                if (!option)
                        return device_unsupported(error, "QEMU has no entry '%s' in SMBIOS table %u",
                                                  entries[i]->name, type);
                g_string_append_printf(text, ",%s=%s", option, value);
        }
        if (count > 0)
                command_add_option(line, "-smbios", "type=%u%s", type, text->str);
        return 0;
}

static int add_smbios(CommandLine *line, const DomainSysinfo *sysinfo, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        int r;

        r = add_table(line, 0, bios_names, sysinfo->bios.items, sysinfo->bios.count, error);
        if (r >= 0)
                r = add_table(line, 1, system_names, sysinfo->system.items, sysinfo->system.count, error);
        if (r < 0)
                return r;
        LIST_FOREACH(board, sysinfo->baseboards)
        {
                r = add_table(line, 2, baseboard_names, board->entries.items, board->entries.count, error);
                if (r < 0)
                        return r;
        }
        r = add_table(line, 3, chassis_names, sysinfo->chassis.items, sysinfo->chassis.count, error);
        if (r < 0)
                return r;
        for (char **value = sysinfo->oem_strings; value && *value; value++) {
                _cleanup_(freep) char *escaped = command_escape(*value);

                g_string_append_printf(text, ",value=%s", escaped);
        }
        if (text->len > 0)
                command_add_option(line, "-smbios", "type=11%s", text->str);
        return 0;
}

static int add_fw_cfg(CommandLine *line, const DomainSysinfo *sysinfo, Error *error)
{
        LIST_FOREACH(entry, sysinfo->fwcfg)
        {
                _cleanup_(freep) char *name = NULL, *value = NULL, *file = NULL;

                /* QEMU keeps the rest of the names for itself. */
                if (!entry->name || !g_str_has_prefix(entry->name, "opt/"))
                        return error_set(error, ERROR_INVALID_XML,
                                         "A fw_cfg entry's name begins with opt/, not so '%s'",
                                         entry->name ? entry->name : "");
                name = command_escape(entry->name);
                if (entry->file) {
                        file = command_whole_file(line, entry->file);
                        value = command_escape(file);
                } else
                        value = command_escape(entry->value ? entry->value : "");
                command_add_option(line, "-fw_cfg", "name=%s,%s=%s", name, entry->file ? "file" : "string",
                                   value);
        }
        return 0;
}

static int add_acpi_tables(CommandLine *line, Error *error)
{
        LIST_FOREACH(table, line->definition->os.acpi_tables)
        {
                bool is_slic = !table->type || g_strcmp0(table->type, "slic") == 0;
                _cleanup_(freep) char *path = NULL, *file = NULL;

                if (!is_slic && g_strcmp0(table->type, "raw") != 0)
                        return device_unsupported(error, "The QEMU driver has no ACPI table of type '%s'",
                                                  table->type);
                if (!table->path || !g_path_is_absolute(table->path))
                        return error_set(error, ERROR_INVALID_XML, "An ACPI table needs an absolute path");
                file = command_whole_file(line, table->path);
                path = command_escape(file);
                /* The signature makes QEMU take the names of the other tables from this one, as Windows asks
                 * for. */
                if (is_slic)
                        command_add_option(line, "-acpitable", "sig=SLIC,file=%s", path);
                else
                        command_add_option(line, "-acpitable", "file=%s", path);
        }
        return 0;
}

int command_sysinfo(CommandLine *line, Error *error)
{
        const DomainOs *os = &line->definition->os;
        int r;

        if (os->smbios == SMBIOS_HOST)
                return device_unsupported(error, "The QEMU driver has no <smbios mode='host'>");
        LIST_FOREACH(sysinfo, line->definition->sysinfos)
        {
                if (sysinfo->type == SYSINFO_FWCFG)
                        r = add_fw_cfg(line, sysinfo, error);
                else
                        r = os->smbios == SMBIOS_SYSINFO ? add_smbios(line, sysinfo, error) : 0;
                if (r < 0)
                        return r;
        }
        return add_acpi_tables(line, error);
}
