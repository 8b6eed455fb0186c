#!/usr/bin/env python3
"""generate-table.py FOLDER | clang-format > table.c

Writes the facts about x86 processors that definitions refer to by name: which bit of CPUID (or of a register that
describes the processor) a feature is, and which features a named model stands for. What QEMU's own models have is asked
of QEMU, binary by binary; this table is what the names mean in the language, whatever runs them, so that two hosts
with different QEMUs agree about <model>Westmere</model>. FOLDER holds the facts as the XML files that Debian's libvirt0
installs in /usr/share/libvirt/cpu_map: only names and numbers are read.

A model is written as its difference to an earlier one, the nearest.
"""

import pathlib
import sys
import xml.etree.ElementTree as ET

# Bits that tell what the running system has switched on.
OF_THE_SYSTEM = ("osxsave", "ospke")

HEAD = """/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Made by generate-table.py: do not edit. */

#include "drivers/cpu/table.h"
"""


def register_bit(node):
    """(leaf, subleaf, register, bit) of <cpuid> or <msr>; the MSR's subleaf says that it is one."""
    registers = [(name, int(node.get(name, "0"), 16)) for name in ("eax", "ebx", "ecx", "edx")]
    found = [(name, value) for name, value in registers if value]
    assert len(found) == 1 and bin(found[0][1]).count("1") == 1, ET.tostring(node)
    name, value = found[0]
    if node.tag == "msr":
        return f"CPU_MSR({node.get('index')}), {name.upper()}, {value.bit_length() - 1}"
    return f"{node.get('eax_in')}, {int(node.get('ecx_in', '0'), 16)}, {name.upper()}, {value.bit_length() - 1}"


def write_features(root):
    names = []
    print("const CpuFeatureFact cpu_features[] = {")
    for feature in root.findall("feature"):
        place = feature.find("cpuid") if feature.find("cpuid") is not None else feature.find("msr")
        others = " ".join(alias.get("name") for alias in feature.findall("alias"))
        more = f', .other_names = "{others}"' if others else ""
        if feature.get("migratable") == "no":
            more += ", .stays = true"
        if feature.get("name") in OF_THE_SYSTEM:
            more += ", .is_systems = true"
        print(f'\t{{ "{feature.get("name")}", {register_bit(place)}{more} }},')
        names.append(feature.get("name"))
    print("};\nconst unsigned cpu_n_features = G_N_ELEMENTS(cpu_features);\n")
    return names


def signatures(model):
    found = []
    for signature in model.findall("signature"):
        text = f"{signature.get('family')}:{signature.get('model')}"
        found.append(text + (f":{signature.get('stepping')}" if signature.get("stepping") else ""))
    return " ".join(found)


def write_models(models, order):
    earlier = []
    print("const CpuModelFact cpu_models[] = {")
    for model in models:
        name, vendor = model.get("name"), model.find("vendor")
        removed = [f.get("name") for f in model.findall("feature") if f.get("removed") == "yes"]
        features = {f.get("name") for f in model.findall("feature")} - set(removed)
        base, has = min(earlier, key=lambda other: len(other[1] ^ features), default=(None, set()))
        if len(has ^ features) >= len(features):
            base, has = None, set()
        changes = sorted(features - has, key=order.index) + ["-" + f for f in sorted(has - features, key=order.index)]
        print(f'\t{{ .name = "{name}",')
        if vendor is not None:
            print(f'\t.vendor = "{vendor.get("name")}",')
        if base:
            print(f'\t.base = "{base}",')
        print(f'\t.changes = "{" ".join(changes)}",')
        if removed:
            print(f'\t.removed = "{" ".join(removed)}",')
        if signatures(model):
            print(f'\t.signatures = "{signatures(model)}",')
        decode = model.find("decode")
        if decode.get("host") != "on":
            print("\t.not_for_hosts = true,")
        if decode.get("guest") != "on":
            print("\t.not_for_guests = true,")
        print("\t},")
        earlier.append((name, features))
    print("};\nconst unsigned cpu_n_models = G_N_ELEMENTS(cpu_models);\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    roots = [ET.parse(folder / include.get("filename")).getroot()
             for include in ET.parse(folder / "index.xml").find("arch[@name='x86']").findall("include")]
    print(HEAD)
    order = [name for root in roots if root.find("feature") is not None for name in write_features(root)]
    write_models([model for root in roots for model in root.findall("model")], order)
    print("const CpuVendorFact cpu_vendors[] = {")
    for root in roots:
        for vendor in root.findall("vendor"):
            print(f'\t{{ "{vendor.get("name")}", "{vendor.get("string")}" }},')
    print("};\nconst unsigned cpu_n_vendors = G_N_ELEMENTS(cpu_vendors);")


if __name__ == "__main__":
    main()
