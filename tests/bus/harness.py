"""Buses and their clients, as the tests need them.

A Client is one connection to a bus (or to a peer) as a given user.  It sends raw messages and hands back raw
GVariants where the nesting matters: what a test asserts about the wire is what was on the wire.  Nothing here
sleeps: whatever has to happen is waited for with a deadline, through the main context.
"""

import contextlib
import os
import pwd
import select
import signal
import subprocess
import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

SCALE = float(os.environ.get("VIRTBUS_TIMEOUT_SCALE", "1"))
BUS_NAME = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"
PROPERTIES = "org.freedesktop.DBus.Properties"
PEER = "org.freedesktop.DBus.Peer"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"


class TimeoutExpired(AssertionError):
    """Something that had to happen did not."""


class BusError(Exception):
    """An error reply: its D-Bus name and its text."""

    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


def wait_for(condition, timeout=5.0, what=None):
    """Runs the main context until condition() is true, and returns its value."""
    context = GLib.MainContext.default()
    deadline = time.monotonic() + timeout * SCALE
    while True:
        value = condition()
        if value:
            return value
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutExpired(f"waited {timeout * SCALE:.1f} s for {what or condition}")
        # The timer only ends the iteration in time for the deadline (or for conditions that no source announces,
        # like the death of a process: looked at 100 times a second).
        timer = GLib.timeout_add(min(10, max(1, int(left * 1000))), lambda: True)
        context.iteration(True)
        GLib.source_remove(timer)


def drain(seconds):
    """Runs the main context for a while: for tests that something does NOT happen."""
    with contextlib.suppress(TimeoutExpired):
        wait_for(lambda: False, seconds / SCALE)


def wait_exit(process, timeout=10.0):
    """Waits for a subprocess by its pidfd; its exit status as subprocess gives it."""
    if process.poll() is None:
        fd = os.pidfd_open(process.pid)
        try:
            if not select.select([fd], [], [], timeout * SCALE)[0]:
                raise TimeoutExpired(f"process {process.pid} ({process.args[0]}) still runs after {timeout} s")
        finally:
            os.close(fd)
    return process.wait()


@contextlib.contextmanager
def as_user(name):
    """The process's credentials are the user's (None: its own) inside the block: for connecting as that user."""
    if name is None or os.getuid() != 0:
        yield
        return
    entry = pwd.getpwnam(name)
    groups = os.getgroups()
    os.setgroups(os.getgrouplist(name, entry.pw_gid))
    os.setresgid(entry.pw_gid, entry.pw_gid, 0)
    os.setresuid(entry.pw_uid, entry.pw_uid, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups(groups)


class Recorder:
    """The signals that came since it was made, as (path, interface, member, GVariant)."""

    def __init__(self, client, **match):
        self.client = client
        self.signals = []
        self.subscription = client.connection.signal_subscribe(
            match.get("sender"), match.get("interface"), match.get("member"), match.get("path"), match.get("arg0"),
            Gio.DBusSignalFlags.NONE, self._arrived)
        if client.is_bus:
            client.ping_bus()  # the bus has the match rule before the test goes on

    def _arrived(self, _connection, _sender, path, interface, member, parameters):
        self.signals.append(Signal(path, interface, member, parameters, time.monotonic()))

    def wait(self, condition=None, timeout=5.0, what=None):
        """The first signal for which condition(signal) is true; it and those before it are taken out."""

        def take():
            for index, entry in enumerate(self.signals):
                if condition is None or condition(entry):
                    del self.signals[: index + 1]
                    return entry
            return None

        try:
            return wait_for(take, timeout, what)
        except TimeoutExpired as e:
            raise TimeoutExpired(f"{e}; there came: {self.signals}") from None

    def values(self):
        return [s.values for s in self.signals]

    def clear(self):
        self.signals.clear()

    def close(self):
        self.client.connection.signal_unsubscribe(self.subscription)


class Signal:
    def __init__(self, path, interface, member, parameters, arrived):
        self.path = path
        self.interface = interface
        self.member = member
        self.parameters = parameters
        self.arrived = arrived

    @property
    def values(self):
        return self.parameters.unpack()

    def __repr__(self):
        return f"{self.interface}.{self.member}{self.parameters.print_(False)} at {self.path}"


class Reply:
    """What a call gave: the body as GVariant, and the descriptors."""

    def __init__(self, message):
        self.message = message
        self.body = message.get_body()
        fd_list = message.get_unix_fd_list()
        self.fds = list(fd_list.steal_fds()) if fd_list else []

    @property
    def values(self):
        return self.body.unpack() if self.body else ()

    @property
    def value(self):
        values = self.values
        return None if not values else values[0] if len(values) == 1 else values


class Pending:
    """A call whose reply is waited for later."""

    def __init__(self):
        self.reply = None
        self.error = None
        self.done = False
        self.finished = None

    def result(self, timeout=30.0):
        wait_for(lambda: self.done, timeout, "the reply to a call")
        if self.error:
            raise self.error
        return self.reply


class Client:
    """One connection, as one user."""

    def __init__(self, address, user=None, destination="org.libvirt", is_bus=True):
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
        if is_bus:
            flags |= Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        with as_user(user):
            self.connection = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
        self.connection.set_exit_on_close(False)
        self.user = user
        self.is_bus = is_bus
        self.destination = destination if is_bus else None
        self.name = self.connection.get_unique_name()

    def close(self):
        if not self.connection.is_closed():
            self.connection.close_sync(None)

    def _message(self, path, interface, member, signature, args, interactive, fds, destination):
        message = Gio.DBusMessage.new_method_call(destination or self.destination, path, interface, member)
        if signature:
            body = GLib.Variant(f"({signature})", tuple(args))
            message.set_body(body)
        if interactive:
            message.set_flags(Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION)
        if fds:
            fd_list = Gio.UnixFDList()
            for fd in fds:
                fd_list.append(fd)
            message.set_unix_fd_list(fd_list)
        return message

    def send(self, path, interface, member, signature="", *args, interactive=False, timeout=30.0, fds=None,
             destination=None):
        """Calls and returns the Reply; raises BusError."""
        message = self._message(path, interface, member, signature, args, interactive, fds, destination)
        try:
            reply, _serial = self.connection.send_message_with_reply_sync(
                message, Gio.DBusSendMessageFlags.NONE, int(timeout * SCALE * 1000), None)
        except GLib.Error as e:
            if e.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT):
                raise TimeoutExpired(f"no reply to {interface}.{member} in {timeout} s") from None
            raise
        return self._reply(reply)

    @staticmethod
    def _reply(message):
        if message.get_message_type() == Gio.DBusMessageType.ERROR:
            body = message.get_body()
            text = body.unpack()[0] if body and body.n_children() and isinstance(body.unpack()[0], str) else ""
            raise BusError(message.get_error_name(), text)
        return Reply(message)

    def begin(self, path, interface, member, signature="", *args, interactive=False, timeout=60.0, fds=None,
              destination=None):
        """Calls and returns at once: a Pending."""
        message = self._message(path, interface, member, signature, args, interactive, fds, destination)
        pending = Pending()

        def finished(connection, result):
            pending.finished = time.monotonic()
            try:
                pending.reply = self._reply(connection.send_message_with_reply_finish(result))
            except (GLib.Error, BusError) as e:
                pending.error = e
            pending.done = True

        self.connection.send_message_with_reply(
            message, Gio.DBusSendMessageFlags.NONE, int(timeout * SCALE * 1000), None, finished)
        return pending

    def call(self, path, interface, member, signature="", *args, **options):
        """Calls and returns the value (one out argument) or the tuple of values."""
        return self.send(path, interface, member, signature, *args, **options).value

    def no_reply(self, path, interface, member, signature="", *args, destination=None):
        message = self._message(path, interface, member, signature, args, False, None, destination)
        message.set_flags(Gio.DBusMessageFlags.NO_REPLY_EXPECTED)
        self.connection.send_message(message, Gio.DBusSendMessageFlags.NONE)
        self.connection.flush_sync(None)

    # Properties

    def get_raw(self, path, interface, name):
        return self.send(path, PROPERTIES, "Get", "ss", interface, name).body.get_child_value(0)

    def get(self, path, interface, name):
        return self.call(path, PROPERTIES, "Get", "ss", interface, name)

    def get_all_raw(self, path, interface):
        """The a{sv} as it was on the wire."""
        return self.send(path, PROPERTIES, "GetAll", "s", interface).body.get_child_value(0)

    def get_all(self, path, interface):
        return plain(self.get_all_raw(path, interface))

    def set(self, path, interface, name, signature, value, **options):
        self.send(path, PROPERTIES, "Set", "ssv", interface, name, GLib.Variant(signature, value), **options)

    def introspect(self, path):
        return self.call(path, INTROSPECTABLE, "Introspect")

    def managed_objects(self, path="/org/libvirt"):
        return self.call(path, OBJECT_MANAGER, "GetManagedObjects")

    # The bus itself

    def ping_bus(self):
        self.call(BUS_PATH, BUS_NAME, "GetId", destination=BUS_NAME)

    def ping(self, path="/org/libvirt"):
        self.call(path, PEER, "Ping")

    def owner_of(self, name):
        try:
            return self.call(BUS_PATH, BUS_NAME, "GetNameOwner", "s", name, destination=BUS_NAME)
        except BusError:
            return None

    def wait_owner(self, name, present=True, timeout=10.0, unless=None):
        """Waits for a name to have an owner (or none); unless() ends the wait early by its truth."""
        recorder = Recorder(self, interface=BUS_NAME, member="NameOwnerChanged", arg0=name, sender=BUS_NAME)
        try:
            if bool(self.owner_of(name)) != present:
                wait_for(lambda: any(bool(s.values[2]) == present for s in recorder.signals)
                         or (unless and unless()), timeout, f"{name} to {'appear' if present else 'go'}")
        finally:
            recorder.close()
        return self.owner_of(name)

    def listen(self, **match):
        return Recorder(self, **match)


def plain(variant):
    """A GVariant as Python values, with every level of variant taken off."""
    kind = variant.get_type_string()
    if kind == "v":
        return plain(variant.get_variant())
    if kind.startswith("a{"):
        entries = (variant.get_child_value(i) for i in range(variant.n_children()))
        return {plain(e.get_child_value(0)): plain(e.get_child_value(1)) for e in entries}
    if kind.startswith("("):
        return tuple(plain(variant.get_child_value(i)) for i in range(variant.n_children()))
    if kind.startswith("a") and kind != "ay":
        return [plain(variant.get_child_value(i)) for i in range(variant.n_children())]
    return variant.unpack()


def entry_levels(dictionary):
    """For an a{sv}: the number of variants around each value, by key (1 is the ordinary number)."""
    levels = {}
    for i in range(dictionary.n_children()):
        entry = dictionary.get_child_value(i)
        value = entry.get_child_value(1)
        level = 0
        while value.get_type_string() == "v":
            value = value.get_variant()
            level += 1
        levels[entry.get_child_value(0).unpack()] = level
    return levels


SESSION_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <!-- as in Debian's session.conf -->
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_incoming_unix_fds">250000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_outgoing_unix_fds">250000000</limit>
  <limit name="max_message_size">1000000000</limit>
  <limit name="max_completed_connections">100000</limit>
  <limit name="max_incomplete_connections">10000</limit>
  <limit name="max_connections_per_user">100000</limit>
  <limit name="max_names_per_connection">50000</limit>
  <limit name="max_match_rules_per_connection">50000</limit>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
"""


class Bus:
    """A dbus-daemon of our own, of the session type or (inside `run`) the system's."""

    def __init__(self, kind, directory):
        self.kind = kind
        self.directory = directory
        self.clients = []
        os.makedirs(directory, exist_ok=True)
        if kind == "session":
            socket = os.path.join(directory, "bus")
            configuration = os.path.join(directory, "bus.conf")
            with open(configuration, "w", encoding="ascii") as f:
                f.write(SESSION_CONFIGURATION.format(socket=socket))
            command = ["dbus-daemon", "--config-file=" + configuration]
            self.address = "unix:path=" + socket
        else:
            command = ["dbus-daemon", "--system"]
            self.address = "unix:path=/run/dbus/system_bus_socket"
        with open(os.path.join(directory, "bus.log"), "wb") as log:
            self.process = subprocess.Popen(
                command + ["--nofork", "--nopidfile", "--nosyslog", "--print-address=1"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        if not self.process.stdout.readline():  # it listens once it has printed its address
            raise RuntimeError("dbus-daemon did not start: " + open(log.name, encoding="utf-8").read())

    def connect(self, user=None, destination="org.libvirt"):
        client = Client(self.address, user, destination)
        self.clients.append(client)
        return client

    def stop(self):
        for client in self.clients:
            with contextlib.suppress(GLib.Error):
                client.close()
        self.process.send_signal(signal.SIGTERM)
        wait_exit(self.process)
        self.process.stdout.close()


class Polkit:
    """polkitd on the bus of the system type, and the rules that a test gives it."""

    RULES = "/etc/polkit-1/rules.d"

    def __init__(self, bus, directory):
        self.client = bus.connect(destination="org.freedesktop.PolicyKit1")
        with open(os.path.join(directory, "polkitd.log"), "wb") as log:
            self.process = subprocess.Popen(["/usr/lib/polkit-1/polkitd", "--no-debug"], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.client.wait_owner("org.freedesktop.PolicyKit1", unless=lambda: self.process.poll() is not None)
        assert self.process.poll() is None, open(log.name, encoding="utf-8").read()

    def rules(self, *bodies):
        """Replaces the test's rules by functions with these bodies (of action, subject); waits until they count."""
        changed = self.client.listen(interface="org.freedesktop.PolicyKit1.Authority", member="Changed")
        path = os.path.join(self.RULES, "10-test.rules")
        with open(path + ".new", "w", encoding="utf-8") as f:
            for body in bodies:
                f.write("polkit.addRule(function(action, subject) {\n" + body + "\n});\n")
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)
        changed.wait(timeout=10, what="polkitd to read the rules")
        changed.close()

    def check(self, subject_name, action, details=None, flags=0):
        """(is authorised, is a challenge) for a connection's unique name."""
        result = self.client.call(
            "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization",
            "(sa{sv})sa{ss}us", ("system-bus-name", {"name": GLib.Variant("s", subject_name)}), action,
            details or {}, flags, "")
        return result[0], result[1]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        wait_exit(self.process)
