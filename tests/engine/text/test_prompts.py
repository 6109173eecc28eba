"""Prompts: encoded once, beside the stream; blended with their length kept."""

import dataclasses
import threading

import pytest
import torch

from engine.caches.prompt_cache import PromptCache
from engine.params import ChunkParams
from engine.text.prompts import KEPT_TEXTS, PromptBook, blend, blend_spherical
from tests.engine.tiny import TINY, tiny_transformer
from tests.servers.process import wait_until


class SlowEncoder:
    """Encodes a text as random rows; "slow" texts wait for `gate`."""

    def __init__(self):
        self.gate = threading.Event()
        self.calls = []

    def encode(self, text):
        self.calls.append(text)
        if text.startswith("slow"):
            assert self.gate.wait(10)
        generator = torch.Generator().manual_seed(sum(text.encode()))
        return torch.randn(TINY.text_len, TINY.text_dim, generator=generator)


@pytest.fixture
def encoder():
    return SlowEncoder()


@pytest.fixture
def book(encoder):
    book = PromptBook(encoder)
    yield book
    encoder.gate.set()
    book.close()


@pytest.fixture
def cache(book):
    return PromptCache(tiny_transformer(), book, torch.device("cpu"), torch.float32)


def params(*texts, weights=(1.0,), mode="linear"):
    return dataclasses.replace(ChunkParams().with_prompts(texts, weights), blend_mode=mode)


def test_a_text_is_encoded_once_and_a_weight_change_never_encodes(cache, encoder):
    for weight in (0.0, 0.25, 0.5, 1.0):
        cache.select(params("ink", "fire", weights=(1.0, weight)))
    assert sorted(text for text in encoder.calls if text) == ["fire", "ink"]


def test_a_pad_keeps_its_old_text_until_the_new_one_is_encoded(cache, encoder, book):
    old = cache.select(params("ink"))
    waiting = cache.select(params("slow river"))
    assert waiting is old
    assert cache.on_screen[0] == "ink"
    assert cache.waiting == (1,)
    encoder.gate.set()
    book.encode_now("slow river")
    assert cache.select(params("slow river")) is not old
    assert cache.on_screen[0] == "slow river"
    assert cache.waiting == ()


def test_a_text_that_cannot_be_encoded_says_so_and_never_plays(cache, encoder, book):
    playing = cache.select(params("ink"))
    encoder.gate.set()
    encoder.encode = lambda text: 1 / 0
    book.request("broken")
    book._pool.shutdown(wait=True)
    assert "'broken' cannot be encoded: division by zero" in book.failure("broken")
    assert not book.is_ready("broken")
    assert book.failure("ink") == ""
    assert cache.select(params("broken")) is playing


def test_a_flood_of_texts_keeps_what_the_pads_hold_and_the_latest(cache, encoder, book):
    cache.select(params("ink", "fire"))
    for number in range(2 * KEPT_TEXTS):
        book.encode_now(f"text {number}")
    encoder.calls.clear()
    cache.select(params("ink", "fire", weights=(0.3, 0.7, 0.0, 0.0)))
    book.encode_now(f"text {KEPT_TEXTS}")
    assert encoder.calls == []
    assert not book.is_ready("text 0")
    assert book.encode_now("text 0").shape == (TINY.text_len, TINY.text_dim)
    assert len(book._futures) == KEPT_TEXTS + 3  # and the pads' own: "ink", "fire" and the empty one


def test_zeros_past_a_prompts_end_are_not_kept_but_given(encoder, book):
    encoder.encode = lambda text: torch.tensor([[1.0, 2.0], [0.0, 0.0], [0.0, 3.0], [0.0, 0.0]]) * len(text)
    assert book.encode_now("ab").tolist() == [[2.0, 4.0], [0.0, 0.0], [0.0, 6.0], [0.0, 0.0]]
    assert book.encode_now("").tolist() == [[0.0, 0.0]] * 4
    assert [len(future.result()[0]) for future in book._futures.values()] == [3, 0]


def test_texts_dropped_before_their_turn_are_never_encoded(encoder, book):
    book.request("slow start")
    for number in range(2 * KEPT_TEXTS):
        book.request(f"text {number}")
    assert not book.is_ready("text 0")
    assert book.failure("text 0") == ""
    encoder.gate.set()
    book.encode_now(f"text {2 * KEPT_TEXTS - 1}")
    assert len(encoder.calls) <= KEPT_TEXTS + 1


def test_a_text_that_is_dropped_while_it_is_waited_for_is_encoded_all_the_same(encoder, book):
    book.request("slow start")
    found = []
    waiting = threading.Thread(target=lambda: found.append(book.encode_now("wanted")))
    waiting.start()
    while "wanted" not in book._futures:
        waiting.join(0.01)
    for number in range(KEPT_TEXTS):
        book.request(f"text {number}")
    encoder.gate.set()
    waiting.join(10)
    assert len(found) == 1


def test_every_weight_at_zero_plays_the_last_blend_on(cache):
    playing = cache.select(params("ink"))
    assert cache.select(params("ink", weights=(0.0,))) is playing


@pytest.mark.parametrize("mode", ["linear", "spherical"])
def test_a_blend_keeps_the_length_of_what_it_blends(mode):
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 4, 8, generator=generator)
    b = b * 3.0
    mixed = blend([a, b], [1.0, 1.0], mode)
    assert mixed.norm().item() == pytest.approx((a.norm() + b.norm()).item() / 2, rel=1e-5)
    assert torch.equal(blend([a, b], [0.7, 0.0], mode), a)


def test_spherical_blend_walks_the_great_circle_at_constant_speed():
    a, b = torch.eye(2)
    quarter = blend_spherical([a, b], [0.75, 0.25])
    assert torch.allclose(quarter, torch.tensor([torch.pi / 8]).cos() * a + torch.tensor([torch.pi / 8]).sin() * b)


def test_spherical_blend_of_opposites_and_equals_is_finite():
    a = torch.ones(2, 3)
    assert torch.allclose(blend([a, a], [0.5, 0.5], "spherical"), a)
    assert torch.isfinite(blend([a, -a], [0.6, 0.4], "spherical")).all()


def test_a_blend_needs_a_weight():
    with pytest.raises(ValueError, match="weight above 0"):
        blend([torch.ones(1, 1)], [0.0], "linear")


class Slow:
    """Takes its time, and keeps the order it was asked in."""

    def __init__(self):
        self.asked, self.go = [], threading.Event()

    def encode(self, text):
        self.go.wait(10)
        self.asked.append(text)
        return torch.ones(2, 2)


def test_texts_asked_for_ahead_wait_for_those_that_are_wanted_now():
    encoder = Slow()
    book = PromptBook(encoder)
    book.request_ahead(["later 1", "later 2", "later 3"])
    for text in ("now 1", "now 2"):
        book.request(text)
    encoder.go.set()
    book.encode_now("now 2")
    assert encoder.asked[:3] == ["later 1", "now 1", "now 2"]  # the first was under way
    wait_until(lambda: book.is_ready("later 3"), "every text is encoded", 20, 0.01)
    book.request_ahead(["later 2", "later 4"])
    wait_until(lambda: book.is_ready("later 4"), "every text is encoded", 20, 0.01)
    assert encoder.asked[3:] == ["later 2", "later 3", "later 4"]
    book.close()


def test_a_flood_of_texts_ahead_drops_none_that_is_held():
    book = PromptBook(Slow())
    book._encoder.go.set()
    book.hold(["held"])
    book.encode_now("held")
    book.request_ahead([f"text {n}" for n in range(2 * KEPT_TEXTS)])
    wait_until(lambda: book.is_ready(f"text {2 * KEPT_TEXTS - 1}"), "every text is encoded", 20, 0.01)
    assert book.is_ready("held")
    book.close()
