"""Templates: what other programs are told in their own words, over real ports, and what their files may say."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.vj.controllers.osc.rig import ANY_PORT, Ear, Show, wait_until
from vj.controllers.osc.network import OscOptions
from vj.controllers.osc.template import Template
from vj.controllers.osc.template_files import load_template
from vj.shipped_files import OSC_TEMPLATES, list_files
from vj.written_files import FileError

SHIPPED = list_files(OSC_TEMPLATES)


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()


@pytest.fixture
def play(ear: Ear, tmp_path: Path) -> Iterator[Callable[[str], Show]]:
    """Start a show that talks to the ear through the template written in a text."""
    shows = []

    def start(text: str) -> Show:
        path = tmp_path / "mine.toml"
        path.write_text(f"port = {ear.port}\n{text}", "utf-8")
        template, problems = load_template(path)
        assert problems == ()
        shows.append(Show(OscOptions(ANY_PORT, (), (template,))))
        return shows[-1]

    yield start
    for show in shows:
        show.close()


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_templates_have_no_problems(name: str):
    template, problems = load_template(SHIPPED[name])
    assert problems == ()
    assert template.name == name
    assert template.port


def test_resolume_is_told_in_its_own_words(ear: Ear):
    shipped, _ = load_template(SHIPPED["resolume"])
    template = Template("resolume", "127.0.0.1", ear.port, False, shipped.sends, shipped.receives)
    show = Show(OscOptions(ANY_PORT, (), (template,)))
    try:
        wait_until(lambda: ear.value("/composition/layers/1/video/opacity") == 1.0)
        assert ear.value("/composition/layers/2/video/opacity") == 0.0
        show.controls.set("/vj/prompt/2/weight", 0.5, "panel")
        wait_until(lambda: ear.value("/composition/layers/2/video/opacity") == 0.5)
        began_s = time.monotonic()
        show.controls.trigger("/vj/look/3/recall", "panel")
        wait_until(lambda: ear.heard("/composition/columns/3/connect") == [1, 0])
        assert time.monotonic() - began_s > 0.04, "Resolume may overlook a press this short"
        assert all(type(number) is int for number in ear.heard("/composition/columns/3/connect"))
        show.controls.trigger("/vj/cut/hard", "panel")
        wait_until(lambda: ear.heard("/composition/layers/1/connectnextclip") == [1, 0])
        wait_until(lambda: len(ear.heard("/composition/tempocontroller/tempotap")) >= 4)
        assert not [address for address, _ in ear.all if not address.startswith("/composition/")]
    finally:
        show.close()


def test_what_resolume_says_moves_us_and_is_not_said_back(ear: Ear):
    shipped, _ = load_template(SHIPPED["resolume"])
    template = Template("resolume", "127.0.0.1", ear.port, False, shipped.sends, shipped.receives)
    show = Show(OscOptions(ANY_PORT, (), (template,)))
    try:
        wait_until(lambda: ear.value("/composition/layers/2/video/opacity") == 0.0)
        ear.forget()
        show.send("/composition/layers/2/video/opacity", 0.75)
        wait_until(lambda: show.values()["/vj/prompt/2/weight"] == 0.75)
        assert show.controls.moved_by("/vj/prompt/2/weight").source == "osc 127.0.0.1 resolume"
        time.sleep(0.15)
        assert ear.heard("/composition/layers/2/video/opacity") == []
        # another program on the same computer is no echo
        show.send("/vj/prompt/3/weight", 0.25)
        wait_until(lambda: ear.value("/composition/layers/3/video/opacity") == 0.25)
    finally:
        show.close()


def test_touchdesigner_is_told_everything_and_heard_by_short_names(ear: Ear):
    shipped, _ = load_template(SHIPPED["touchdesigner"])
    template = Template("touchdesigner", "127.0.0.1", ear.port, True, shipped.sends, shipped.receives)
    show = Show(OscOptions(ANY_PORT, (), (template,)))
    try:
        wait_until(lambda: ear.value("/vj/prompt/1/weight") == 1.0 and "/vj/state/beat/phase" in ear.newest)
        show.send("/pad3", 0.5)
        show.send("/bpm", 140.0)
        wait_until(lambda: show.values()["/vj/prompt/3/weight"] == 0.5)
        wait_until(lambda: show.values()["/vj/clock/bpm"] == 140.0)
    finally:
        show.close()


def test_forms_ranges_and_conditions(play: Callable[[str], Show], ear: Ear):
    show = play("""
        send = [
            { from = "/vj/output/level", to = "/fader", low = 100, high = 0, type = "int" },
            { from = "/vj/effect/zoom", to = "/zoom", as = "value" },
            { from = "/vj/prompt/blend", to = "/blend/name", as = "text" },
            { from = "/vj/prompt/blend", to = "/blend/number" },
            { from = "/vj/prompt/blend", to = "/blend/round", as = "press", when = "spherical", type = "float" },
            { from = "/vj/prompt/1/text", to = "/title" },
            { from = "/vj/model/steps", to = "/steps", as = "position" },
            { from = "/vj/output/blackout", to = "/dark", as = "press" },
        ]""")
    wait_until(lambda: ear.value("/fader") == 0 and ear.value("/zoom") == 1.0 and ear.value("/steps") == 1.0)
    show.controls.set_many(
        {
            "/vj/output/level": 0.25,
            "/vj/effect/zoom": 3.0,
            "/vj/prompt/blend": "spherical",
            "/vj/prompt/1/text": "ink",
            "/vj/output/blackout": True,
        },
        "panel",
    )
    wait_until(lambda: ear.heard("/blend/round") == [1.0, 0.0] and ear.heard("/dark") == [1, 0])
    assert ear.value("/fader") == 75
    assert ear.value("/zoom") == 3.0
    assert (ear.value("/blend/name"), ear.value("/blend/number")) == ("spherical", 1.0)
    assert ear.value("/title") == "ink"
    show.controls.set_many({"/vj/prompt/blend": "linear", "/vj/output/blackout": False}, "panel")
    wait_until(lambda: ear.value("/blend/name") == "linear")
    time.sleep(0.1)
    assert ear.heard("/blend/round") == [1.0, 0.0]
    assert ear.heard("/dark") == [1, 0]


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('sned = []\nsend = [{from = "/vj/output/level", to = "/a"}]', "sned", "did you mean 'send'"),
        ('send = [{from = "/vj/output/levl", to = "/a"}]', "send 1.from", "did you mean '/vj/output/level'"),
        ('send = [{from = "/vj/state/beat/faze", to = "/a"}]', "send 1.from", "did you mean '/vj/state/beat/phase'"),
        ('send = [{from = "/vj/output/level", to = "a b"}]', "send 1.to", "is no OSC address"),
        ('send = [{from = "/vj/output/level"}]', "send 1", 'needs from = "/..." and to'),
        ('send = [{from = "/vj/output/level", to = "/a", as = "presss"}]', "send 1.as", "did you mean 'press'"),
        ('send = [{from = "/vj/cut/hard", to = "/a", as = "value"}]', "send 1.as", "write 'press'"),
        ('send = [{from = "/vj/output/level", to = "/a", low = "x"}]', "send 1.low", "must be a number, not 'x'"),
        ('send = [{from = "/vj/output/level", to = "/a", when = 1}]', "send 1.when", "means nothing without"),
        ('send = [{from = "/vj/prompt/{n}/weight", to = "/a{n}"}]', "send 1.n", "such as [1, 4]"),
        ('send = [{from = "/vj/prompt/{n}/weight", to = "/a{n}", n = [4, 1]}]', "send 1.n", "not [4, 1]"),
        (
            'send = [{from = "/vj/prompt/{n}/weight", to = "/a{n}", n = [1, 17]}]',
            "send 1.from",
            "'/vj/prompt/17/weight'",
        ),
        ('send = [{from = "/vj/output/level", to = "/a", n = [1, 4]}]', "send 1.n", "means nothing"),
        ('send = [7, {from = "/vj/output/level", to = "/a"}]', "send 1", "must be a table, not 7"),
        ('receive = [{from = "/a", to = "/vj/output/levl"}]', "receive 1.to", "did you mean '/vj/output/level'"),
        ('receive = [{from = "/vj/cut/hard", to = "/vj/cut/soft"}]', "receive 1.from", "keeps its meaning"),
    ],
)
def test_a_wrong_line_is_told_and_the_rest_plays(tmp_path: Path, text: str, key: str, words: str):
    path = tmp_path / "bad.toml"
    path.write_text(f"port = 7000\neverything = true\n{text}\n", "utf-8")
    _, problems = load_template(path)
    assert [problem.key for problem in problems] == [key]
    assert words in problems[0].sentence


@pytest.mark.parametrize("port", ["", "port = 0", "port = 70000", "port = '7000'"])
def test_lines_without_a_port_are_told(tmp_path: Path, port: str):
    path = tmp_path / "bad.toml"
    path.write_text(
        f'{port}\nsend = [{{from = "/vj/output/level", to = "/a"}}]\n'
        'receive = [{from = "/x", to = "/vj/output/level"}]\n'
    )
    template, problems = load_template(path)
    assert template.sends == ()
    assert list(template.receives) == ["/x"]
    assert any("the port the program listens at" in problem.sentence for problem in problems)


@pytest.mark.parametrize("text", ["", "send = 7", "name = 'x'"])
def test_a_file_that_says_nothing_is_an_error(tmp_path: Path, text: str):
    path = tmp_path / "empty.toml"
    path.write_text(text)
    with pytest.raises(FileError, match=r"empty\.toml: says nothing"):
        load_template(path)
