#!/usr/bin/python3 -B
"""transfer.py [--bus=BUS] Upload|Download PATH FILE: moves a file's bytes to or from the volume of that object path."""

import argparse
import os
import sys

import dbus

from descriptor import SERVICE, connect


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bus", default=os.environ.get("VIRTBUS_BUS", "system"))
    parser.add_argument("method", choices=["Upload", "Download"])
    parser.add_argument("path")
    parser.add_argument("file")
    options = parser.parse_args()
    volume = connect(options.bus).get_object(SERVICE, options.path, introspect=False)
    with open(options.file, "rb" if options.method == "Upload" else "wb") as file:
        count = volume.get_dbus_method(options.method, "org.virtbus1.StorageVolume")(
            dbus.types.UnixFd(file), dbus.UInt64(0), dbus.UInt64(0), dbus.Dictionary(signature="sv"), signature="htta{sv}",
            timeout=86400)
    sys.stdout.write(f"{count}\n")


main()
