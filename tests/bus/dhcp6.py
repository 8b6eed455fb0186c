#!/usr/bin/python3 -B
"""dhcp6.py INTERFACE: a DHCPv6 client that asks for one address, in four messages, and says what it got."""

import os
import socket
import struct
import sys

SOLICIT, ADVERTISE, REQUEST, REPLY = 1, 2, 3, 7
CLIENT, SERVER, IA_NA, IAADDR, ELAPSED = 1, 2, 3, 5, 8


def option(code, body):
    return struct.pack("!HH", code, len(body)) + body


def options(data):
    while data:
        code, length = struct.unpack("!HH", data[:4])
        yield code, data[4:4 + length]
        data = data[4 + length:]


def main():
    name = sys.argv[1]
    with open(f"/sys/class/net/{name}/address", encoding="ascii") as f:
        mac = bytes.fromhex(f.read().strip().replace(":", ""))
    index = socket.if_nametoindex(name)
    client = option(CLIENT, b"\0\3\0\1" + mac)
    identity = os.urandom(3)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.bind(("::", 546))
        s.settimeout(1)

        def ask(kind, expected, body):
            for _ in range(20):
                s.sendto(bytes([kind]) + identity + client + option(ELAPSED, b"\0\0") + body, ("ff02::1:2", 547, 0, index))
                try:
                    reply = s.recv(4096)
                except TimeoutError:
                    continue
                if reply[0] == expected and reply[1:4] == identity:
                    return dict(options(reply[4:]))
            sys.exit("no answer")
        offer = ask(SOLICIT, ADVERTISE, option(IA_NA, b"\0\0\0\7" + bytes(8)))
        given = ask(REQUEST, REPLY, option(SERVER, offer[SERVER]) + option(IA_NA, offer[IA_NA]))
    address = dict(options(given[IA_NA][12:]))[IAADDR]
    print(socket.inet_ntop(socket.AF_INET6, address[:16]))


main()
