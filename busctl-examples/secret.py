#!/usr/bin/python3 -B
"""secret.py [--bus=BUS] PATH: gives the secret of that object path the value that comes by stdin."""

import argparse
import os
import sys

from descriptor import SERVICE, connect


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bus", default=os.environ.get("VIRTBUS_BUS", "system"))
    parser.add_argument("path")
    options = parser.parse_args()
    secret = connect(options.bus).get_object(SERVICE, options.path, introspect=False)
    secret.SetValue(sys.stdin.buffer.read(), 0, dbus_interface="org.libvirt.Secret", signature="ayu")


main()
