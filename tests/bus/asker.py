#!/usr/bin/python3 -B
"""asker.py COUNT DESTINATION PATH INTERFACE MEMBER SIGNATURE [JSON ARGUMENT...]

Waits for a line on stdin, then makes the call COUNT times at once on the system's bus, with leave to ask a person,
and says on stdout, a line each: ASKED, then OK or the error's name and text as the answers come.
"""

import json
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402


def main():
    count, destination, path, interface, member, signature = int(sys.argv[1]), *sys.argv[2:7]
    arguments = tuple(json.loads(a) for a in sys.argv[7:])
    connection = Gio.DBusConnection.new_for_address_sync(
        "unix:path=/run/dbus/system_bus_socket",
        Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
    print("READY", connection.get_unique_name(), flush=True)
    sys.stdin.readline()

    def answered(_connection, result):
        reply = connection.send_message_with_reply_finish(result)
        if reply.get_message_type() == Gio.DBusMessageType.ERROR:
            body = reply.get_body()
            print(reply.get_error_name(), body.unpack()[0] if body else "", flush=True)
        else:
            print("OK", flush=True)

    for _ in range(count):
        message = Gio.DBusMessage.new_method_call(destination, path, interface, member)
        if signature:
            message.set_body(GLib.Variant(f"({signature})", arguments))
        message.set_flags(Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION)
        connection.send_message_with_reply(message, Gio.DBusSendMessageFlags.NONE, 600000, None, answered)
    connection.flush_sync(None)
    print("ASKED", flush=True)
    GLib.MainLoop().run()


main()
