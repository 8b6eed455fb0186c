/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The small devices: inputs, balloon, random numbers, watchdog, panic. */

#include "drivers/qemu/command/device.h"

static int input_driver(const DomainInput *input, char **ret_driver, Error *error)
{
        static const char *const usb[] = { [INPUT_TYPE_MOUSE] = "usb-mouse",
                                           [INPUT_TYPE_TABLET] = "usb-tablet",
                                           [INPUT_TYPE_KEYBOARD] = "usb-kbd" };
        static const char *const virtio[] = { [INPUT_TYPE_MOUSE] = "virtio-mouse",
                                              [INPUT_TYPE_TABLET] = "virtio-tablet",
                                              [INPUT_TYPE_KEYBOARD] = "virtio-keyboard",
                                              [INPUT_TYPE_PASSTHROUGH] = "virtio-input-host" };

        if (input->bus == INPUT_BUS_USB && input->type < G_N_ELEMENTS(usb) && usb[input->type]) {
                *ret_driver = g_strdup(usb[input->type]);
                return 0;
        }
        if (input->bus == INPUT_BUS_VIRTIO && input->type < G_N_ELEMENTS(virtio) && virtio[input->type]) {
                *ret_driver = device_virtio_driver(virtio[input->type], &input->info, input->model);
                return 0;
        }
        return device_unsupported(error, "QEMU has no input device '%s' on bus '%s'",
                                  input_type_to_string(input->type), input_bus_to_string(input->bus));
}

/* Keyboard and mouse of the host, taken as they are. */
static int add_evdev(CommandLine *line, const DomainInput *input)
{
        _cleanup_(freep) char *path = command_file(line, input->dev, false, false);
        json_t *object = json_object();

        json_set_string(object, "qom-type", "input-linux");
        json_set_string(object, "id", input->info.alias);
        json_set_string(object, "evdev", path);
        if (input->repeat != ON_OFF_ABSENT)
                json_set_bool(object, "repeat", input->repeat == ON);
        if (input->grab == INPUT_GRAB_ALL)
                json_set_bool(object, "grab_all", true);
        json_set_string(object, "grab-toggle", input_grab_toggle_to_string(input->grab_toggle));
        command_add_json(line, "-object", object);
        return 0;
}

int command_input(CommandLine *line, const DomainInput *input, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        _cleanup_(freep) char *driver = NULL;
        int r;

        if (input->type == INPUT_TYPE_EVDEV)
                return add_evdev(line, input);
        if (input->bus == INPUT_BUS_PS2)
                return 0; /* always there */
        r = input_driver(input, &driver, error);
        if (r < 0)
                return r;
        device = device_new(driver, &input->info);
        if (input->type == INPUT_TYPE_PASSTHROUGH)
                json_set_string(device, "evdev", input->evdev);
        if (input->bus == INPUT_BUS_VIRTIO)
                device_set_virtio(device, &input->virtio);
        r = device_set_info(line, device, &input->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

static VirtioModel balloon_model(MemballoonModel model)
{
        if (model == MEMBALLOON_MODEL_VIRTIO_TRANSITIONAL)
                return VIRTIO_MODEL_TRANSITIONAL;
        return model == MEMBALLOON_MODEL_VIRTIO_NON_TRANSITIONAL ? VIRTIO_MODEL_NON_TRANSITIONAL
                                                                 : VIRTIO_MODEL_VIRTIO;
}

int command_memballoon(CommandLine *line, const DomainMemballoon *balloon, Error *error)
{
        _cleanup_(freep) char *driver = NULL;
        _cleanup_(json_decrefp) json_t *device = NULL;
        int r;

        if (balloon->model == MEMBALLOON_MODEL_NONE)
                return 0;
        if (balloon->model == MEMBALLOON_MODEL_XEN)
                return device_unsupported(error, "QEMU has no memory balloon of model 'xen'");
        driver = device_virtio_driver("virtio-balloon", &balloon->info, balloon_model(balloon->model));
        device = device_new(driver, &balloon->info);
        json_set_on_off(device, "deflate-on-oom", balloon->autodeflate);
        json_set_on_off(device, "free-page-reporting", balloon->free_page_reporting);
        device_set_virtio(device, &balloon->virtio);
        r = device_set_info(line, device, &balloon->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

/* Where the random bytes come from. */
static int add_rng_backend(CommandLine *line, const DomainRng *rng, const char *id, Error *error)
{
        _cleanup_(json_decrefp) json_t *object = json_object();
        _cleanup_(freep) char *chardev = NULL;
        int r;

        switch (rng->backend) {
        case RNG_RANDOM:
                json_set_string(object, "qom-type", "rng-random");
                json_set_string(object, "id", id);
                json_set_string(object, "filename", rng->device ? rng->device : "/dev/urandom");
                break;
        case RNG_BUILTIN:
                json_set_string(object, "qom-type", "rng-builtin");
                json_set_string(object, "id", id);
                break;
        case RNG_EGD:
                r = command_chardev(line, &rng->source, rng->info.alias, &chardev, error);
                if (r < 0)
                        return r;
                json_set_string(object, "qom-type", "rng-egd");
                json_set_string(object, "id", id);
                json_set_string(object, "chardev", chardev);
                break;
        default:
                return error_set(error, ERROR_INVALID_XML, "A random number generator needs a backend");
        }
        command_add_json(line, "-object", TAKE_PTR(object));
        return 0;
}

int command_rng(CommandLine *line, const DomainRng *rng, Error *error)
{
        _cleanup_(freep) char *id = g_strconcat("obj", rng->info.alias, NULL);
        _cleanup_(freep) char *driver = device_virtio_driver("virtio-rng", &rng->info, rng->model);
        _cleanup_(json_decrefp) json_t *device = device_new(driver, &rng->info);
        int r;

        r = add_rng_backend(line, rng, id, error);
        if (r < 0)
                return r;
        json_set_string(device, "rng", id);
        if (rng->rate_bytes > 0) {
                json_set_number(device, "max-bytes", rng->rate_bytes);
                json_set_number(device, "period", rng->rate_period_msec > 0 ? rng->rate_period_msec : 1000);
        }
        device_set_virtio(device, &rng->virtio);
        r = device_set_info(line, device, &rng->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

int command_watchdog(CommandLine *line, const DomainWatchdog *watchdog, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        const char *action = watchdog_action_to_string(watchdog->action);
        int r;

        if (watchdog->model == WATCHDOG_DIAG288)
                return device_unsupported(error, "This machine has no watchdog of model 'diag288'");
        if (watchdog->action == WATCHDOG_DUMP && line->host.runs)
                return device_unsupported(error, "The QEMU driver cannot dump a machine for its watchdog");
        if (watchdog->action == WATCHDOG_ACTION_ABSENT)
                action = "reset";
        if (watchdog->action == WATCHDOG_DUMP)
                action = "pause"; /* until it is dumped */
        command_add_option(line, "-action", "watchdog=%s", action);
        if (watchdog->model == WATCHDOG_ITCO) {
                command_add_option(line, "-global", "ICH9-LPC.noreboot=off"); /* part of the machine */
                return 0;
        }
        device = device_new(watchdog_model_to_string(watchdog->model), &watchdog->info);
        r = device_set_info(line, device, &watchdog->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

int command_panic(CommandLine *line, const DomainPanic *panic, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        int r;

        switch (panic->model) {
        case PANIC_HYPERV: /* a feature of the CPU */
                return 0;
        case PANIC_ISA:
        case PANIC_MODEL_DEFAULT:
                device = json_object();
                json_set_string(device, "driver", "pvpanic");
                if (panic->info.address.type == ADDRESS_ISA && panic->info.address.has_iobase)
                        json_object_set_new(device, "ioport",
                                            json_integer((json_int_t)panic->info.address.iobase));
                return device_add(line, TAKE_PTR(device), error);
        case PANIC_PVPANIC:
                device = device_new("pvpanic-pci", &panic->info);
                r = device_set_info(line, device, &panic->info, error);
                return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
        default:
                return device_unsupported(error, "This machine has no panic device of model '%s'",
                                          panic_model_to_string(panic->model));
        }
}
