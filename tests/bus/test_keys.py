"""Keys by every set of codes, as the guest's keyboard shows them to QEMU."""

import pytest

from harness import BusError
from machines import define, definition

pytestmark = pytest.mark.qemu

# The keys Delete and A in each set, by libvirt's numbers of sets.
DELETE_AND_A = [(111, 30), (0xe053, 0x1e), (0xe053, 0x1e), (0xe071, 0x1c), (0x64, 0x1c), (0x75, 0), (0x153, 0x1e), (0x4c, 4),
                (0x2e, 0x41), (0xd3, 0x1e)]


@pytest.fixture
def machine(client):
    machine = define(client, definition("typed"))
    machine.create()
    yield machine
    machine.destroy()


@pytest.mark.parametrize("codeset", range(10))
def test_every_set(machine, codeset):
    machine.call("SendKey", "uuauu", codeset, 1, list(DELETE_AND_A[codeset]), 0)


def test_what_is_no_key(machine, client):
    for codeset, codes, flags, word in ((0, [], 0, "1 to 16"), (0, [30] * 17, 0, "1 to 16"), (0, [30, 65535], 0, "65535"), (10, [1], 0, "set of key codes 10"),
                                        (0, [30], 1, "flags")):
        with pytest.raises(BusError) as e:
            machine.call("SendKey", "uuauu", codeset, 0, codes, flags)
        assert word in e.value.message
    stopped = define(client, definition("silent"))
    with pytest.raises(BusError) as e:
        stopped.call("SendKey", "uuauu", 0, 0, [30], 0)
    assert "not running" in e.value.message


def test_control_and_sleep(machine, client):
    state, cause, _since = machine.call("GetControlInfo", "u", 0)
    assert (state, cause) == (0, 0)
    assert machine.call("GetSecurityLabelList") == []
    for call, word in ((("PMWakeup", "u", 0), "sleep"), (("SendProcessSignal", "xuu", 1, 9, 0), "SendProcessSignal"), (("GetControlInfo", "u", 1), "flags")):
        with pytest.raises(BusError) as e:
            machine.call(*call)
        assert word in e.value.message
    stopped = define(client, definition("off"))
    with pytest.raises(BusError):
        stopped.call("GetControlInfo", "u", 0)
