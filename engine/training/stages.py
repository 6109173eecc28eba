"""The stages there are, by name: where each is, and what it does in a few words. Imports none of them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from engine.training.stage import Job, Stage


@dataclass(frozen=True)
class Place:
    """Module of a stage, which has a `STAGE`, and a line of help."""

    module: str
    help: str


STAGES: dict[str, Place] = {
    "autoencoder": Place("engine.training.autoencoder", "the tiny video autoencoder, on drawn clips"),
    "text": Place("engine.training.text_heads", "the n-gram text encoder, on captions"),
    "model": Place("engine.training.run_model", "a preset of the run's own files, for later stages and `vj run`"),
    "bank": Place("engine.training.bank", "drawn clips as latents on disk, for teacher and causal"),
    "teacher": Place("engine.training.objectives.flow_matching", "bidirectional flow matching"),
    "causal": Place("engine.training.objectives.causal", "the block-causal student, at the sampler's own steps"),
    "vace-bank": Place("engine.training.guided.bank", "drawn clips with what guides them, for vace"),
    "vace": Place("engine.training.objectives.vace", "the branch that guides a model by control video and masks"),
    "few-step-teacher": Place("engine.training.objectives.few_step", "bidirectional distribution matching to 4 steps"),
    "ode-pairs": Place("engine.training.objectives.ode_pairs", "trajectories of a teacher on disk, for ode"),
    "ode": Place("engine.training.objectives.ode", "block-causal regression of the student to trajectories"),
    "redmd": Place("engine.training.objectives.redmd", "rewarded distribution matching on the model's own streams"),
    "contrast": Place("engine.training.objectives.contrast", "the text-frame model, a reward without downloads"),
    "last-frame": Place(
        "engine.training.objectives.last_frame", "a reward on the last frame of the model's own stream"
    ),
    "random-frame": Place("engine.training.objectives.random_frame", "the same on a random frame, for comparison"),
    "compare": Place("engine.evaluation.comparison", "several transformers of a run on the same held-out captions"),
    "curves": Place("engine.training.curves", "figures and losses of every stage of a run, as JSON and as plots"),
    "classifier": Place("engine.evaluation.classifier_training", "the judge of `vj evaluate`, never a reward"),
    "reward-lora": Place("engine.training.objectives.reward_lora", "a reward, propagated back into a LoRA"),
}


def load_stage(name: str) -> Stage | Job:
    """Import a stage. Raises ModuleNotFoundError for one that is not written yet."""
    return importlib.import_module(STAGES[name].module).STAGE
