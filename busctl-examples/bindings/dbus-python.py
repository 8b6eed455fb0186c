#!/usr/bin/python3 -B
"""dbus-python.py NAME: lists the machines, starts NAME, waits for the signal that it runs, reads a line of its console."""
import os
import sys

import dbus
import dbus.mainloop.glib
from gi.repository import GLib

loop = GLib.MainLoop()
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(os.environ.get("VIRTBUS_BUS", "unix:path=/run/dbus/system_bus_socket"))
qemu = bus.get_object("org.virtbus1", "/org/libvirt/QEMU")
print([str(path) for path in qemu.ListDomains({}, dbus_interface="org.virtbus1.Connect")])
path = qemu.DomainLookupByName(sys.argv[1], dbus_interface="org.libvirt.Connect")
machine = dbus.Interface(bus.get_object("org.virtbus1", path), "org.virtbus1.Domain")
machine.connect_to_signal("Lifecycle", lambda event, *_: event == "started" and (print(event), loop.quit()))
machine.Start({}, reply_handler=lambda: None, error_handler=sys.exit)
loop.run()
console = machine.OpenConsole("", dbus.UInt32(0)).take()
print(os.fdopen(console, "rb").readline().decode())
