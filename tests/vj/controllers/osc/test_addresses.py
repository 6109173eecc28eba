"""Which parameters an address or a pattern means, and what a hostile pattern costs."""

import time

import pytest

from engine.params import PROMPT_PADS
from vj.controllers.osc.addresses import TARGETS, find_targets
from vj.controllers.osc.params import OUT_ADDRESS
from vj.parameters import ALL_PARAMETERS, PARAMETERS


@pytest.mark.parametrize("suffix_of", ["/vj/seed/value", "/vj/output/blackout", "/vj/prompt/1/text", "/vj/cut/hard"])
def test_only_continuous_parameters_have_units(suffix_of):
    assert find_targets(f"{suffix_of}/raw") == ()


@pytest.mark.parametrize(
    ("pattern", "addresses"),
    [
        ("/vj/prompt/*/weight", [f"/vj/prompt/{n}/weight" for n in range(1, PROMPT_PADS + 1)]),
        ("/vj/prompt/[2-3]/weight", ["/vj/prompt/2/weight", "/vj/prompt/3/weight"]),
        ("/vj/prompt/[!2-9]/text", ["/vj/prompt/1/text"]),
        ("/vj/cut/{hard,soft}", ["/vj/cut/hard", "/vj/cut/soft"]),
        ("/vj/outpu?/level", ["/vj/output/level"]),
        ("/vj/*", []),
        ("/vj/[", []),
        ("/vj/{", []),
        ("*" * 5000, []),
    ],
)
def test_patterns_mean_what_osc_says(pattern, addresses):
    assert [target.address for target in find_targets(pattern)] == addresses


@pytest.mark.parametrize(
    "pattern",
    [
        "/vj/" + "{,}" * 80 + "x",
        "/" + "".join(f"{{{c},{c},{c}}}" for c in "vj/prompt/1/text") + "x",
        "/vj/" + "*?" * 99,
    ],
)
def test_a_hostile_pattern_costs_no_time(pattern):
    began_s = time.monotonic()
    assert find_targets(pattern) == ()
    assert time.monotonic() - began_s < 2.0


def test_targets_cover_the_table_but_what_a_network_must_not_redirect():
    assert {target.address for target in TARGETS.values()} == set(ALL_PARAMETERS) - {OUT_ADDRESS}
    assert {f"{a}/raw" for a, p in PARAMETERS.items() if p.kind == "float"} <= set(TARGETS)
