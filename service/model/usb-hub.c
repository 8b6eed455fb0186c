/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ports of USB hubs, and which are taken. address-usb.c builds one tree for each controller. */

#include <errno.h>

#include "model/usb-hub.h"

struct UsbHub {
        uint32_t ports;
        bool *is_used;
        UsbHub **below;
};

UsbHub *usb_hub_new(uint32_t ports)
{
        UsbHub *hub = g_new0(UsbHub, 1);

        hub->ports = ports;
        hub->is_used = g_new0(bool, ports);
        hub->below = g_new0(UsbHub *, ports);
        return hub;
}

UsbHub *usb_hub_free(UsbHub *hub)
{
        if (!hub)
                return NULL;
        for (uint32_t i = 0; i < hub->ports; i++)
                usb_hub_free(hub->below[i]);
        g_free(hub->is_used);
        g_free(hub->below);
        g_free(hub);
        return NULL;
}

/* The numbers of "1.4.2"; returns how many, -EINVAL if it is no port's name. */
static int split(const char *port, uint32_t ret_path[USB_HUB_DEPTH])
{
        unsigned depth = 0;

        for (;; port++) {
                gchar *end = NULL;

                if (depth == USB_HUB_DEPTH || !g_ascii_isdigit(*port))
                        return -EINVAL;
                guint64 number = g_ascii_strtoull(port, &end, 10);
                if (number == 0 || number > UINT8_MAX)
                        return -EINVAL;
                ret_path[depth++] = (uint32_t)number;
                port = end;
                if (*port == '\0')
                        return (int)depth;
                if (*port != '.')
                        return -EINVAL;
        }
}

int usb_hub_reserve(UsbHub *root, const char *port, bool with_hub, Error *error)
{
        uint32_t path[USB_HUB_DEPTH];
        UsbHub *hub = root;
        int depth = split(port, path);

        if (depth < 0)
                return error_set(error, ERROR_INVALID_XML, "'%s' is no name of a USB port", port);
        for (int i = 0; i < depth; i++) {
                if (path[i] > hub->ports)
                        return error_set(error, ERROR_INVALID_XML,
                                         "USB port %s: the controller or hub has %u ports", port,
                                         hub->ports);
                if (i == depth - 1)
                        break;
                hub = hub->below[path[i] - 1];
                if (!hub)
                        return error_set(error, ERROR_INVALID_XML, "USB port %s: there is no hub on the way",
                                         port);
        }
        uint32_t last = path[depth - 1] - 1;
        if (hub->is_used[last])
                return error_set(error, ERROR_INVALID_XML, "USB port %s is used twice", port);
        hub->is_used[last] = true;
        if (with_hub)
                hub->below[last] = usb_hub_new(USB_HUB_PORTS);
        return 0;
}

static bool find(UsbHub *hub, bool with_hub, unsigned depth, GString *path)
{
        gsize length = path->len;

        for (uint32_t i = 0; i < hub->ports; i++) {
                if (hub->is_used[i])
                        continue;
                hub->is_used[i] = true;
                if (with_hub)
                        hub->below[i] = usb_hub_new(USB_HUB_PORTS);
                g_string_append_printf(path, "%u", i + 1);
                return true;
        }
        if (depth + 1 == USB_HUB_DEPTH)
                return false;
        for (uint32_t i = 0; i < hub->ports; i++) {
                if (!hub->below[i])
                        continue;
                g_string_append_printf(path, "%u.", i + 1);
                if (find(hub->below[i], with_hub, depth + 1, path))
                        return true;
                g_string_truncate(path, length);
        }
        return false;
}

char *usb_hub_reserve_next(UsbHub *root, bool with_hub)
{
        GString *path = g_string_new(NULL);
        bool found = find(root, with_hub, 0, path);

        return g_string_free(path, !found);
}
