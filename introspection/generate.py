#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""generate.py OUTPUT FILE... : makes OUTPUT from introspection files.

OUTPUT is the path of one of: operations.h, handlers.h, interfaces.c (with --drivers=FOLDER), org.libvirt.api.policy (with
--actions=TSV), reference.md, status.md (with --drivers=FOLDER), or what NAME.xml is named after for one installable interface file.
The annotations are described in README.md beside this file.  Whatever is missing is an error that names the member.
"""

import argparse
import pathlib
import sys

sys.dont_write_bytecode = True  # the sources may be where nobody writes

from documents import installed_xml, not_supported, policy, reference, status
from model import Failure, read
from tables import handlers_h, interfaces_c, operations_h

def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--actions")
    parser.add_argument("--drivers")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    try:
        interfaces = read(arguments.files)
        makers = {
            "operations.h": lambda: operations_h(interfaces),
            "handlers.h": lambda: handlers_h(interfaces),
            "interfaces.c": lambda: interfaces_c(interfaces, not_supported(arguments.drivers)),
            "org.libvirt.api.policy": lambda: policy(interfaces, arguments.actions),
            "reference.md": lambda: reference(interfaces),
            "status.md": lambda: status(interfaces, arguments.drivers),
            **{i.name + ".xml": (lambda i=i: installed_xml(i)) for i in interfaces},
        }
        if arguments.output.name not in makers:
            raise Failure(f"{arguments.output.name} is nothing that can be made")
        text = makers[arguments.output.name]()
    except Failure as failure:
        print(f"generate.py: {failure}", file=sys.stderr)
        return 1
    arguments.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
