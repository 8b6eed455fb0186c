#!/usr/bin/python3 -B
"""console.py [--bus=BUS] [--say=TEXT] [--until=TEXT] [--for=SECONDS] NAME [DEVICE]

Connects the terminal to a console of the machine NAME, through the descriptor that OpenConsole passes; Ctrl-] ends it.
Without a terminal it copies what comes, and stdin as far as it goes.  --say types TEXT first; --until ends when TEXT
has been seen, with status 1 if that does not happen in time (--for, 60 seconds).
"""

import argparse
import os
import select
import sys
import termios
import time
import tty

from descriptor import connect, open_descriptor

ESCAPE = b"\x1d"


def copy(console, options):
    """Both ways until the escape key, the awaited text or the end; the exit status."""
    inputs = [console] if options.say is not None or options.until and not os.isatty(0) else [console, 0]
    deadline = time.monotonic() + options.seconds if options.until else None
    awaited, seen = (options.until or "").encode(), b""
    while True:
        left = None if deadline is None else max(0, deadline - time.monotonic())
        ready = select.select(inputs, [], [], left)[0]
        if not ready:
            return 1
        if console in ready:
            data = os.read(console, 65536)
            if not data:
                return 1 if awaited else 0
            os.write(1, data)
            seen = (seen + data)[-65536:]
            if awaited and awaited in seen:
                return 0
        if 0 in ready:
            data = os.read(0, 65536)
            if ESCAPE in data:
                return 0
            if data:
                os.write(console, data)
            else:
                inputs.remove(0)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[0])
    parser.add_argument("--bus", default=os.environ.get("VIRTBUS_BUS", "system"))
    parser.add_argument("--say")
    parser.add_argument("--until")
    parser.add_argument("--for", type=float, default=60, dest="seconds")
    parser.add_argument("name")
    parser.add_argument("device", nargs="?", default="")
    options = parser.parse_args()
    console = open_descriptor(connect(options.bus), options.name, "OpenConsole", options.device, 0)
    if options.say is not None:
        os.write(console, options.say.encode() + b"\n")
    saved = termios.tcgetattr(0) if os.isatty(0) else None
    try:
        if saved:
            tty.setraw(0)
        return copy(console, options)
    finally:
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)


sys.exit(main())
