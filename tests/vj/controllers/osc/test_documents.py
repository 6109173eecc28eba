"""The pages on OSC name addresses that exist, every state, and every key of a template."""

import re
from pathlib import Path

import pytest

from vj.controllers.osc.addresses import TARGETS, find_targets
from vj.controllers.osc.output import SUBSCRIBE, UNSUBSCRIBE
from vj.controllers.osc.params import OUT_ADDRESS
from vj.controllers.osc.reports import text_address
from vj.controllers.osc.state import STATE
from vj.controllers.osc.template_files import SEND_KEYS
from vj.parameters import ALL_PARAMETERS

ROOT = Path(__file__).resolve().parents[4]
PAGES = ("docs/osc.md", "docs/resolume.md", "docs/touchdesigner.md", "presets/osc/README.md")
KNOWN = {*TARGETS, *STATE, OUT_ADDRESS, *map(text_address, (*STATE, *ALL_PARAMETERS)), SUBSCRIBE, UNSUBSCRIBE}


@pytest.mark.parametrize("page", PAGES)
def test_addresses_on_a_page_exist(page: str):
    text = (ROOT / page).read_text("utf-8")
    named = {word.rstrip("/.") for word in re.findall(r"(?<![\w/])/?vj/[\w/{}*\[\]\-!,]+", text)}
    wrong = []
    for word in named:
        address = "/" + word.lstrip("/").replace("{n}", "1")
        is_branch = any(known.startswith(address.rstrip("*").rstrip("/") + "/") for known in KNOWN)
        if not (address in KNOWN or is_branch or find_targets(address)):
            wrong.append(word)
    assert named and wrong == []


def test_every_state_is_described():
    text = (ROOT / "docs/osc.md").read_text("utf-8")
    shown = {re.sub(r"/(\d+|low_mid|high_mid)$", "", address) for address in STATE}
    assert [address for address in shown if address not in text] == []


def test_every_key_of_a_template_is_described():
    text = (ROOT / "presets/osc/README.md").read_text("utf-8")
    assert [key for key in SEND_KEYS if f"`{key}`" not in text] == []
