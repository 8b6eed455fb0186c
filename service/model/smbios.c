/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A structure is a header (type, length, handle), the rest of that length, and texts that end with an empty
 * one; fields number texts from 1. One list of fields per type of structure says what is told. */

#include "model/smbios.h"
#include "core/xml.h"
#include <inttypes.h>
#include <string.h>

typedef struct Structure {
        const uint8_t *bytes;
        size_t length; /* of the formatted part */
        const char *texts, *texts_end;
} Structure;

typedef enum ValueKind {
        VALUE_TEXT,
        VALUE_UUID,
        VALUE_RELEASE,   /* two bytes: major.minor */
        VALUE_FAMILY,    /* a number that stands for a name */
        VALUE_SIGNATURE, /* the processor's */
        VALUE_MHZ,
        VALUE_MTS,
        VALUE_PROCESSOR_TYPE,
        VALUE_STATUS,
        VALUE_MEMORY_SIZE,
        VALUE_FORM_FACTOR,
        VALUE_MEMORY_TYPE,
} ValueKind;

typedef struct Entry {
        const char *name;
        uint8_t offset;
        ValueKind kind;
} Entry;

static const Entry bios[] = { { "vendor", 0x04, VALUE_TEXT },
                              { "version", 0x05, VALUE_TEXT },
                              { "date", 0x08, VALUE_TEXT },
                              { "release", 0x14, VALUE_RELEASE },
                              {} };
static const Entry machine[] = { { "manufacturer", 0x04, VALUE_TEXT }, { "product", 0x05, VALUE_TEXT },
                                 { "version", 0x06, VALUE_TEXT },      { "serial", 0x07, VALUE_TEXT },
                                 { "uuid", 0x08, VALUE_UUID },         { "sku", 0x19, VALUE_TEXT },
                                 { "family", 0x1a, VALUE_TEXT },       {} };
static const Entry board[] = { { "manufacturer", 0x04, VALUE_TEXT },
                               { "product", 0x05, VALUE_TEXT },
                               { "version", 0x06, VALUE_TEXT },
                               { "serial", 0x07, VALUE_TEXT },
                               { "asset", 0x08, VALUE_TEXT },
                               { "location", 0x0a, VALUE_TEXT },
                               {} };
static const Entry processor[] = {
        { "socket_destination", 0x04, VALUE_TEXT }, { "type", 0x05, VALUE_PROCESSOR_TYPE },
        { "family", 0x06, VALUE_FAMILY },           { "manufacturer", 0x07, VALUE_TEXT },
        { "signature", 0x08, VALUE_SIGNATURE },     { "version", 0x10, VALUE_TEXT },
        { "external_clock", 0x12, VALUE_MHZ },      { "max_speed", 0x14, VALUE_MHZ },
        { "status", 0x18, VALUE_STATUS },           { "serial_number", 0x20, VALUE_TEXT },
        { "part_number", 0x22, VALUE_TEXT },        {}
};
static const Entry memory[] = {
        { "size", 0x0c, VALUE_MEMORY_SIZE },  { "form_factor", 0x0e, VALUE_FORM_FACTOR },
        { "locator", 0x10, VALUE_TEXT },      { "bank_locator", 0x11, VALUE_TEXT },
        { "type", 0x12, VALUE_MEMORY_TYPE },  { "speed", 0x15, VALUE_MTS },
        { "manufacturer", 0x17, VALUE_TEXT }, { "serial_number", 0x18, VALUE_TEXT },
        { "part_number", 0x1a, VALUE_TEXT },  {}
};
/* The serial number of a chassis comes before its SKU, whose place depends on what is between. */
static const Entry chassis[] = { { "manufacturer", 0x04, VALUE_TEXT },
                                 { "version", 0x06, VALUE_TEXT },
                                 { "serial", 0x07, VALUE_TEXT },
                                 { "asset", 0x08, VALUE_TEXT },
                                 {} };

/* In libvirt's order. */
static const struct {
        uint8_t type;
        const char *element;
        const Entry *entries;
        bool is_repeated;
} kinds[] = {
        { 0, "bios", bios, false },          { 1, "system", machine, false },
        { 2, "baseBoard", board, true },     { 3, "chassis", chassis, false },
        { 4, "processor", processor, true }, { 17, "memory_device", memory, true },
};

#define TYPE_OEM_STRINGS 11
#define TYPE_END         127

/* False at the end of the tables, or where they make no sense any more. */
static bool structure_next(const uint8_t **at, const uint8_t *end, Structure *ret)
{
        const uint8_t *start = *at, *text;

        if (end - start < 4 || start[1] < 4 || start[1] > end - start || start[0] == TYPE_END)
                return false;
        text = start + start[1];
        while (end - text >= 2 && (text[0] != 0 || text[1] != 0))
                text++;
        if (end - text < 2)
                return false;
        *ret = (Structure){ .bytes = start,
                            .length = start[1],
                            .texts = (const char *)start + start[1],
                            .texts_end = (const char *)text + 1 };
        *at = text + 2;
        return true;
}

static unsigned byte_of(const Structure *structure, size_t offset)
{
        return offset < structure->length ? structure->bytes[offset] : 0;
}

static unsigned word_of(const Structure *structure, size_t offset)
{
        return byte_of(structure, offset) | byte_of(structure, offset + 1) << 8;
}

/* To be freed; NULL: there is none of that number. Whatever XML cannot hold is a question mark. */
static char *text_of(const Structure *structure, unsigned number)
{
        const char *text = structure->texts;
        char *copy;

        if (number == 0)
                return NULL;
        while (--number > 0 && text < structure->texts_end)
                text += strlen(text) + 1;
        if (text >= structure->texts_end || !*text)
                return NULL;
        copy = g_utf8_make_valid(text, -1);
        for (char *c = copy; *c; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f)
                        *c = '?';
        return g_strstrip(copy);
}

static char *word_or_number(const char *const *words, size_t n, unsigned value)
{
        return value < n && words[value] ? g_strdup(words[value]) : g_strdup_printf("0x%02x", value);
}
#define WORD(words, value) word_or_number(words, G_N_ELEMENTS(words), value)

static char *uuid_of(const Structure *structure, size_t at)
{
        const uint8_t *b = structure->bytes + at;

        if (at + 16 > structure->length)
                return NULL;
        /* The first three parts are numbers with the low byte first. */
        return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[3],
                               b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12],
                               b[13], b[14], b[15]);
}

static char *signature_of(const Structure *structure, size_t at)
{
        unsigned eax = word_of(structure, at) | word_of(structure, at + 2) << 16;
        unsigned family = eax >> 8 & 0xf, model = eax >> 4 & 0xf;

        if (eax == 0)
                return NULL;
        if (family == 0xf)
                family += eax >> 20 & 0xff;
        if (family == 0xf || family == 6 || family > 0xf)
                model |= (eax >> 16 & 0xf) << 4;
        return g_strdup_printf("Type %u, Family %u, Model %u, Stepping %u", eax >> 12 & 3, family, model,
                               eax & 0xf);
}

static char *memory_size_of(const Structure *structure, size_t at)
{
        unsigned size = word_of(structure, at);
        uint64_t mib = size;

        if (size == 0 || size == 0xffff)
                return NULL;
        if (size == 0x7fff)
                mib = word_of(structure, 0x1c) | (uint64_t)word_of(structure, 0x1e) << 16;
        else if (size & 0x8000)
                return g_strdup_printf("%u kB", size & 0x7fff);
        return mib % 1024 == 0 ? g_strdup_printf("%" PRIu64 " GB", mib / 1024)
                               : g_strdup_printf("%" PRIu64 " MB", mib);
}

static char *number_with_unit(unsigned value, const char *unit)
{
        return value == 0 ? NULL : g_strdup_printf("%u %s", value, unit);
}

/* To be freed; NULL: it is not told. */
static char *value_of(const Structure *structure, const Entry *entry)
{
        static const char *const processors[] = { NULL,
                                                  "Other",
                                                  "Unknown",
                                                  "Central Processor",
                                                  "Math Processor",
                                                  "DSP Processor",
                                                  "Video Processor" };
        static const char *const factors[] = { NULL,      "Other",  "Unknown",
                                               "SIMM",    "SIP",    "Chip",
                                               "DIP",     "ZIP",    "Proprietary Card",
                                               "DIMM",    "TSOP",   "Row Of Chips",
                                               "RIMM",    "SODIMM", "SRIMM",
                                               "FB-DIMM", "Die" };
        static const char *const memories[] = {
                [1] = "Other",   [2] = "Unknown", [3] = "DRAM",   [7] = "RAM",
                [15] = "SDRAM",  [18] = "DDR",    [19] = "DDR2",  [20] = "DDR2 FB-DIMM",
                [24] = "DDR3",   [26] = "DDR4",   [27] = "LPDDR", [28] = "LPDDR2",
                [29] = "LPDDR3", [30] = "LPDDR4", [34] = "DDR5",  [35] = "LPDDR5",
        };
        static const char *const families[] = {
                [1] = "Other",      [2] = "Unknown",    [0xb3] = "Xeon", [0xc6] = "Core i7",
                [0xcd] = "Core i5", [0xce] = "Core i3", [0x6b] = "Zen"
        };
        size_t at = entry->offset;
        unsigned byte = byte_of(structure, at);

        if (at >= structure->length)
                return NULL;
        switch (entry->kind) {
        case VALUE_TEXT:
                return text_of(structure, byte);
        case VALUE_UUID:
                return uuid_of(structure, at);
        case VALUE_RELEASE:
                return byte == 0xff ? NULL : g_strdup_printf("%u.%u", byte, byte_of(structure, at + 1));
        case VALUE_FAMILY:
                return WORD(families, byte);
        case VALUE_SIGNATURE:
                return signature_of(structure, at);
        case VALUE_MHZ:
                return number_with_unit(word_of(structure, at), "MHz");
        case VALUE_MTS:
                return number_with_unit(word_of(structure, at), "MT/s");
        case VALUE_PROCESSOR_TYPE:
                return WORD(processors, byte);
        case VALUE_STATUS:
                return g_strdup(!(byte & 1 << 6)  ? "Unpopulated"
                                : (byte & 7) == 1 ? "Populated, Enabled"
                                : (byte & 7) == 4 ? "Populated, Idle"
                                                  : "Populated, Disabled");
        case VALUE_MEMORY_SIZE:
                return memory_size_of(structure, at);
        case VALUE_FORM_FACTOR:
                return WORD(factors, byte);
        case VALUE_MEMORY_TYPE:
                return WORD(memories, byte);
        }
        return NULL;
}

static void write_entry(XmlWriter *writer, const char *name, const char *value)
{
        xml_writer_open(writer, "entry");
        if (name)
                xml_writer_attribute(writer, "name", name);
        xml_writer_text(writer, value);
        xml_writer_close(writer);
}

static void write_structure(XmlWriter *writer, const char *element, const Entry *entries,
                            const Structure *structure)
{
        bool is_open = false;

        for (const Entry *entry = entries; entry->name; entry++) {
                _cleanup_(freep) char *value = value_of(structure, entry);

                if (!value || !*value)
                        continue;
                if (!is_open)
                        xml_writer_open(writer, element);
                is_open = true;
                write_entry(writer, entry->name, value);
        }
        if (is_open)
                xml_writer_close(writer);
}

static void write_kind(XmlWriter *writer, const uint8_t *table, size_t size, size_t kind)
{
        const uint8_t *at = table;
        Structure structure;

        while (structure_next(&at, table + size, &structure)) {
                /* An empty slot is no memory. */
                if (structure.bytes[0] != kinds[kind].type ||
                    (structure.bytes[0] == 17 && word_of(&structure, 0x0c) == 0))
                        continue;
                write_structure(writer, kinds[kind].element, kinds[kind].entries, &structure);
                if (!kinds[kind].is_repeated)
                        return;
        }
}

static void write_oem_strings(XmlWriter *writer, const uint8_t *table, size_t size)
{
        const uint8_t *at = table;
        Structure structure;
        bool is_open = false;

        while (structure_next(&at, table + size, &structure)) {
                for (unsigned i = 1; structure.bytes[0] == TYPE_OEM_STRINGS && i <= byte_of(&structure, 4);
                     i++) {
                        _cleanup_(freep) char *text = text_of(&structure, i);

                        if (!text)
                                continue;
                        if (!is_open)
                                xml_writer_open(writer, "oemStrings");
                        is_open = true;
                        write_entry(writer, NULL, text);
                }
        }
        if (is_open)
                xml_writer_close(writer);
}

char *smbios_format(const uint8_t *table, size_t size)
{
        XmlWriter *writer = xml_writer_new();

        xml_writer_open(writer, "sysinfo");
        xml_writer_attribute(writer, "type", "smbios");
        for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
                write_kind(writer, table, size, kind);
        write_oem_strings(writer, table, size);
        xml_writer_close(writer);
        return xml_writer_finish(writer);
}
