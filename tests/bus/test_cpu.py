"""CPUs and what machines can have: models compared, their baseline, and the capabilities of the real QEMU."""

import os
from xml.etree import ElementTree

import pytest

from harness import BusError
from machines import CONNECT, QEMU

NATIVE = "org.virtbus1.Connect"
INCOMPATIBLE, IDENTICAL, SUPERSET = 0, 1, 2


def connect(client, member, signature="", *arguments, interface=CONNECT):
    return client.call(QEMU, interface, member, signature, *arguments)


def cpu(model, *features, vendor=None, arch="x86_64", **attributes):
    marks = "".join(f" {name}='{value}'" for name, value in attributes.items())
    return (f"<cpu{marks}><arch>{arch}</arch><model>{model}</model>" + (f"<vendor>{vendor}</vendor>" if vendor else "") +
            "".join(f"<feature name='{f}'/>" if isinstance(f, str) else f"<feature policy='{f[0]}' name='{f[1]}'/>"
                    for f in features) + "</cpu>")


def refused(client, member, signature, *arguments, interface=CONNECT):
    with pytest.raises(BusError) as e:
        connect(client, member, signature, *arguments, interface=interface)
    return e.value.message


def features(xml):
    return {f.get("name"): f.get("policy") for f in ElementTree.fromstring(xml).findall("feature")}


def baseline(client, *cpus, flags=0):
    return connect(client, "BaselineCPU", "asu", list(cpus), flags)


def test_baseline(client):
    same = ElementTree.fromstring(baseline(client, cpu("Westmere"), cpu("Westmere")))
    assert same.find("model").text == "Westmere" and same.find("model").get("fallback") == "forbid"
    both = baseline(client, cpu("Nehalem", "aes", "invtsc", "osxsave", vendor="Intel"),
                    cpu("Westmere", "invtsc", "osxsave", vendor="Intel"))
    assert ElementTree.fromstring(both).findtext("model") == "Westmere"
    assert ElementTree.fromstring(both).findtext("vendor") == "Intel"
    assert features(both) == {"invtsc": "require"}  # what the system switches on is nothing of the processor's
    movable = baseline(client, cpu("Westmere", "invtsc"), flags=2)
    assert features(movable) == {}
    assert {"aes", "fpu", "sse4.2"} <= set(features(baseline(client, cpu("Westmere"), flags=1)))


def test_a_baseline_of_what_is_none(client):
    assert "different vendors" in refused(client, "BaselineCPU", "asu", [cpu("Penryn", vendor="Intel"),
                                                                         cpu("Opteron_G3", vendor="AMD")], 0)
    assert "'s390x'" in refused(client, "BaselineCPU", "asu", [cpu("z13", arch="s390x")], 0)
    assert "CPU 1" in refused(client, "BaselineCPU", "asu", [cpu("Penryn"), "<domain/>"], 0)
    assert "'Pentagon'" in refused(client, "BaselineCPU", "asu", [cpu("Pentagon")], 0)
    assert "'warp'" in refused(client, "BaselineCPU", "asu", [cpu("Penryn", "warp")], 0)
    assert "twice" in refused(client, "BaselineCPU", "asu", [cpu("Penryn", "avx", "avx")], 0)
    assert "names no <model>" in refused(client, "BaselineCPU", "asu", ["<cpu><arch>x86_64</arch></cpu>"], 0)
    assert "of the vendor Intel, not AMD" in refused(client, "BaselineCPU", "asu", [cpu("Penryn", vendor="AMD")], 0)
    assert "0 CPUs" in refused(client, "BaselineCPU", "asu", [], 0)
    assert "4" in refused(client, "BaselineCPU", "asu", [cpu("Penryn")], 4)
    refused(client, "BaselineCPU", "asu", ["<cpu><model>Pen"], 0)


def host_cpu(client):
    return ElementTree.tostring(ElementTree.fromstring(connect(client, "GetCapabilities")).find("host/cpu")).decode()


def compare(client, xml, flags=0):
    return connect(client, "CompareCPU", "su", xml, flags)


def test_compare_with_the_host(client):
    assert ElementTree.fromstring(host_cpu(client)).findtext("model")
    assert compare(client, host_cpu(client)) in (IDENTICAL, SUPERSET)
    assert compare(client, connect(client, "GetCapabilities")) in (IDENTICAL, SUPERSET)
    assert compare(client, cpu("486")) == SUPERSET
    assert compare(client, cpu("486", match="strict")) == INCOMPATIBLE
    assert compare(client, cpu("486", ("forbid", "fpu"))) == INCOMPATIBLE
    assert compare(client, cpu("486", ("require", "tbm"), ("require", "xop"), ("require", "3dnow"))) == INCOMPATIBLE
    assert compare(client, cpu("486", ("optional", "tbm"), ("force", "3dnow"), ("disable", "fpu"))) == SUPERSET
    assert "tbm" in refused(client, "CompareCPU", "su", cpu("486", "tbm", "3dnow"), 1)
    assert "Hygon" in refused(client, "CompareCPU", "su", cpu("486", vendor="Hygon"), 1)
    assert "VALIDATE_XML" in refused(client, "CompareCPU", "su", cpu("486"), 2)
    assert "<domain>" in refused(client, "CompareCPU", "su", "<domain/>", 0)
    assert "4" in refused(client, "CompareCPU", "su", cpu("486"), 4)


def domain_capabilities(client, *arguments):
    return ElementTree.fromstring(connect(client, "GetDomainCapabilities", "ssssu", *(arguments or ("", "", "", "")), 0))


def values(tree, path):
    return [value.text for value in tree.findall(path + "/value")]


def test_domain_capabilities(client):
    tree = domain_capabilities(client, "", "x86_64", "q35", "qemu")
    assert tree.findtext("path").endswith("/qemu-system-x86_64") and tree.findtext("domain") == "qemu"
    assert tree.findtext("machine").startswith("pc-q35-") and int(tree.find("vcpu").get("max")) >= 8
    assert {"ide", "virtio", "sata"} <= set(values(tree, "devices/disk/enum[@name='bus']"))
    if os.path.exists("/usr/share/qemu/firmware/60-edk2-x86_64.json"):
        assert "efi" in values(tree, "os/enum[@name='firmware']")
        assert "/usr/share/OVMF/OVMF_CODE_4M.fd" in [value.text for value in tree.findall("os/loader/value")]
    assert "vnc" in values(tree, "devices/graphics/enum[@name='type']")
    assert tree.find("cpu/mode[@name='host-passthrough']").get("supported") == "no"
    models = {m.text: m for m in tree.findall("cpu/mode[@name='custom']/model")}
    assert models["qemu64"].get("usable") == "yes" and models["EPYC"].get("vendor") == "AMD"
    assert "max" not in models and "EPYC-v1" not in models
    assert domain_capabilities(client).findtext("machine").startswith("pc-i440fx-")


def test_the_hypervisors_cpu(client):
    tree = domain_capabilities(client, "", "x86_64", "", "qemu")
    which = ("", "x86_64", "", "qemu")
    assert tree.find("cpu/mode[@name='host-model']/model") is not None

    def compare_hypervisor(xml, flags=0):
        return connect(client, "CompareHypervisorCPU", "sssssu", *which, xml, flags, interface=NATIVE)

    assert compare_hypervisor(ElementTree.tostring(tree).decode()) in (IDENTICAL, SUPERSET)
    assert compare_hypervisor(cpu("qemu64")) == SUPERSET
    assert compare_hypervisor(cpu("qemu64", "avx512f")) == INCOMPATIBLE  # TCG of QEMU 7.2 has none
    assert "avx512f" in refused(client, "CompareHypervisorCPU", "sssssu", *which, cpu("qemu64", "avx512f"), 1,
                                interface=NATIVE)
    both = connect(client, "BaselineHypervisorCPU", "ssssasu", *which, [cpu("Skylake-Server")], 0, interface=NATIVE)
    model = ElementTree.fromstring(both).findtext("model")
    assert tree.find(f"cpu/mode[@name='custom']/model[.='{model}']").get("usable") == "yes"
    assert "avx512f" not in features(both)
    assert compare_hypervisor(both) in (IDENTICAL, SUPERSET)


@pytest.mark.parametrize("arguments, word", [
    (("", "z80", "", ""), "qemu-system-z80"),
    (("", "x86_64", "pdp11", ""), "'pdp11'"),
    (("", "x86_64", "", "xen"), "'xen'"),
    (("/usr/bin/qemu-system-x86_64", "aarch64", "", ""), "'aarch64'"),
    (("qemu", "", "", ""), "absolute"),
])
def test_a_hypervisor_that_is_not_there(client, arguments, word):
    assert word in refused(client, "GetDomainCapabilities", "ssssu", *arguments, 0)
    assert word in refused(client, "CompareHypervisorCPU", "sssssu", *arguments, cpu("486"), 0, interface=NATIVE)
