#!/usr/bin/gjs
// gjs.js NAME: lists the machines, starts NAME, waits for the signal that it runs, and reads a line of its console.
const { Gio, GLib } = imports.gi;
const loop = GLib.MainLoop.new(null, false);
const address = GLib.getenv('VIRTBUS_BUS') ?? 'unix:path=/run/dbus/system_bus_socket';
const bus = Gio.DBusConnection.new_for_address_sync(address,
    Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, null, null);
const proxy = (path, name) => Gio.DBusProxy.new_sync(bus, 0, null, 'org.virtbus1', path, name, null);
const call = (object, method, args) => object.call_sync(method, args, 0, -1, null).recursiveUnpack();
print(call(proxy('/org/libvirt/QEMU', 'org.virtbus1.Connect'), 'ListDomains', new GLib.Variant('(a{sv})', [{}])));
const [path] = call(proxy('/org/libvirt/QEMU', 'org.libvirt.Connect'), 'DomainLookupByName', new GLib.Variant('(s)', ARGV));
const machine = proxy(path, 'org.virtbus1.Domain');
machine.connect('g-signal', (_proxy, _sender, member, args) => {
    if (member === 'Lifecycle' && args.recursiveUnpack()[0] === 'started')
        loop.quit();
});
machine.call('Start', new GLib.Variant('(a{sv})', [{}]), 0, -1, null, null);
loop.run();
print('started');
const [, fds] = machine.call_with_unix_fd_list_sync('OpenConsole', new GLib.Variant('(su)', ['', 0]), 0, -1, null, null);
const input = Gio.DataInputStream.new(new Gio.UnixInputStream({ fd: fds.get(0), close_fd: true }));
print(input.read_line_utf8(null)[0]);
