"""The table has no gaps and the store hands out whole moments from any thread."""

import threading

import pytest

from vj.parameters import ALL_PARAMETERS, PARAMETERS, TRIGGERS, ParameterStore, UnknownAddressError, find_parameter


@pytest.mark.parametrize("parameter", ALL_PARAMETERS.values(), ids=lambda parameter: parameter.address)
def test_every_parameter_has_help_and_a_default_inside_its_range(parameter):
    assert parameter.address.startswith("/vj/")
    assert len(parameter.help) > 15
    assert parameter.help.endswith(".")
    assert parameter.coerce(parameter.default) == parameter.default
    if parameter.kind in ("float", "int"):
        assert parameter.minimum is not None and parameter.maximum is not None
        assert parameter.minimum < parameter.maximum
    if parameter.kind == "choice":
        assert parameter.default in parameter.choices


def test_values_and_triggers_do_not_overlap():
    assert not set(PARAMETERS) & set(TRIGGERS)
    assert all(parameter.kind == "trigger" for parameter in TRIGGERS.values())


def test_store_starts_with_the_defaults_and_no_mover():
    store = ParameterStore()
    assert store.version == 0
    assert store.snapshot() == {address: parameter.default for address, parameter in PARAMETERS.items()}
    assert store.moved_by("/vj/seed/value") is None


def test_set_clamps_counts_and_remembers_the_mover():
    store = ParameterStore()
    assert store.set("/vj/prompt/2/weight", 7, "midi box") == 1.0
    assert store.get("/vj/prompt/2/weight") == 1.0
    assert store.version == 1
    assert store.moved_by("/vj/prompt/2/weight").source == "midi box"


def test_setting_the_same_value_moves_nobody_elses_version():
    store = ParameterStore()
    store.set("/vj/seed/value", 5, "panel")
    store.set("/vj/seed/value", 5, "osc")
    assert store.version == 1
    assert store.moved_by("/vj/seed/value").source == "osc"


def test_a_snapshot_never_changes():
    store = ParameterStore()
    before = store.snapshot()
    store.set("/vj/seed/value", 5, "panel")
    assert before["/vj/seed/value"] == 0
    with pytest.raises(TypeError):
        before["/vj/seed/value"] = 1


def test_set_many_is_all_or_nothing():
    store = ParameterStore()
    with pytest.raises(ValueError, match="not a number"):
        store.set_many({"/vj/seed/value": 5, "/vj/prompt/1/weight": "loud"}, "look")
    assert store.version == 0
    assert store.get("/vj/seed/value") == 0


def test_a_text_holds_what_utf_8_can_hold():
    assert ParameterStore().set("/vj/prompt/1/text", "ink \ud800 in water", "osc") == "ink ? in water"


@pytest.mark.parametrize("call", [lambda s, a: s.get(a), lambda s, a: s.set(a, 1, "x"), lambda s, a: find_parameter(a)])
def test_unknown_addresses_name_the_nearest(call):
    with pytest.raises(UnknownAddressError, match="did you mean '/vj/seed/value'"):
        call(ParameterStore(), "/vj/seed/valve")


def test_readers_never_see_half_a_write():
    store = ParameterStore()
    torn: list[object] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            values = store.snapshot()
            if values["/vj/prompt/3/weight"] != values["/vj/prompt/4/weight"]:
                torn.append(values)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()

    def write(offset: int) -> None:
        for k in range(400):
            weight = ((k + offset) % 100) / 100
            store.set_many({"/vj/prompt/3/weight": weight, "/vj/prompt/4/weight": weight}, "test")

    writers = [threading.Thread(target=write, args=(offset,)) for offset in (0, 50)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    is_over.set()
    for reader in readers:
        reader.join()
    assert not torn
