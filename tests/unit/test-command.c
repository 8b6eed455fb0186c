/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Command lines from definitions that are put together by hand: what they say, what is refused, and that the
 * real QEMU takes them, if this host has one. Definitions in XML are in tests/argv. */

#include "core/fiber.h"
#include "core/loop.h"
#include "drivers/qemu/command/command.h"
#include "tests/argv/accept.h"
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define QEMU   "/usr/bin/qemu-system-x86_64"
#define FOLDER "/run/example"

static const CommandHost host = {
        .binary = QEMU, .folder = FOLDER, .version = 7002000, .runs = true, .now_sec = 1000000000
};

/* A definition for the length of a test; what hangs on it is never freed. */
static DomainDefinition plain(const char *machine)
{
        return (DomainDefinition){
                .type = DOMAIN_TYPE_QEMU,
                .uuid = "c0ffee00-1234-4321-abcd-0123456789ab",
                .name = (char *)"a,b",
                .memory_kib = 64 * 1024,
                .current_memory_kib = 64 * 1024,
                .vcpus = 2,
                .current_vcpus = 1,
                .os = { .type = OS_TYPE_HVM, .arch = (char *)"x86_64", .machine = (char *)machine },
                .features = { .acpi = true, .apic = true },
        };
}

static char *build_text(const DomainDefinition *definition, const CommandHost *line_host)
{
        _cleanup_(command_line_freep) CommandLine *line = command_line_new(definition, line_host);
        _cleanup_(error_clear) Error error = { 0 };
        GString *text = g_string_new(NULL);

        if (command_build(line, &error) < 0)
                g_string_printf(text, "%d: %s", error.code, error.message);
        for (unsigned i = 0; !error_is_set(&error) && i < line->arguments->len; i++)
                g_string_append_printf(text, "%s ", (char *)g_ptr_array_index(line->arguments, i));
        return g_string_free(text, FALSE);
}

static void expect(const DomainDefinition *definition, const char *words)
{
        g_autofree char *text = build_text(definition, &host);

        if (!strstr(text, words))
                fail_msg("there is no '%s' in '%s'", words, text);
}

static void expect_not(const DomainDefinition *definition, const char *words)
{
        g_autofree char *text = build_text(definition, &host);

        if (strstr(text, words))
                fail_msg("there is '%s' in '%s'", words, text);
}

static void expect_refused(const DomainDefinition *definition, ErrorCode code, const char *words)
{
        g_autofree char *text = build_text(definition, &host);
        g_autofree char *start = g_strdup_printf("%d: ", code);

        if (!g_str_has_prefix(text, start) || !strstr(text, words))
                fail_msg("'%s' is not refused with '%s': %s", start, words, text);
}

static void says_what_every_machine_needs(void **state)
{
        DomainDefinition definition = plain("q35");

        (void)state;
        expect(&definition,
               QEMU " -name guest=a,,b,debug-threads=on -S -no-user-config -nodefaults -msg timestamp=on");
        expect(&definition,
               "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny ");
        expect(&definition, "-uuid c0ffee00-1234-4321-abcd-0123456789ab ");
        expect(&definition,
               "-chardev socket,id=charmonitor,fd=3,server=on,wait=off -mon chardev=charmonitor");
        expect(&definition, "-display none ");
        expect(&definition, "-machine q35,usb=off,dump-guest-core=off,hpet=off");
        expect(&definition, "-accel tcg ");
        expect(&definition, "-m 64 ");
        expect(&definition, "-smp 1,maxcpus=2,sockets=2,cores=1,threads=1 ");
        expect(&definition, "-rtc base=utc ");
        expect_not(&definition, "-cpu");
        definition.features.acpi = false;
        definition.memory_kib = 1;
        expect(&definition, "acpi=off");
        expect(&definition, "-m 1 ");
}

static void chooses_processors(void **state)
{
        DomainDefinition definition = plain("q35");
        DomainCpu cpu = { .mode = CPU_MODE_HOST_PASSTHROUGH };
        CpuFeature on = { .name = (char *)"avx", .policy = CPU_POLICY_REQUIRE };
        CpuFeature off = { .name = (char *)"svm", .policy = CPU_POLICY_DISABLE };
        CpuTopology topology = { .sockets = 1, .dies = 1, .clusters = 1, .cores = 2, .threads = 1 };
        KvmFeatures kvm = { .hidden = ON };

        (void)state;
        definition.cpu = &cpu;
        expect_refused(&definition, ERROR_CONFIG_UNSUPPORTED, "host-passthrough");
        cpu.mode = CPU_MODE_MAXIMUM;
        expect(&definition, "-cpu max ");
        cpu.mode = CPU_MODE_CUSTOM;
        cpu.model = (char *)"EPYC";
        list_append(&cpu.features, &on);
        list_append(&cpu.features, &off);
        expect(&definition, "-cpu EPYC,avx=on,svm=off ");
        cpu.check = CPU_CHECK_FULL;
        definition.features.kvm = &kvm;
        expect(&definition, "-cpu EPYC,avx=on,svm=off,enforce=on,kvm=off ");
        on.name = (char *)"a,b";
        expect_refused(&definition, ERROR_INVALID_XML, "a,b");
        on.name = (char *)"avx";
        cpu.vendor = (char *)"Intel";
        expect_refused(&definition, ERROR_CONFIG_UNSUPPORTED, "Intel");
        cpu.vendor = NULL;
        cpu.topology = &topology;
        expect(&definition, "-smp 1,maxcpus=2,sockets=1,dies=1,cores=2,threads=1 ");
        topology.cores = 3;
        expect_refused(&definition, ERROR_INVALID_XML, "makes 3 processors");
        definition.cpu = NULL;
        expect(&definition, "-cpu qemu64,kvm=off ");
        definition.type = DOMAIN_TYPE_XEN;
        expect_refused(&definition, ERROR_CONFIG_UNSUPPORTED, "'xen'");
        g_free(cpu.features.items);
}

static void sets_clocks(void **state)
{
        DomainDefinition definition = plain("q35");
        ClockTimer rtc = { .name = TIMER_RTC, .tickpolicy = TIMER_CATCHUP };

        (void)state;
        definition.clock.offset = CLOCK_LOCALTIME;
        expect(&definition, "-rtc base=localtime ");
        definition.clock.offset = CLOCK_VARIABLE;
        definition.clock.adjustment = (char *)"60";
        expect(&definition, "-rtc base=2001-09-09T01:47:40 ");
        definition.clock.adjustment = (char *)"-999999999999999";
        expect_refused(&definition, ERROR_INVALID_XML, "adjustment");
        definition.clock.adjustment = (char *)"x";
        expect_refused(&definition, ERROR_INVALID_XML, "adjustment");
        definition.clock.adjustment = NULL;
        definition.clock.offset = CLOCK_ABSOLUTE;
        definition.clock.start_sec = 86400;
        expect(&definition, "-rtc base=1970-01-02T00:00:00 ");
        list_append(&definition.clock.timers, &rtc);
        expect(&definition, "T00:00:00,driftfix=slew ");
        rtc.track = TIMER_TRACK_BOOT;
        expect_refused(&definition, ERROR_CONFIG_UNSUPPORTED, "rtc");
        g_free(definition.clock.timers.items);
}

static void refuses_what_it_does_not_do(void **state)
{
        DomainDefinition definition = plain("q35");
        DomainLease lease = { 0 };
        CpuTune tune = { 0 };
        CacheTune cache = { 0 };

        (void)state;
        list_append(&tune.cachetunes, &cache);
        definition.cpu_tune = &tune;
        expect_refused(&definition, ERROR_CONFIG_UNSUPPORTED, "<cachetune>");
        g_free(tune.cachetunes.items);
        definition = plain("q35");
        list_append(&definition.devices.leases, &lease);
        expect_refused(&definition, ERROR_CONFIG_UNSUPPORTED, "<lease>");
        g_free(definition.devices.leases.items);
        definition = plain("q35");
        definition.features.privnet = true;
        expect_refused(&definition, ERROR_CONFIG_UNSUPPORTED, "<privnet>");
        definition = plain("q35");
        definition.os.type = OS_TYPE_EXE;
        expect_refused(&definition, ERROR_CONFIG_UNSUPPORTED, "'exe'");
        definition = plain("q35");
        definition.os.firmware = OS_FIRMWARE_EFI;
        expect_refused(&definition, ERROR_CONFIG_UNSUPPORTED, "EFI");
        definition = plain("q35");
        definition.os.cmdline = (char *)"quiet";
        expect_refused(&definition, ERROR_INVALID_XML, "<kernel>");
        definition.os.kernel = (char *)"vmlinuz";
        expect_refused(&definition, ERROR_INVALID_XML, "absolute");
}

static DeviceInfo pci(const char *alias, unsigned slot)
{
        return (DeviceInfo){ .alias = (char *)alias,
                             .address = { .type = ADDRESS_PCI, .bus = 0, .slot = slot } };
}

/* A machine with one of nearly everything, its files in `folder`. */
static DomainDefinition *rich(const char *folder)
{
        static DomainDefinition definition;
        static DomainController root = { .type = CONTROLLER_TYPE_PCI, .model = CONTROLLER_MODEL_PCIE_ROOT };
        static DomainController usb = { .type = CONTROLLER_TYPE_USB,
                                        .model = CONTROLLER_MODEL_QEMU_XHCI,
                                        .ports = 8 };
        static DomainController serial_bus = { .type = CONTROLLER_TYPE_VIRTIO_SERIAL };
        static DomainController sata = { .type = CONTROLLER_TYPE_SATA };
        static DomainDisk disk = { .type = DISK_TYPE_FILE,
                                   .format = DISK_FORMAT_RAW,
                                   .bus = DISK_BUS_VIRTIO,
                                   .target = (char *)"vda",
                                   .cache = DISK_CACHE_UNSAFE,
                                   .iothread = 1 };
        static DiskTune tune = { .total_bytes_sec = 1000000 };
        static DomainDisk cdrom = { .device = DISK_DEVICE_CDROM,
                                    .bus = DISK_BUS_SATA,
                                    .target = (char *)"sda",
                                    .readonly = true,
                                    .info = { .alias = (char *)"sata0-0-0",
                                              .address = { .type = ADDRESS_DRIVE } } };
        static DomainInterface interface = { .type = INTERFACE_TYPE_USER,
                                             .mac = "52:54:00:00:00:01",
                                             .model = (char *)"virtio" };
        static DomainSerial serial = { .source = { .type = CHARDEV_TYPE_PTY },
                                       .info = { .alias = (char *)"serial0" } };
        static DomainChannel channel = { .target = CHANNEL_TARGET_VIRTIO,
                                         .name = (char *)"org.qemu.guest_agent.0",
                                         .source = { .type = CHARDEV_TYPE_UNIX, .mode = SOCKET_BIND },
                                         .info = { .alias = (char *)"channel0",
                                                   .address = { .type = ADDRESS_VIRTIO_SERIAL,
                                                                .port_number = 1 } } };
        static DomainInput tablet = { .type = INPUT_TYPE_TABLET,
                                      .bus = INPUT_BUS_USB,
                                      .info = { .alias = (char *)"input0",
                                                .address = { .type = ADDRESS_USB, .port = (char *)"1" } } };
        static DomainGraphics vnc = {
                .type = GRAPHICS_TYPE_VNC, .has_port = true, .port = -1, .password = (char *)"secret"
        };
        static DomainVideo video = { .model = VIDEO_MODEL_VIRTIO, .heads = 1 };
        static DomainAudio audio = { .type = AUDIO_TYPE_NONE, .id = 1 };
        static DomainSound sound = { .model = SOUND_MODEL_ICH9, .has_audio_id = true, .audio_id = 1 };
        static DomainMemballoon balloon = { .model = MEMBALLOON_MODEL_VIRTIO };
        static DomainRng rng = { .backend = RNG_RANDOM,
                                 .model = VIRTIO_MODEL_VIRTIO,
                                 .device = (char *)"/dev/urandom" };
        static DomainWatchdog watchdog = { .model = WATCHDOG_I6300ESB, .action = WATCHDOG_RESET };
        static DomainPanic panic = { .model = PANIC_ISA, .info = { .alias = (char *)"panic0" } };
        static MemoryBacking backing = { .source = BACKING_MEMFD, .access = BACKING_SHARED };
        static OsBoot hd = { .device = BOOT_DEVICE_HD }, network = { .device = BOOT_DEVICE_NETWORK };
        static DomainSysinfo sysinfo = { .type = SYSINFO_SMBIOS };
        static SysinfoEntry vendor = { .name = (char *)"vendor", .value = (char *)"A, B & C" };

        definition = plain("q35");
        root.info.alias = (char *)"pcie.0";
        usb.info = pci("usb", 2);
        serial_bus.info = pci("virtio-serial0", 3);
        sata.info = pci("ide", 0x1f);
        disk.info = pci("virtio-disk0", 4);
        disk.tune = &tune;
        disk.source.file = g_build_filename(folder, "disk,1.img", NULL);
        interface.info = pci("net0", 5);
        channel.source.path = g_build_filename(folder, "agent.sock", NULL);
        video.info = pci("video0", 6);
        sound.info = pci("sound0", 7);
        balloon.info = pci("balloon0", 8);
        rng.info = pci("rng0", 9);
        watchdog.info = pci("watchdog0", 10);
        definition.iothreads = 1;
        definition.has_genid = true;
        definition.memory_backing = &backing;
        definition.os.smbios = SMBIOS_SYSINFO;
        list_append(&sysinfo.bios, &vendor);
        list_append(&definition.sysinfos, &sysinfo);
        list_append(&definition.os.boots, &hd);
        list_append(&definition.os.boots, &network);
        list_append(&definition.devices.controllers, &usb);
        list_append(&definition.devices.controllers, &serial_bus);
        list_append(&definition.devices.controllers, &sata);
        list_append(&definition.devices.controllers, &root);
        list_append(&definition.devices.disks, &disk);
        list_append(&definition.devices.disks, &cdrom);
        list_append(&definition.devices.interfaces, &interface);
        list_append(&definition.devices.serials, &serial);
        list_append(&definition.devices.channels, &channel);
        list_append(&definition.devices.inputs, &tablet);
        list_append(&definition.devices.graphics, &vnc);
        list_append(&definition.devices.videos, &video);
        list_append(&definition.devices.audios, &audio);
        list_append(&definition.devices.sounds, &sound);
        list_append(&definition.devices.rngs, &rng);
        list_append(&definition.devices.watchdogs, &watchdog);
        list_append(&definition.devices.panics, &panic);
        definition.devices.memballoon = &balloon;
        return &definition;
}

/* The older board: what the other one has not. */
static DomainDefinition *old_board(const char *folder)
{
        static DomainDefinition definition;
        static DomainController root = { .type = CONTROLLER_TYPE_PCI, .model = CONTROLLER_MODEL_PCI_ROOT };
        static DomainController bridge = { .type = CONTROLLER_TYPE_PCI,
                                           .model = CONTROLLER_MODEL_PCI_BRIDGE,
                                           .index = 1,
                                           .has_chassis_nr = true,
                                           .chassis_nr = 1 };
        static DomainController ide = { .type = CONTROLLER_TYPE_IDE }, fdc = { .type = CONTROLLER_TYPE_FDC };
        static DomainController ehci = { .type = CONTROLLER_TYPE_USB, .model = CONTROLLER_MODEL_ICH9_EHCI1 };
        static DomainController uhci = { .type = CONTROLLER_TYPE_USB, .model = CONTROLLER_MODEL_ICH9_UHCI1 };
        static DomainController scsi = { .type = CONTROLLER_TYPE_SCSI,
                                         .model = CONTROLLER_MODEL_VIRTIO_SCSI };
        static DomainDisk hda = { .type = DISK_TYPE_FILE,
                                  .bus = DISK_BUS_IDE,
                                  .target = (char *)"hda",
                                  .serial = (char *)"S1",
                                  .cache = DISK_CACHE_WRITETHROUGH,
                                  .info = { .alias = (char *)"ide0-0-0",
                                            .address = { .type = ADDRESS_DRIVE } } };
        static DomainDisk sda = { .type = DISK_TYPE_FILE,
                                  .bus = DISK_BUS_SCSI,
                                  .target = (char *)"sda",
                                  .discard = DISK_DISCARD_UNMAP,
                                  .detect_zeroes = DISK_DETECT_ZEROES_UNMAP,
                                  .error_policy = DISK_ERROR_POLICY_ENOSPACE,
                                  .copy_on_read = ON,
                                  .wwn = (char *)"5000c50015ea71ac",
                                  .shareable = true,
                                  .info = { .alias = (char *)"scsi0-0-0-0",
                                            .address = { .type = ADDRESS_DRIVE } } };
        static DomainDisk fda = { .device = DISK_DEVICE_FLOPPY,
                                  .bus = DISK_BUS_FDC,
                                  .target = (char *)"fda",
                                  .info = { .alias = (char *)"fdc0-0-0",
                                            .address = { .type = ADDRESS_DRIVE } } };
        static DomainInterface interface = { .type = INTERFACE_TYPE_MCAST,
                                             .mac = "52:54:00:00:00:02",
                                             .model = (char *)"e1000",
                                             .source_address = (char *)"230.0.0.1",
                                             .source_port = 5558 };
        static DomainSerial serial = { .source = { .type = CHARDEV_TYPE_TCP,
                                                   .mode = SOCKET_BIND,
                                                   .host = (char *)"127.0.0.1",
                                                   .service = (char *)"0" },
                                       .info = { .alias = (char *)"serial0" } };
        static DomainParallel parallel = { .source = { .type = CHARDEV_TYPE_NULL },
                                           .info = { .alias = (char *)"parallel0" } };
        static DomainGraphics vnc = { .type = GRAPHICS_TYPE_VNC,
                                      .share_policy = SHARE_FORCE_SHARED,
                                      .keymap = (char *)"en-us" };
        static GraphicsListen listen = { .type = LISTEN_SOCKET };
        static DomainVideo first = { .model = VIDEO_MODEL_CIRRUS },
                           second = { .model = VIDEO_MODEL_VGA, .vram_kib = 16384 };
        static DomainAudio audio = { .type = AUDIO_TYPE_FILE, .id = 1, .output = { .frequency = 44100 } };
        static DomainSound hda_card = { .model = SOUND_MODEL_ICH6, .has_audio_id = true, .audio_id = 1 };
        static DomainSound speaker = { .model = SOUND_MODEL_PCSPK, .has_audio_id = true, .audio_id = 1 };
        static SoundCodec micro = { .type = SOUND_CODEC_MICRO };
        static DomainCpu cpu = { .mode = CPU_MODE_CUSTOM, .model = (char *)"qemu64" };
        static CpuTopology topology = { .sockets = 2, .cores = 1, .threads = 1 };
        static NumaCell cells[] = { { .memory_kib = 32768, .cpus = (char *)"0" },
                                    { .memory_kib = 32768, .cpus = (char *)"1" } };
        static NumaDistance distances[] = { { .id = 0, .value = 10 }, { .id = 1, .value = 21 } };
        static HypervFeatures hyperv = { .relaxed = ON, .spinlocks = ON, .spinlocks_retries = 8191 };
        static ClockTimer pit = { .name = TIMER_PIT, .present = NO },
                          hpet = { .name = TIMER_HPET, .present = YES };
        static DomainSysinfo sysinfo = { .type = SYSINFO_FWCFG };
        static SysinfoEntry entry = { .name = (char *)"opt/org.example/x", .value = (char *)"1,2" };

        definition = plain("pc");
        root.info.alias = (char *)"pci.0";
        bridge.info = pci("pci.1", 2);
        ide.info.alias = (char *)"ide";
        fdc.info.alias = (char *)"fdc0";
        ehci.info = pci("usb", 3);
        ehci.info.address.function = 7;
        uhci.info = pci("usb", 3);
        uhci.info.address.multifunction = ON;
        uhci.info.has_master = true;
        scsi.info = pci("scsi0", 4);
        hda.source.file = g_build_filename(folder, "disk,1.img", NULL);
        sda.source.file = hda.source.file;
        hda.shareable = true;
        interface.info = pci("net0", 1);
        interface.info.address.bus = 1;
        first.info = pci("video0", 5);
        second.info = pci("video1", 6);
        hda_card.info = pci("sound0", 7);
        list_append(&hda_card.codecs, &micro);
        audio.path = g_build_filename(folder, "sound.wav", NULL);
        list_append(&vnc.listens, &listen);
        cpu.topology = &topology;
        for (size_t i = 0; i < 2; i++) {
                list_append(&cells[0].distances, &distances[i]);
                list_append(&cpu.numa_cells, &cells[i]);
        }
        definition.cpu = &cpu;
        definition.features.hyperv = &hyperv;
        definition.features.vmport = OFF;
        definition.features.vmcoreinfo = ON;
        definition.suspend_to_mem = NO;
        definition.suspend_to_disk = YES;
        definition.os.bootmenu = YES;
        definition.os.has_bootmenu_timeout = true;
        definition.os.bootmenu_timeout_msec = 3000;
        definition.os.has_reboot_timeout = true;
        definition.os.reboot_timeout_msec = -1;
        definition.on_reboot = LIFECYCLE_DESTROY;
        definition.on_crash = LIFECYCLE_PRESERVE;
        definition.deprecation_behavior = (char *)"omit";
        list_append(&definition.clock.timers, &pit);
        list_append(&definition.clock.timers, &hpet);
        list_append(&sysinfo.fwcfg, &entry);
        list_append(&definition.sysinfos, &sysinfo);
        list_append(&definition.devices.controllers, &bridge);
        list_append(&definition.devices.controllers, &root);
        list_append(&definition.devices.controllers, &uhci);
        list_append(&definition.devices.controllers, &ehci);
        list_append(&definition.devices.controllers, &ide);
        list_append(&definition.devices.controllers, &fdc);
        list_append(&definition.devices.controllers, &scsi);
        list_append(&definition.devices.disks, &hda);
        list_append(&definition.devices.disks, &sda);
        list_append(&definition.devices.disks, &fda);
        list_append(&definition.devices.interfaces, &interface);
        list_append(&definition.devices.serials, &serial);
        list_append(&definition.devices.parallels, &parallel);
        list_append(&definition.devices.graphics, &vnc);
        list_append(&definition.devices.videos, &first);
        list_append(&definition.devices.videos, &second);
        list_append(&definition.devices.audios, &audio);
        list_append(&definition.devices.sounds, &hda_card);
        list_append(&definition.devices.sounds, &speaker);
        return &definition;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
        (void)status;
        (void)kind;
        (void)walk;
        return remove(path);
}

static void accept_once(const DomainDefinition *definition, const char *folder, bool passes_files)
{
        CommandHost here = host;

        here.folder = folder;
        here.passes_files = passes_files;
        _cleanup_(command_line_freep) CommandLine *line = command_line_new(definition, &here);
        _cleanup_(error_clear) Error error = { 0 };
        g_autofree char *text = build_text(definition, &here);

        if (command_build(line, &error) < 0)
                fail_msg("%s", error.message);
        assert_int_equal(line->files->len > 0, passes_files);
        if (line_accept(line, folder, &error) < 0)
                fail_msg("%s\n%s", error.message, text);
        for (unsigned i = 0; i < line->sockets->len; i++) {
                const PassedSocket *passed = g_ptr_array_index(line->sockets, i);

                assert_true(access(passed->path, F_OK) < 0); /* QEMU removes what it listened on */
        }
}

static void accept_fiber(void *data)
{
        char *folder = data;
        const DomainDefinition *definition = rich(folder);

        assert_true(g_file_set_contents(definition->devices.disks.items[0]->source.file, "0123456789abcdef",
                                        16, NULL));
        accept_once(definition, folder, false);
        accept_once(definition, folder, true);
        definition = old_board(folder);
        accept_once(definition, folder, false);
        accept_once(definition, folder, true);
        loop_exit(0);
}

static void the_real_one_takes_it(void **state)
{
        g_autofree char *folder = g_dir_make_tmp("virtbus-command-XXXXXX", NULL);

        (void)state;
        if (access(QEMU, X_OK) < 0)
                skip();
        assert_int_equal(loop_open(), 0);
        assert_int_equal(fiber_start("accept", accept_fiber, folder), 0);
        assert_int_equal(loop_run(), 0);
        fiber_close();
        loop_close();
        assert_int_equal(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(says_what_every_machine_needs),
                cmocka_unit_test(chooses_processors),
                cmocka_unit_test(sets_clocks),
                cmocka_unit_test(refuses_what_it_does_not_do),
                cmocka_unit_test(the_real_one_takes_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
