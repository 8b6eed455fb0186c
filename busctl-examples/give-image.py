#!/usr/bin/python3 -B
"""give-image.py [--bus=BUS] PATH GROUP FILE: gives an open image to the machine of that object path."""

import argparse
import os

import dbus

from descriptor import SERVICE, connect


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bus", default=os.environ.get("VIRTBUS_BUS", "system"))
    parser.add_argument("path")
    parser.add_argument("group")
    parser.add_argument("file")
    options = parser.parse_args()
    machine = connect(options.bus).get_object(SERVICE, options.path, introspect=False)
    with open(options.file, "r+b") as file:
        machine.get_dbus_method("AssociateFiles", "org.virtbus1.Domain")(
            options.group, dbus.Array([dbus.types.UnixFd(file)], signature="h"), signature="sah")


main()
