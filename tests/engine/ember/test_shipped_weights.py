"""The shipped model: small, of the announced shape; its stream moves, keeps its light and has the colour asked for."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

import engine.ember
from engine.ember.weights import read_autoencoder, read_text_encoder, read_transformer
from engine.generator_loading import load_generator
from engine.lora.slots import lora_values
from engine.model.config import EMBER
from engine.model_presets import load_preset
from engine.params import ChunkParams
from engine.rewards.loading import load_reward, reward_dimension
from engine.vae.tiny_vae import preset
from tests.long import ember_stream

FOLDER = Path(engine.ember.__file__).parent
PROMPT = "teal aurora"
SMALL = (160, 96)  # legal, and a third of the work of the native size


def _frames(prompt: str, chunks: int = 4, loras: tuple[str, ...] = ()) -> np.ndarray:
    """Frames (T, H, W, 3) in 0..1 of a short stream."""
    generator = load_generator(load_preset("ember"), width=SMALL[0], height=SMALL[1], device="cpu", dtype="float32")
    params = ChunkParams.from_values(lora_values(loras)).with_prompts((prompt,))
    params = dataclasses.replace(params, seed=3)
    try:
        generator.load_loras(params)
        return np.concatenate([generator.generate_chunk(params).frames[..., :3] for _ in range(chunks)]) / 255.0
    finally:
        generator.close()


def test_the_files_stay_within_their_budget() -> None:
    sizes = {path.name: path.stat().st_size / 1e6 for path in FOLDER.glob("*.safetensors")}
    base = {"transformer.safetensors", "autoencoder.safetensors", "text.safetensors"}
    assert set(sizes) == base | {"vace.safetensors"}
    assert max(sizes.values()) < 20
    assert sum(sizes[name] for name in base) < 28
    assert sizes["vace.safetensors"] < 9
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.safetensors")) < 45e6


def test_the_files_hold_what_the_configurations_say() -> None:
    assert read_transformer(FOLDER).config == EMBER
    assert read_autoencoder(FOLDER).config == preset("ember")
    assert read_text_encoder(FOLDER).encode("black ink").shape == (EMBER.text_len, EMBER.text_dim)
    assert load_preset("ember").transformer == EMBER


@pytest.mark.parametrize(("prompt", "channel"), [("red plasma", 0), ("green smoke", 1), ("deep blue cells", 2)])
def test_the_colour_is_the_one_asked_for(prompt: str, channel: int) -> None:
    means = _frames(prompt).mean(axis=(0, 1, 2))
    assert means.argmax() == channel


@pytest.fixture(scope="module")
def plain() -> np.ndarray:
    """A short stream without LoRAs."""
    return _frames(PROMPT, 2)


@pytest.mark.parametrize("reward", ["looks:colour", "looks:contrast", "looks:sharpness", "motion"])
def test_its_loras_are_found_by_name_and_raise_what_they_were_trained_for(reward: str, plain: np.ndarray) -> None:
    names = {"colour": "vivid", "contrast": "stark", "sharpness": "crisp", "motion": "restless"}
    name = names[reward.removeprefix("looks:")]

    def score(frames: np.ndarray) -> float:
        clip = torch.from_numpy(frames).permute(0, 3, 1, 2)[None].float()
        return float(load_reward(reward, FOLDER).score(clip, [PROMPT])[reward_dimension(reward)])

    assert score(_frames(PROMPT, 2, (name,))) > score(plain) + 0.02


def test_ink_is_dark_on_bright_water() -> None:
    frames = _frames("a drop of black ink blooms in clear water")
    assert frames.mean() > 0.45
    assert frames[-1].min() < 0.25


def test_a_short_stream_moves_and_keeps_its_light() -> None:
    prompt = ember_stream.PROMPTS[0]
    figures = ember_stream.run(seconds=2 * ember_stream.REFERENCE_S, prompts=(prompt,), size=SMALL)
    assert figures[f"{prompt}: least_motion"] > ember_stream.SMALLEST_MOTION


def test_a_change_of_prompt_is_seen_within_two_chunks() -> None:
    def frames_after_change(prompt: str) -> np.ndarray:
        generator = load_generator(load_preset("ember"), width=SMALL[0], height=SMALL[1], device="cpu", dtype="float32")
        try:
            params = dataclasses.replace(ChunkParams().with_prompts(("red plasma",)), seed=3)
            for _ in range(3):
                generator.generate_chunk(params)
            generator.prompts.encode_now(prompt)
            changed = params.with_prompts((prompt,))
            return np.concatenate([generator.generate_chunk(changed).frames[..., :3] for _ in range(2)]) / 255.0
        finally:
            generator.close()

    before, after = frames_after_change("red plasma"), frames_after_change("deep blue plasma")
    # red less blue at the end of the second chunk: it has turned, with the same noise and the same past
    assert (before[-1, ..., 0] - before[-1, ..., 2]).mean() > 0.15
    assert (after[-1, ..., 0] - after[-1, ..., 2]).mean() < 0.0
