"""That the tests stand on firm ground: the buses, the users and polkit are what the other tests take them for."""

import os
import pwd

import pytest
from gi.repository import GLib

from harness import BUS_NAME, BUS_PATH, BusError, as_user, entry_levels, plain


def caller_uid(client):
    return client.call(BUS_PATH, BUS_NAME, "GetConnectionUnixUser", "s", client.name, destination=BUS_NAME)


def test_session_bus_answers(session_bus):
    client = session_bus.connect()
    assert client.name.startswith(":1.")
    assert caller_uid(client) == os.getuid()


def test_errors_have_name_and_text(session_bus):
    client = session_bus.connect(destination="org.example.Nobody")
    with pytest.raises(BusError) as e:
        client.call("/", "org.example.Nobody", "Method")
    assert e.value.name == "org.freedesktop.DBus.Error.ServiceUnknown"
    assert "org.example.Nobody" in e.value.message


def test_levels_of_variants_are_seen():
    value = GLib.Variant("a{sv}", {"one": GLib.Variant("u", 1), "two": GLib.Variant("v", GLib.Variant("u", 2))})
    assert entry_levels(value) == {"one": 1, "two": 2}
    assert plain(value) == {"one": 1, "two": 2}


@pytest.mark.system
@pytest.mark.parametrize("user", [None, "alice", "libby"])
def test_connections_are_the_users(system_bus, user):
    client = system_bus.connect(user)
    assert caller_uid(client) == (0 if user is None else pwd.getpwnam(user).pw_uid)
    assert os.getuid() == 0 and os.geteuid() == 0


@pytest.mark.system
def test_polkit_answers_for_root_user_and_denied(system_bus, polkit):
    root, alice = system_bus.connect(), system_bus.connect("alice")
    assert polkit.check(root.name, "org.virtbus1.test.denied") == (True, False)
    assert polkit.check(alice.name, "org.virtbus1.test.allowed") == (True, False)
    assert polkit.check(alice.name, "org.virtbus1.test.denied") == (False, False)
    assert polkit.check(alice.name, "org.virtbus1.test.asked") == (False, True)


@pytest.mark.system
def test_polkit_rules_by_user_group_and_detail(system_bus, polkit):
    alice, bob, libby = (system_bus.connect(u) for u in ("alice", "bob", "libby"))
    polkit.rules(
        """ if (action.id == "org.virtbus1.test.denied" && subject.user == "alice" &&
                action.lookup("domain_name") == "web") return polkit.Result.YES; """,
        """ if (action.id == "org.virtbus1.test.denied" && subject.isInGroup("libvirt"))
                return polkit.Result.YES; """)
    action = "org.virtbus1.test.denied"
    assert polkit.check(alice.name, action, {"domain_name": "web"}) == (True, False)
    assert polkit.check(alice.name, action, {"domain_name": "db"}) == (False, False)
    assert polkit.check(bob.name, action, {"domain_name": "web"}) == (False, False)
    assert polkit.check(libby.name, action, {"domain_name": "web"}) == (True, False)


def test_credentials_come_back_after_an_error():
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    with pytest.raises(ZeroDivisionError), as_user("nobody"):
        assert os.geteuid() == pwd.getpwnam("nobody").pw_uid
        1 / 0  # noqa: B018
    assert os.getresuid() == (0, 0, 0)


@pytest.mark.system
def test_a_question_reaches_the_person_and_ends_with_the_asker(system_bus, polkit):
    """polkitd shows an agent the question about another's process, and takes it back when told."""
    from people import Agent, Asker

    asker = Asker("alice", 1, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", "")
    agent = Agent(asker)
    try:
        question = polkit.client.begin(
            "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization",
            "(sa{sv})sa{ss}us", ("system-bus-name", {"name": GLib.Variant("s", asker.name)}),
            "org.virtbus1.test.asked", {}, 1, "question-1")
        begun = agent.wait(lambda lines: [line for line in lines if line.startswith("BEGIN")])
        assert begun[0].split()[1] == "org.virtbus1.test.asked"
        polkit.client.call("/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
                           "CancelCheckAuthorization", "s", "question-1")
        agent.wait(lambda lines: any(line.startswith("CANCEL") for line in lines))
        assert question.result().value[0] is False
        asker.tell()
        asker.wait(lambda lines: "OK" in lines)
    finally:
        agent.end()
        asker.end()
