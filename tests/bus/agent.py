#!/usr/bin/python3 -B
"""agent.py PID: the person at the keyboard, for polkit's questions about the process PID (one who never answers).

Registers an authentication agent with the polkitd of the system's bus and says on stdout what it hears, a line each:
READY, BEGIN ACTION COOKIE, CANCEL COOKIE.
"""

import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

INTERFACE = "org.freedesktop.PolicyKit1.AuthenticationAgent"
PATH = "/org/virtbus1/test/agent"


def say(*words):
    print(*words, flush=True)


class Agent(dbus.service.Object):
    @dbus.service.method(INTERFACE, in_signature="sssa{ss}sa(sa{sv})", out_signature="",
                         async_callbacks=("answer", "fail"))
    def BeginAuthentication(self, action, _message, _icon, _details, cookie, _identities, answer, fail):
        say("BEGIN", action, cookie)

    @dbus.service.method(INTERFACE, in_signature="s", out_signature="")
    def CancelAuthentication(self, cookie):
        say("CANCEL", cookie)


def start_time(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        return int(f.read().rsplit(")", 1)[1].split()[19])


def uid_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Uid:"))


def main():
    pid = int(sys.argv[1])
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    Agent(bus, PATH)
    subject = ("unix-process", {"pid": dbus.UInt32(pid), "start-time": dbus.UInt64(start_time(pid)),
                                "uid": dbus.Int32(uid_of(pid))})
    bus.call_blocking("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                      "org.freedesktop.PolicyKit1.Authority", "RegisterAuthenticationAgent", "(sa{sv})ss",
                      (subject, "C", PATH))
    say("READY")
    GLib.MainLoop().run()


main()
