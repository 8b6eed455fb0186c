"""A real Linux guest: booted, talked to through the descriptor of its console, lost sight of and taken back, ended in
every way there is.  Under TCG a boot takes some seconds, so each test makes the most of one."""

import pytest

from console import Console
from harness import BusError, wait_for
from machines import (
    CRASHED, CRASHED_PANICKED, DOMAIN, NATIVE, RUNNING, SHUTOFF, STARTED, STATE_CRASHED,
    STATE_CRASHED_PANICKED, STOPPED, STOPPED_CRASHED, STOPPED_SHUTDOWN, Lifecycle, define, disk, guest_definition,
    pid_of)

pytestmark = [pytest.mark.guest, pytest.mark.qemu]


def open_console(machine, device=""):
    """The descriptor of a console; "" means the machine's first."""
    reply = machine.client.send(machine.path, NATIVE, "OpenConsole", "su", device, 0)
    assert len(reply.fds) == 1
    return Console(reply.fds[0])


def test_whole_life(daemon, client, guest_files):
    """Boot, shell, the daemon's death, the same guest still there, the power button."""
    events = Lifecycle(client)
    machine = define(client, guest_definition("web", guest_files))
    machine.create()
    console = open_console(machine)
    _uptime, boot_id = console.wait_ready()
    assert console.run("uname -s") == "Linux"
    pid = pid_of(daemon, machine)
    console.run("echo kept > /tmp/mark")
    console.close()

    daemon.restart()
    assert machine.state[0] == RUNNING
    assert pid_of(daemon, machine) == pid
    console = open_console(machine)
    console.write("\n")
    console.expect(rb"root@guest:[^ ]*# ")
    assert console.run("cat /tmp/mark") == "kept"
    assert console.run("cat /proc/sys/kernel/random/boot_id") == boot_id

    events = Lifecycle(client)
    machine.shutdown()
    events.wait(machine, STOPPED, STOPPED_SHUTDOWN, 30)
    assert machine.state == (SHUTOFF, 1)
    assert pid not in daemon.machines()
    console.close()


def test_guest_is_paused(client, guest_files):
    """A paused guest's clock stands still."""
    machine = define(client, guest_definition("web", guest_files))
    machine.create()
    console = open_console(machine)
    console.wait_ready()
    machine.suspend()
    console.write("echo awake\n")
    with pytest.raises(AssertionError):
        console.expect(rb"awake\r*\nroot", 1)
    machine.resume()
    console.expect(rb"awake\r*\n")
    console.close()
    machine.destroy()


def test_guest_powers_off(client, guest_files):
    events = Lifecycle(client)
    machine = define(client, guest_definition("web", guest_files, "virtbus.poweroff=0"))
    machine.create()
    events.wait(machine, STOPPED, STOPPED_SHUTDOWN, 60)
    assert machine.state == (SHUTOFF, 1)


def test_guest_panics(client, guest_files):
    events = Lifecycle(client)
    machine = define(client, guest_definition("web", guest_files, "virtbus.panic=0 panic=0",
                                              "<panic model='isa'/>", on_crash="destroy"))
    machine.create()
    events.wait(machine, CRASHED, CRASHED_PANICKED, 60)
    events.wait(machine, STOPPED, STOPPED_CRASHED)
    assert machine.state == (SHUTOFF, 3)


def test_panic_is_kept_where_asked(client, guest_files):
    events = Lifecycle(client)
    machine = define(client, guest_definition("web", guest_files, "virtbus.panic=0 panic=0",
                                              "<panic model='isa'/>", on_crash="preserve"))
    machine.create()
    events.wait(machine, CRASHED, CRASHED_PANICKED, 60)
    assert machine.state == (STATE_CRASHED, STATE_CRASHED_PANICKED)
    machine.destroy()
    assert machine.state[0] == SHUTOFF


def test_guest_reboots(daemon, client, guest_files):
    """A reboot is announced and ends nothing: same process, another boot."""
    reboots = client.listen(interface=DOMAIN, member="Reboot")
    machine = define(client, guest_definition("web", guest_files))
    machine.create()
    console = open_console(machine)
    _uptime, first = console.wait_ready()
    pid = pid_of(daemon, machine)
    console.write("reboot -f\n")
    _uptime, second = console.wait_ready()
    assert first != second
    assert pid_of(daemon, machine) == pid
    assert reboots.wait().path == machine.path
    machine.call("Reset", "u", 0)
    _uptime, third = console.wait_ready()
    assert third not in (first, second)
    console.close()
    machine.destroy()


def test_reboot_by_method(daemon, client, guest_files):
    """The guest is asked to shut down, and started again in the same process, whatever its own idea was."""
    machine = define(client, guest_definition("web", guest_files))
    machine.create()
    console = open_console(machine)
    _uptime, first = console.wait_ready()
    pid = pid_of(daemon, machine)
    events = Lifecycle(client)
    machine.call("Reboot", "u", 0)
    _uptime, second = console.wait_ready()
    assert first != second
    assert pid_of(daemon, machine) == pid
    assert [e for e in events.of(machine) if e[0] in (STOPPED, STARTED)] == []
    console.close()
    machine.destroy()


def test_stop_with_a_deadline(client, guest_files):
    """A guest that is deaf to the power button is given its time, and then ended."""
    machine = define(client, guest_definition("web", guest_files, "virtbus.deaf=1"))
    machine.create()
    console = open_console(machine)
    console.wait_ready()
    machine.call("Shutdown", "u", 0)
    assert machine.state[0] == RUNNING
    machine.call("Stop", "su", "shutdown", 1000, interface=NATIVE, timeout=30)
    wait_for(lambda: machine.state[0] == SHUTOFF, 20)
    console.close()


def test_devices_of_the_guest(daemon, client, guest_files, root_dir):
    """Disk, network, random numbers and memory are what the definition says."""
    image = root_dir / "disk.img"
    image.write_bytes(b"virtbus disk\n".ljust(1 << 20, b"\0"))
    image.chmod(0o666)
    devices = (disk(image) + "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/>"
               "</interface><rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>")
    machine = define(client, guest_definition("web", guest_files, "", devices, vcpus=2))
    machine.create()
    console = open_console(machine)
    console.wait_ready()
    assert console.run("head -c 12 /dev/vda") == "virtbus disk"
    assert console.run("cat /sys/class/net/eth0/address") == "52:54:00:12:34:56"
    assert console.run("cat /sys/class/misc/hw_random/rng_current").startswith("virtio_rng")
    assert console.run("grep -c ^processor /proc/cpuinfo") == "2"
    assert 200000 < int(console.run("awk '/MemTotal/ {print $2}' /proc/meminfo")) < 262144
    console.run("printf changed | dd of=/dev/vda conv=notrunc; sync")
    console.close()
    machine.destroy()
    assert image.read_bytes().startswith(b"changed disk\n")


def test_console_has_one_reader(client, guest_files):
    """A console that is open is not given to a second one, unless that one insists."""
    machine = define(client, guest_definition("web", guest_files))
    machine.create()
    first = open_console(machine)
    try:
        second = open_console(machine)
    except BusError as e:
        assert "console" in e.message.lower()
    else:
        second.wait_ready()
        second.close()
    first.close()
    third = open_console(machine)
    third.write("\n")
    third.close()
    machine.destroy()
