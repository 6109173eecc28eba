"""Longer texts from an endpoint: a real server on loopback that is good, slow, refusing or garbled."""

from __future__ import annotations

import time

import pytest

from tests.servers.chat_endpoint import ChatEndpoint
from vj.words.endpoint import Endpoint, EndpointError, ask_endpoint
from vj.words.settings import read_endpoint
from vj.written_files import FileError

PATIENCE_S = 0.5


def ask(server: ChatEndpoint, key_variable: str = "", timeout_s: float = PATIENCE_S) -> str:
    return ask_endpoint(Endpoint(server.url, "small", key_variable, timeout_s), "a fox", 80)


def test_a_good_endpoint_is_asked_with_model_key_and_length(monkeypatch):
    monkeypatch.setenv("TEST_WORDS_KEY", "sesame")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # this computer is not reached through one
    with ChatEndpoint(answer='<think>hm\n</think> "A fox\nin snow."  ') as server:
        assert ask(server, "TEST_WORDS_KEY", 5.0) == "A fox in snow."
    question = server.questions[0]
    assert (question["model"], server.keys) == ("small", ["Bearer sesame"])
    assert question["messages"][1] == {"role": "user", "content": "a fox"}
    assert "80 words" in question["messages"][0]["content"]


@pytest.mark.parametrize(
    ("mood", "sentence"),
    [
        ("slow", "took longer than 0.5 s"),
        ("drip", "took longer than 0.5 s"),
        ("refuse", "refuses: 401 .*is the key right"),
        ("lost", "refuses: 404 .*model's name"),
        ("redirect", "points to http://127.0.0.1:1/elsewhere"),
        ("garbage", "not with a chat completion"),
        ("empty", "no words"),
        ("huge", "more than 1048576 bytes"),
        ("close", "broke off"),
    ],
)
def test_a_bad_endpoint_is_a_sentence_in_time(mood: str, sentence: str):
    with ChatEndpoint(mood) as server:
        began_s = time.monotonic()
        with pytest.raises(EndpointError, match=sentence) as caught:
            ask(server, timeout_s=PATIENCE_S if mood in ("slow", "drip") else 5.0)
        assert time.monotonic() - began_s < 8.0
        assert server.url in str(caught.value)


@pytest.mark.parametrize(
    ("url", "key", "sentence"),
    [
        ("http://127.0.0.1:1/v1", "", "cannot be reached"),
        ("127.0.0.1:8080", "", "is no address"),
        ("http://[", "", "is no address"),
        ("file:///etc/passwd", "", "is no address"),
        ("http://127.0.0.1:1/v1", "TEST_NO_SUCH_KEY", "TEST_NO_SUCH_KEY holds no key"),
        ("http://models.invalid/v1", "TEST_WORDS_KEY", "not sent without https"),
        ("http://127.0.0.1:1/v1", "TEST_BROKEN_KEY", "broke off"),
    ],
)
def test_what_cannot_be_asked_is_said(url: str, key: str, sentence: str, monkeypatch):
    monkeypatch.setenv("TEST_WORDS_KEY", "sesame")
    monkeypatch.setenv("TEST_BROKEN_KEY", "two\nlines")
    with pytest.raises(EndpointError, match=sentence) as caught:
        ask_endpoint(Endpoint(url, "small", key, PATIENCE_S), "a fox", 80)
    assert "sesame" not in str(caught.value)


def test_an_answer_too_long_to_be_a_prompt_is_refused():
    with ChatEndpoint(answer="word " * 1000) as server, pytest.raises(EndpointError, match="4999 characters"):
        ask(server, timeout_s=5.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[extend]\nurl = 5", "extend.url: 5 must be a text"),
        ("[extend]\nurl = 'http://x/v1'", "extend.model: is missing"),
        ("[extend]\nurll = 'x'", "unknown key, did you mean 'url'"),
        ("[extnd]\nurl = 'x'", "unknown table, did you mean 'extend'"),
        ("extend = 3", "must be a table"),
        ("[extend]\nurl = 'x'\nmodel = 'y'\ntimeout_s = 0", "outside 0 to 300 s"),
        ("[extend", "is not TOML"),
    ],
)
def test_a_bad_words_file_is_told_with_file_and_key(tmp_path, text: str, sentence: str):
    path = tmp_path / "words.toml"
    path.write_text(text)
    with pytest.raises(FileError, match=sentence) as caught:
        read_endpoint(path)
    assert str(path) in str(caught.value)


def test_a_words_file_names_the_endpoint_and_none_names_nothing(tmp_path):
    path = tmp_path / "words.toml"
    assert read_endpoint(path) is None
    path.write_text("[extend]\n")
    assert read_endpoint(path) is None
    path.write_text("[extend]\nurl = 'http://x/v1'\nmodel = 'y'\nkey_variable = 'K'\ntimeout_s = 3")
    assert read_endpoint(path) == Endpoint("http://x/v1", "y", "K", 3.0)
