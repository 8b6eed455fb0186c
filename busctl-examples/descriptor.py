"""What console.py, graphics.py and secret.py share: the bus, the machine, and a method that hands over a file descriptor."""

import dbus
import dbus.bus

SERVICE = "org.virtbus1"


def connect(bus):
    """A connection to "system", "user" or an address."""
    if bus == "system":
        return dbus.SystemBus()
    if bus in ("user", "session"):
        return dbus.SessionBus()
    return dbus.bus.BusConnection(bus)


def open_descriptor(connection, name, method, *arguments):
    """Calls a method of the machine that returns a descriptor; its number, ours to close."""
    path = connection.get_object(SERVICE, "/org/libvirt/QEMU", introspect=False).DomainLookupByName(
        dbus.String(name), dbus_interface="org.libvirt.Connect", signature="s")
    machine = connection.get_object(SERVICE, path)
    return machine.get_dbus_method(method, "org.virtbus1.Domain")(*arguments).take()
