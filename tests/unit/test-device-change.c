/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Devices of a definition by an element of their own: which one is meant, what it gets, what stays. */

#include "model/device-change.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static DomainDefinition *machine(void)
{
        static const char xml[] =
                "<domain type='qemu'><name>web</name><memory>65536</memory>"
                "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>"
                "<disk type='file' device='disk'><source file='/a'/><target dev='vda' bus='virtio'/></disk>"
                "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>"
                "<channel type='unix'><target type='virtio' name='org.one'/></channel>"
                "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
                "</devices></domain>";
        _cleanup_(error_clear) Error error = {};
        DomainDefinition *definition;

        if (domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, &error) < 0 ||
            domain_definition_complete(definition, &error) < 0)
                fail_msg("%s", error.message);
        return definition;
}

static DeviceElement parse(const char *xml, unsigned flags)
{
        _cleanup_(error_clear) Error error = {};
        DeviceElement element;

        if (device_element_parse(xml, flags, &element, &error) < 0)
                fail_msg("%s", error.message);
        return element;
}

static void knows_elements(void **state)
{
        static const char *const wrong[] = {
                "<disk", "<toaster/>", "<disk/>", "", "<domain type='qemu'/>", "<interface type='x'/>"
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
                _cleanup_(error_clear) Error error = {};
                _cleanup_(device_element_clear) DeviceElement element = {};

                assert_true(device_element_parse(wrong[i], 0, &element, &error) < 0);
                assert_int_equal(error.code, ERROR_INVALID_XML);
        }
}

static void finds_what_is_meant(void **state)
{
        static const char *const right[] = {
                "<disk><target dev='vda'/></disk>",
                "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>",
                "<interface type='user'/>",
                "<channel type='unix'><target type='virtio' name='org.one'/></channel>",
                "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
                "<controller type='usb' index='0'/>",
                "<memballoon model='virtio'/>",
        };
        static const char *const wrong[] = {
                "<disk><target dev='vdb'/></disk>",
                "<disk><target dev='vda'/><address type='pci' bus='0' slot='9'/></disk>",
                "<interface type='user'><mac address='52:54:00:00:00:02'/></interface>",
                "<channel type='unix'><target type='virtio' name='org.two'/></channel>",
                "<rng model='virtio'><backend model='random'>/dev/random</backend></rng>",
                "<controller type='scsi' index='0'/>",
                "<watchdog model='i6300esb'/>",
        };
        _cleanup_(domain_definition_freep) DomainDefinition *definition = machine();
        Device device;

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(right); i++) {
                _cleanup_(device_element_clear) DeviceElement element = parse(right[i], DEFINITION_WANTED);

                if (device_find(definition, &element, &device, NULL) < 0)
                        fail_msg("%s", right[i]);
                assert_int_equal(device.kind, element.kind);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
                _cleanup_(device_element_clear) DeviceElement element = parse(wrong[i], DEFINITION_WANTED);
                _cleanup_(error_clear) Error error = {};

                assert_true(device_find(definition, &element, &device, &error) < 0);
                assert_int_equal(error.code, ERROR_NO_DEVICE);
        }
}

static void adds_and_removes(void **state)
{
        static const char *const devices[] = {
                "<disk type='file'><source file='/b'/><target dev='vdb' bus='virtio'/></disk>",
                "<disk type='file'><source file='/b'/><target dev='sda' bus='usb'/></disk>",
                "<interface type='user'><model type='virtio'/></interface>",
                "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
                "<sound model='ac97'/>",
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(devices); i++) {
                _cleanup_(domain_definition_freep)
                        DomainDefinition *definition = machine(),
                                         *changed = domain_definition_copy(definition);
                _cleanup_(device_element_clear) DeviceElement element =
                        parse(devices[i], DEFINITION_INACTIVE);
                _cleanup_(freep) char *difference = NULL;
                _cleanup_(error_clear) Error error = {};
                Device device;

                if (definition_add_device(changed, &element, &device, &error) < 0)
                        fail_msg("%s: %s", devices[i], error.message);
                assert_null(element.object);
                assert_true(device_address_is_assigned(&device.info->address));
                assert_int_equal(definition_remove_device(changed, &device, &error), 0);
                difference = domain_definition_difference(definition, changed, false);
                if (difference)
                        fail_msg("%s: %s has changed", devices[i], difference);
        }
}

static void refuses_what_is_taken(void **state)
{
        static const char *const devices[] = {
                "<disk type='file'><source file='/b'/><target dev='vda' bus='virtio'/></disk>",
                "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>",
                "<channel type='unix'><target type='virtio' name='org.one'/></channel>",
                "<controller type='usb' index='0'/>",
                "<memballoon model='virtio'/>",
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(devices); i++) {
                _cleanup_(domain_definition_freep) DomainDefinition *definition = machine();
                _cleanup_(device_element_clear) DeviceElement element =
                        parse(devices[i], DEFINITION_INACTIVE);
                _cleanup_(error_clear) Error error = {};

                assert_true(definition_add_device(definition, &element, NULL, &error) < 0);
                assert_int_equal(error.code, ERROR_EXISTS);
        }
}

static void keeps_what_is_used(void **state)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = machine();
        _cleanup_(device_element_clear) DeviceElement element =
                parse("<controller type='virtio-serial' index='0'/>", DEFINITION_WANTED);
        _cleanup_(error_clear) Error error = {};
        Device device;

        (void)state;
        assert_int_equal(device_find(definition, &element, &device, &error), 0);
        assert_true(definition_remove_device(definition, &device, &error) < 0);
        assert_int_equal(error.code, ERROR_OPERATION_INVALID);
}

static void replaces(void **state)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = machine();
        _cleanup_(device_element_clear) DeviceElement element = parse(
                "<disk type='file'><source file='/c'/><target dev='vda'/></disk>", DEFINITION_INACTIVE);
        _cleanup_(freep) char *before = NULL, *after = NULL;
        Device device;

        (void)state;
        assert_int_equal(device_find(definition, &element, &device, NULL), 0);
        before = device_address_to_string(&device.info->address);
        assert_int_equal(definition_replace_device(definition, &device, &element, NULL), 0);
        device = device_at(definition, DEVICE_DISK, 0);
        after = device_address_to_string(&device.info->address);
        assert_string_equal(before, after);
        assert_string_equal(((DomainDisk *)device.object)->source.file, "/c");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(knows_elements),     cmocka_unit_test(finds_what_is_meant),
                cmocka_unit_test(adds_and_removes),   cmocka_unit_test(refuses_what_is_taken),
                cmocka_unit_test(keeps_what_is_used), cmocka_unit_test(replaces),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
