/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is plugged into USB and is neither an input nor a disk: hubs, devices of whoever looks at the screen,
 * smartcards (their reader is a controller). */

#include "drivers/qemu/command/device.h"
#include <string.h>

int command_hub(CommandLine *line, const DomainHub *hub, Error *error)
{
        json_t *device = device_new("usb-hub", &hub->info);
        int r = device_set_info(line, device, &hub->info, error);

        if (r < 0) {
                json_decref(device);
                return r;
        }
        return device_add(line, device, error);
}

static void append_id(GString *text, bool is_given, uint32_t value, unsigned digits)
{
        if (is_given)
                g_string_append_printf(text, "0x%0*X:", (int)digits, value);
        else
                g_string_append(text, "-1:");
}

/* "2.1" is 0x0210 in a device's own description. */
static int append_version(GString *text, const char *version, Error *error)
{
        unsigned major, minor = 0;
        char end;

        if (!version || strcmp(version, "-1") == 0) {
                g_string_append(text, "-1:");
                return 0;
        }
        if (sscanf(version, "%2u.%2u%c", &major, &minor, &end) != 2 &&
            sscanf(version, "%2u%c", &major, &end) != 1)
                return error_set(error, ERROR_INVALID_XML, "'%s' is no version of a USB device", version);
        g_string_append_printf(text, "0x%02u%02u:", major, minor);
        return 0;
}

/* CLASS:VENDOR:PRODUCT:VERSION:ALLOW, the next after a bar. */
static int set_filter(const CommandLine *line, json_t *device, Error *error)
{
        const DomainRedirfilter *filter = line->definition->devices.redirfilter;
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);

        if (!filter || filter->usbdevs.count == 0)
                return 0;
        LIST_FOREACH (rule, filter->usbdevs) {
                int r;

                if (text->len > 0)
                        g_string_append_c(text, '|');
                append_id(text, rule->has_usb_class, rule->usb_class, 2);
                append_id(text, rule->has_vendor, rule->vendor, 4);
                append_id(text, rule->has_product, rule->product, 4);
                r = append_version(text, rule->version, error);
                if (r < 0)
                        return r;
                g_string_append_c(text, rule->allow == YES ? '1' : '0');
        }
        json_set_string(device, "filter", text->str);
        return 0;
}

int command_redirdev(CommandLine *line, const DomainRedirdev *redirdev, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = device_new("usb-redir", &redirdev->info);
        _cleanup_(freep) char *id = NULL;
        int r;

        r = command_chardev_named(line, &redirdev->source, redirdev->info.alias, "usbredir", &id, error);
        if (r < 0)
                return r;
        json_set_string(device, "chardev", id);
        r = set_filter(line, device, error);
        if (r >= 0)
                r = device_set_info(line, device, &redirdev->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

static int set_certificates(json_t *device, const DomainSmartcard *smartcard, Error *error)
{
        static const char *const keys[] = { "cert1", "cert2", "cert3" };

        json_set_string(device, "backend", "certificates");
        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
                if (!smartcard->certificates || g_strv_length(smartcard->certificates) <= i)
                        return error_set(error, ERROR_INVALID_XML, "A smartcard needs three certificates");
                json_set_string(device, keys[i], smartcard->certificates[i]);
        }
        json_set_string(device, "db", smartcard->database ? smartcard->database : "/etc/pki/nssdb");
        return 0;
}

static int new_smartcard(CommandLine *line, const DomainSmartcard *smartcard, json_t **ret_device,
                         Error *error)
{
        bool is_passed = smartcard->mode == SMARTCARD_PASSTHROUGH;
        _cleanup_(json_decrefp) json_t *device =
                device_new(is_passed ? "ccid-card-passthru" : "ccid-card-emulated", &smartcard->info);
        _cleanup_(freep) char *id = NULL;
        int r = 0;

        switch (smartcard->mode) {
        case SMARTCARD_HOST:
                json_set_string(device, "backend", "nss-emulated");
                break;
        case SMARTCARD_HOST_CERTIFICATES:
                r = set_certificates(device, smartcard, error);
                break;
        default:
                r = command_chardev_named(line, &smartcard->source, smartcard->info.alias, "smartcard", &id,
                                          error);
                json_set_string(device, "chardev", id);
                break;
        }
        if (r < 0)
                return r;
        *ret_device = TAKE_PTR(device);
        return 0;
}

int command_smartcard(CommandLine *line, const DomainSmartcard *smartcard, Error *error)
{
        _cleanup_(freep) char *reader =
                device_bus(line, CONTROLLER_TYPE_CCID, smartcard->info.address.controller);
        _cleanup_(freep) char *bus = NULL;
        json_t *device;
        int r;

        if (!reader)
                return error_set(error, ERROR_INVALID_XML, "There is no CCID controller with index %u",
                                 smartcard->info.address.controller);
        r = new_smartcard(line, smartcard, &device, error);
        if (r < 0)
                return r;
        bus = g_strconcat(reader, ".0", NULL);
        json_set_string(device, "bus", bus);
        return device_add(line, device, error);
}
