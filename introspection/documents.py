# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is not C: the polkit policy, the installed interfaces, the reference and the status of the drivers."""

import pathlib
import re
from xml.sax.saxutils import escape, quoteattr

from model import KINDS, Failure, Property, Signal
from tables import introspection

def read_actions(path):
    """action -> (any, inactive, active, description, message)"""
    found = {}
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if len(fields) != 6 or not all(fields):
            raise Failure(f"{path}:{number}: six fields are expected")
        found[fields[0]] = fields[1:]
    return found


def policy(interfaces, actions_path):
    known = read_actions(actions_path)
    used = {a.action for i in interfaces for m in i.methods for a in m.actions} | {
        a.action for i in interfaces for p in i.properties for a in p.actions + p.set_actions}
    for action in sorted(used - set(known)):
        raise Failure(f"action {action} is not in {pathlib.Path(actions_path).name}")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             '<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"',
             ' "http://www.freedesktop.org/standards/PolicyKit/1.0/policyconfig.dtd">', "<policyconfig>",
             "  <vendor>virtbus</vendor>"]
    for action, (allow_any, inactive, active, description, message) in sorted(known.items()):
        lines += [f"  <action id={quoteattr(action)}>", f"    <description>{escape(description)}</description>",
                  f"    <message>{escape(message)}</message>", "    <defaults>",
                  f"      <allow_any>{allow_any}</allow_any>", f"      <allow_inactive>{inactive}</allow_inactive>",
                  f"      <allow_active>{active}</allow_active>", "    </defaults>", "  </action>"]
    return "\n".join(lines + ["</policyconfig>", ""])


def installed_xml(interface):
    """The interface as it is installed for other programs: without what is only ours, with the documentation."""
    return ('<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n'
            ' "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">\n<node>\n' +
            introspection(interface, is_documented=True) + "</node>\n")


def reference(interfaces):
    text = ["# Reference", "", "Generated from `introspection/*.xml` by `introspection/generate.py`.", ""]
    for interface in interfaces:
        text += [f"## {interface.name}", "", interface.documentation, ""]
        for title, members in (("Methods", interface.methods), ("Properties", interface.properties),
                               ("Signals", interface.signals)):
            if members:
                text += [f"### {title}", ""]
            for member in members:
                text += [f"**{member.name}** {shape(member)}", "", member.documentation, ""]
                if getattr(member, "actions", None):
                    asked = (f"`{a.action}`" + (" (by an argument)" if a.argument >= 0 else "") for a in member.actions)
                    text += ["Asks polkit: " + ", ".join(dict.fromkeys(asked)) + ".", ""]
    return "\n".join(text)


def shape(member):
    if isinstance(member, Property):
        return f"`{member.type}` ({member.access})"

    def side(arguments):
        return ", ".join(f"{a.type} {a.name}" for a in arguments)

    if isinstance(member, Signal):
        return f"`({side(member.arguments)})`"
    return f"`({side(member.inputs)})" + (f" → {side(member.outputs)}`" if member.outputs else "`")


def kinds_of(folder):
    """driver -> the kinds of objects that it serves, by the .kinds of its DriverType."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*/driver.c")):
        table = re.search(r"\.kinds = ([^,]*),", path.read_text(encoding="utf-8"))
        found[path.parent.name] = set(re.findall(r"OBJECT_\w+", table.group(1))) if table else set()
    return found


def works(method, operations, kinds):
    """Whether a driver with these operations and kinds answers the method: handlers of the daemon need the objects."""
    if method.needs:
        return method.needs in operations
    return all(KINDS[a.object][0] in kinds for a in method.outputs if a.object)


def operations_of(folder):
    """driver -> operations, by the designated initialisers of its operations.c."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*/operations.c")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        table = re.search(r"DriverOperations \w+ = \{(.*?)\n\};", text, re.S)
        if not table:
            raise Failure(f"{path}: no table of operations")
        operations = set()
        for group, body in re.findall(r"\.(\w+)\s*=\s*\{(.*?)\}", table.group(1), re.S):
            operations |= {f"{group}.{member}" for member in re.findall(r"\.(\w+)\s*=", body)}
        found[path.parent.name] = operations
    return found


def pool_kinds(drivers_folder):
    """(type, whether there is a backend, note) of each row of the table of backends."""
    text = (pathlib.Path(drivers_folder) / "storage/backend.c").read_text()
    rows = re.findall(r'\[POOL_TYPE_(\w+)\] = \{ *(NULL|&\w+),((?:\s*"[^"]*")+) *\}', text)
    assert len(rows) == text.count("[POOL_TYPE_"), "a row of drivers/storage/backend.c was not understood"
    return [(name.lower().replace("_", "-"), backend != "NULL", "".join(re.findall(r'"([^"]*)"', note)))
            for name, backend, note in rows]


def read_not_supported(drivers_folder):
    if not drivers_folder:
        return []
    path = pathlib.Path(drivers_folder) / "not-supported.tsv"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for row in rows:
        if len(row) not in (3, 4):
            raise Failure(f"{path}: three or four fields are expected, not {row}")
    return rows


def not_supported(drivers_folder):
    """What drivers do not do: (driver, method, why)."""
    return [row for row in read_not_supported(drivers_folder) if len(row) == 3]


def uses_not_supported(interfaces, drivers_folder):
    """What methods refuse that do other things: (driver, method, what, why)."""
    rows = [row for row in read_not_supported(drivers_folder) if len(row) == 4]
    methods = {f"{interface.name}.{m.name}" for interface in interfaces for m in interface.methods} | {"all"}
    for _, method, what, _ in rows:
        if method not in methods:
            raise Failure(f"drivers/not-supported.tsv: there is no method {method} that could refuse {what}")
    return rows


def reasons_of(drivers_folder, missing):
    """(driver, method) → why, for each of `missing` and nothing else."""
    rows = not_supported(drivers_folder)
    reasons = {(driver, method): why for driver, method, why in rows}
    for key in reasons:
        if [row[:2] for row in rows].count(list(key)) > 1:
            raise Failure(f"drivers/not-supported.tsv: {' '.join(key)} is there twice")
    for key in sorted(missing ^ set(reasons)):
        raise Failure(f"drivers/not-supported.tsv: {' '.join(key)} " +
                         ("has no line that says why" if key in missing else "is supported"))
    return reasons


def status(interfaces, drivers_folder):
    drivers, kinds = operations_of(drivers_folder), kinds_of(drivers_folder)
    names = sorted(drivers)

    def working(interface, name):
        return [m for m in interface.methods if works(m, drivers[name], kinds[name])]

    text = ["# What works", "",
            "Generated by `introspection/generate.py` from the tables in `drivers/*/operations.c`. Methods that a driver "
            "does not have answer one NotSupported error that names driver and method; why, is in `drivers/not-supported.tsv`.", "",
            "| interface | methods | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for interface in interfaces:
        text.append(f"| {interface.name} | {len(interface.methods)} | " +
                    " | ".join(str(len(working(interface, n))) for n in names) + " |")
    missing = {(name, f"{interface.name}.{m.name}") for name in names for interface in interfaces
               for m in interface.methods if m not in working(interface, name)}
    reasons = reasons_of(drivers_folder, missing)
    for name in names:
        text += ["", f"## Not supported by {name}", "", "| method | why |", "|---|---|"]
        text += [f"| {method} | {reasons[driver, method]} |" for driver, method in sorted(missing) if driver == name]
    text += ["", "## What methods refuse", "",
             "Flags and uses of methods that work else. They answer one NotSupported error that names them, or are refused as "
             "flags that are not known.", "", "| driver | method | what | why |", "|---|---|---|---|"]
    text += [f"| {' | '.join(row)} |" for row in uses_not_supported(interfaces, drivers_folder)]
    text += ["", "## Types of storage pools", "",
             "From the table in `drivers/storage/backend.c`. All can be defined; those that are not supported answer one "
             "NotSupported error with this reason when they are built or started.", "",
             "| type | works | tested, or why not |", "|---|---|---|"]
    text += [f"| {kind} | {'yes' if works_here else 'not supported'} | {note} |"
             for kind, works_here, note in sorted(pool_kinds(drivers_folder), key=lambda row: not row[1])]
    return "\n".join(text) + "\n"
