"""Reward `videoreward`: VideoReward (arXiv:2501.13918): visual quality VQ, motion quality MQ, text alignment TA.

VQ and MQ stand before the prompt in what the model reads, so they cannot depend on it. The questions it was trained
with are its authors' and are downloaded with it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import torch
from torch import Tensor

from engine.rewards.protocol import FramePolicy, RewardError, RewardKind, RewardModel
from engine.rewards.published import PublishedFiles, load_strictly
from engine.rewards.videoreward_model import VideoRewardModel, merged, qwen2_vl_2b
from engine.training.clips.spec import CONTENT_RATE_HZ

PARTS = ("video-reward", "video-reward-questions")
QUESTIONS = "DETAILED_PROMPT_WITH_SPECIAL_TOKEN"
MARKS = ("<|VQ_reward|>", "<|MQ_reward|>", "<|TA_reward|>")
KEYS = ("VQ", "MQ", "TA")
STATISTICS = {"VQ": (3.6757, 2.2476), "MQ": (1.1646, 1.3811), "TA": (2.8105, 2.5121)}  # mean and deviation
PLACE = "{text_prompt}"  # of the prompt in the questions
VIDEO = "<|video_pad|>"
LEAST_FRAMES = 4
RATE_HZ = 2.0  # of the frames it was trained on


class VideoReward(RewardModel):
    """Standardised as published; `videoreward` is the mean of the three."""

    name = "videoreward"
    dimensions = ("videoreward", *KEYS)
    needs_prompt = True
    sees_time = True
    frame_policy = FramePolicy("rate", rate_hz=RATE_HZ)

    def __init__(
        self, model: VideoRewardModel, tokenizer: Path, questions: str, rate_hz: float = CONTENT_RATE_HZ
    ) -> None:
        """`rate_hz` is that of the frames it will be given."""
        from transformers import PreTrainedTokenizerFast

        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self.rate_hz = rate_hz
        self.statistics = dict(STATISTICS)
        self._questions = questions
        self._tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(tokenizer))
        self._video, *self._marks = self._tokenizer.convert_tokens_to_ids([VIDEO, *MARKS])
        if None in (self._video, *self._marks):
            raise RewardError(f"{tokenizer}: it lacks {VIDEO} or one of {', '.join(MARKS)}; download it again")

    def score(self, frames: Tensor, prompts: list[str]) -> dict[str, Tensor]:
        """As `RewardModel.score`; at least four frames of a clip are looked at, as many as it has."""
        self.checked(frames, prompts)
        x = self._policy(frames.shape[1]).take(frames).float()
        raw = torch.stack([self._score_one(clip, prompt) for clip, prompt in zip(x, prompts, strict=True)])
        scores = {}
        for column, key in enumerate(KEYS):
            mean, deviation = self.statistics[key]
            scores[key] = (raw[:, column] - mean) / deviation
        return {"videoreward": torch.stack(tuple(scores.values())).mean(dim=0)} | scores

    def _policy(self, total: int) -> FramePolicy:
        """Its own choice as in training: an even number at the rate, not fewer than four; or what it was told."""
        if self.frame_policy.kind != "rate":
            return self.frame_policy
        return FramePolicy("uniform", max(LEAST_FRAMES, int(total / self.rate_hz * RATE_HZ) // 2 * 2))

    def _score_one(self, frames: Tensor, prompt: str) -> Tensor:
        patches, grid = self.model.patches(frames)
        places = grid[0] * grid[1] * grid[2] // self.model.merge**2
        ids = torch.tensor(self._tokenizer(self._text(places, prompt))["input_ids"], device=frames.device)
        marks = torch.stack([(ids == mark).nonzero()[0, 0] for mark in self._marks])
        return self.model(patches, grid, ids, self._video, marks)

    def _text(self, places: int, prompt: str) -> str:
        """What the model reads: Qwen2-VL's own form of a conversation, the questions filled in by plain replacement."""
        # a prompt must not bring special tokens of its own
        question = self._questions.replace(PLACE, re.sub(r"<\|\w+\|>", "", prompt))
        video = f"<|vision_start|>{VIDEO * places}<|vision_end|>"
        turns = (("system", "You are a helpful assistant."), ("user", video + question))
        return "".join(f"<|im_start|>{who}\n{said}<|im_end|>\n" for who, said in turns) + "<|im_start|>assistant\n"


def read_questions(path: Path) -> str:
    """The text QUESTIONS of the authors' prompt_template.py, which is read and never run. Raises RewardError."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise RewardError(f"{path}: it cannot be read ({error}); download it again") from None
    values = [node.value for node in tree.body if isinstance(node, ast.Assign) and _is_questions(node)]
    texts = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    if not texts or any(wanted not in texts[0] for wanted in (*MARKS, PLACE)):
        raise RewardError(f"{path}: there is no text {QUESTIONS} with the three marks and the prompt in it")
    return texts[0]


def _is_questions(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == QUESTIONS for target in node.targets)


def load_videoreward(folder: Path | None = None, model: VideoRewardModel | None = None) -> VideoReward:
    """Read the published checkpoint; from `folder`, into another model, where given. Raises RewardError."""
    files, questions = (PublishedFiles(part, folder) for part in PARTS)
    settings = files.settings("model_config.json")
    adapter = settings.get("peft_lora_config", {})
    scale = float(adapter.get("lora_alpha", 128)) / float(adapter.get("lora_r", 64))
    weights = merged(files.weights("model.pth"), scale)
    rows = weights.get("model.language_model.embed_tokens.weight", torch.empty(0)).shape[0]
    model = model or VideoRewardModel(qwen2_vl_2b(rows)).to(torch.bfloat16)
    load_strictly(model, weights, str(files.path("model.pth")))
    reward = VideoReward(model, files.path("tokenizer.json"), read_questions(questions.path("prompt_template.py")))
    found = settings.get("inference_config") or {}
    for key in KEYS:
        if f"{key}_mean" in found and f"{key}_std" in found:
            reward.statistics[key] = (float(found[f"{key}_mean"]), float(found[f"{key}_std"]))
    return reward


REWARD = RewardKind(VideoReward, load_videoreward, PARTS)
