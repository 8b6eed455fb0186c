#!/usr/bin/python3 -B
"""dasbus.py NAME: lists the machines, starts NAME, waits for the signal that it runs, and reads a line of its console."""
import os
import sys

sys.path.remove(os.path.dirname(os.path.realpath(__file__)))  # this file is called as the module is
from dasbus.connection import AddressedMessageBus  # noqa: E402
from dasbus.loop import EventLoop  # noqa: E402
from dasbus.unix import GLibClientUnix  # noqa: E402

loop = EventLoop()
bus = AddressedMessageBus(os.environ.get("VIRTBUS_BUS", "unix:path=/run/dbus/system_bus_socket"))
qemu = bus.get_proxy("org.virtbus1", "/org/libvirt/QEMU", "org.virtbus1.Connect")
print(qemu.ListDomains({}))
path = bus.get_proxy("org.libvirt", "/org/libvirt/QEMU", "org.libvirt.Connect").DomainLookupByName(sys.argv[1])
machine = bus.get_proxy("org.virtbus1", path, "org.virtbus1.Domain", client=GLibClientUnix)
machine.Lifecycle.connect(lambda event, *_: event == "started" and (print(event), loop.quit()))
machine.Start({}, callback=lambda call: call())
loop.run()
console = machine.OpenConsole("", 0)
print(os.fdopen(console, "rb").readline().decode())
