#!/usr/bin/python3 -B
"""graphics.py [--bus=BUS] NAME: the greeting of the machine's first display, read from the descriptor of OpenGraphics."""

import argparse
import os
import select
import sys

from descriptor import connect, open_descriptor


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bus", default=os.environ.get("VIRTBUS_BUS", "system"))
    parser.add_argument("name")
    options = parser.parse_args()
    display = open_descriptor(connect(options.bus), options.name, "OpenGraphics", 0, 0)
    if not select.select([display], [], [], 10)[0]:
        sys.exit("the display says nothing")
    print(os.read(display, 12).decode(errors="replace").strip())


main()
