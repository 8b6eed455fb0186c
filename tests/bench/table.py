"""The table that compare.py prints: what each call takes on both stacks, and what is not far enough ahead."""

import sys

# Why a call may be among those that are not ahead by far.
DURABLE = "the file and its folder are on the disk (fsync) before the reply, and that is most of it"
UNKNOWN = "polkitd needs most of it to think about a caller that it does not know"
REPLY = ("the bus and the client's reading of the reply take a third to a half of it, on both sides; just above or below from "
         "run to run")
REASONS = {
    "A caller's first GetState if polkit decides": UNKNOWN,
    "A caller's first GetAll if polkit decides": UNKNOWN,
    "Suspend or Resume until all have its signal": "each change is twelve messages on the bus, on both sides",
    "Ping": "it does nothing but cross the bus, on both sides",
    "DomainDefineXML": DURABLE,
    "Undefine": DURABLE,
    "Create of a NAT network": "dnsmasq and nft are started on both sides, and take most of it",
    "the daemon's start until the first list": "a process and its libraries are loaded, on both sides",
    "GetAllDomainStats": REPLY,
    "Introspect": REPLY,
    "GetXMLDesc": REPLY,
}


class Table:
    def __init__(self):
        self.rows = []
        self.behind = []

    def add(self, what, **columns):
        """peer, rpc, bus, socket: (median, p99, a second) or None."""
        self.rows.append((what, columns))
        print(what, {k: v and v[0] for k, v in columns.items()}, file=sys.stderr, flush=True)

    @staticmethod
    def cell(value):
        return f"{value[0]:,.0f} / {value[1]:,.0f}" if value else "–"

    @staticmethod
    def ratio(value):
        return f"{value:.1f}" if value else "–"

    def lines(self):
        """Of Markdown."""
        yield ("| call (µs: median / p99) | libvirt-dbus | libvirt's protocol | virtbusd, bus | virtbusd, socket "
               "| times faster than libvirt-dbus | than libvirt | socket than bus |")
        yield "|---|---:|---:|---:|---:|---:|---:|---:|"
        self.behind = []
        for what, columns in self.rows:
            peer, rpc, bus, socket = (columns.get(k) for k in ("peer", "rpc", "bus", "socket"))
            faster = peer[0] / bus[0] if peer and bus else 0
            than_rpc = rpc[0] / socket[0] if rpc and socket else 0
            marks = ["behind"] if (peer and faster < 3) or (rpc and than_rpc < 1) else []
            if marks:
                self.behind.append(what)
            than_bus = bus[0] / socket[0] if bus and socket else 0
            yield (f"| {what} | {self.cell(peer)} | {self.cell(rpc)} | {self.cell(bus)} | {self.cell(socket)} "
                   f"| {self.ratio(faster)} | {self.ratio(than_rpc)} | {self.ratio(than_bus)} |")
        yield ""
        yield from self.behind_lines()
        yield from self.socket_lines()

    def behind_lines(self):
        if not self.behind:
            yield "Every row is at least 3 times as fast as libvirt-dbus, and none slower than libvirt's own protocol."
            return
        yield "Less than 3 times as fast as libvirt-dbus, or slower by the private socket than libvirt's own protocol:"
        yield ""
        for call in dict.fromkeys(what.split(",")[0] for what in self.behind):
            rows = [what[len(call):].lstrip(", ") for what in self.behind if what.split(",")[0] == call]
            yield f"- {call} ({'; '.join(rows)}): {REASONS.get(call, 'the reason is not known')}"

    def by_both(self, ending):
        """(what, median by the bus, median by the socket) of the rows that have both."""
        return [(what, columns["bus"][0], columns["socket"][0]) for what, columns in self.rows
                if what.endswith(ending) and columns.get("bus") and columns.get("socket")]

    def socket_lines(self):
        """What the way by dbus-daemon costs is known by the calls that do nothing else."""
        alone, others = self.by_both(" 1 in flight"), self.by_both(" 16 in flight")
        pings = [times for what, *times in alone if what.startswith("Ping")]
        if not pings:
            return
        bus, socket = (sorted(values)[len(values) // 2] for values in zip(*pings))
        left = (f", so that a call is 3 times as fast by the socket if its own work takes at most {(bus - 3 * socket) / 2:.0f} µs"
                if bus >= 3 * socket else "")
        yield ""
        yield (f"The socket saves the way by dbus-daemon: a Ping takes {bus:.0f} µs with it and {socket:.0f} without{left}. "
               f"At least 3 times as fast by the socket are {fast(alone)} of {len(alone)} rows with one in flight, and "
               f"{fast(others)} of {len(others)} with 16.")


def fast(rows):
    return sum(bus >= 3 * socket for _, bus, socket in rows)
