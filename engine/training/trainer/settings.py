"""How a stage is trained, apart from what: tables `[trainer]` and `[optimisers.PART]` of its file."""

from __future__ import annotations

from dataclasses import dataclass

OPTIMISERS = ("adamw", "muon")
NUMBER_TYPES = ("float32", "bfloat16")
EXPORT_TYPES = ("float16", "bfloat16", "float32")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class OptimiserSettings:
    """`[optimisers.PART]`: how one part is stepped. With "muon", what is no matrix takes AdamW at `adam_rate`."""

    kind: str = "adamw"
    rate: float = 2e-6
    beta1: float = 0.0
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    adam_rate: float = 0.001  # muon only

    def __post_init__(self) -> None:
        if self.kind not in OPTIMISERS:
            raise ValueError(f"kind = {self.kind!r} must be one of {', '.join(OPTIMISERS)}")
        if not 0.0 < self.rate < 1.0 or not 0.0 < self.adam_rate < 1.0:
            raise ValueError(f"rate = {self.rate:g} and adam_rate = {self.adam_rate:g} must lie between 0 and 1")
        if not (0.0 <= self.beta1 < 1.0 and 0.0 <= self.beta2 < 1.0):
            raise ValueError(f"beta1 = {self.beta1:g} and beta2 = {self.beta2:g} must lie in 0..1, 1 excluded")


@dataclass(frozen=True)
class TrainerSettings:
    """`[trainer]`: the same for every stage; each stage has its own defaults."""

    steps: int = 600
    batch: int = 64  # samples per optimiser step, of all processes together
    micro_batch: int = 1  # samples per forward pass of one process
    seed: int = 0
    clip_norm: float = 10.0  # of each part's gradient, L2; 0 = none
    warm_up_steps: int = 0
    hold: float = 1.0  # share of the steps at the full rate; then linear to rate_floor
    rate_floor: float = 0.0  # share of the rate at the last step
    ema: float = 0.99  # of the weights per optimiser step; 0 = no average is kept
    ema_start_step: int = 0  # until then the average is the weights
    dtype: str = "bfloat16"  # computed in; weights and optimiser are float32
    gather_dtype: str = (
        "float32"  # sharded weights travel in; "bfloat16" halves that, and the residual stream is narrow
    )
    frozen_dtype: str = "float32"  # of frozen transformers at rest
    device: str = "auto"
    threads: int = 0  # of one process on the CPU; 0 = torch's choice
    shard: int = 0  # processes a model is split over; 0 = all of a node. Nodes beyond that hold copies
    keep_gathered: bool = False  # weights stay whole between a rollout's many forward passes; more memory, less traffic
    recompute: bool = (
        False  # activations of a block anew in the backward pass; only stages whose attention keeps nothing
    )
    compile: bool = False  # each block
    save_every_steps: int = 50
    keep: int = 2  # newest checkpoints; the best one by `best` besides
    best: str = ""  # a figure; highest wins, or with a minus in front lowest
    report_every_steps: int = 1
    panel_every_steps: int = 0  # 0 = no panel
    panel_prompts: str = ""  # a text file, one prompt per line; empty = the stage's own
    skips_in_a_row: int = 20  # steps without a finite gradient after which the run ends
    export: str = "float16"

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "micro_batch", "save_every_steps", "keep", "report_every_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)} must be at least 1")
        if self.batch % self.micro_batch:
            raise ValueError(f"batch = {self.batch} must be a multiple of micro_batch = {self.micro_batch}")
        if not 0.0 <= self.ema < 1.0:
            raise ValueError(f"ema = {self.ema:g} must lie in 0..1, 1 excluded")
        if not 0.0 <= self.hold <= 1.0 or not 0.0 <= self.rate_floor <= 1.0:
            raise ValueError(f"hold = {self.hold:g} and rate_floor = {self.rate_floor:g} must lie in 0..1")
        for name, value, known in (
            ("dtype", self.dtype, NUMBER_TYPES),
            ("gather_dtype", self.gather_dtype, NUMBER_TYPES),
            ("frozen_dtype", self.frozen_dtype, NUMBER_TYPES),
            ("export", self.export, EXPORT_TYPES),
            ("device", self.device, DEVICES),
        ):
            if value not in known:
                raise ValueError(f"{name} = {value!r} must be one of {', '.join(known)}")
        if self.dtype == "float32" and "bfloat16" in (self.gather_dtype, self.frozen_dtype):
            raise ValueError('gather_dtype and frozen_dtype = "bfloat16" need dtype = "bfloat16" too')

    @property
    def micro_batches(self) -> int:
        """Micro-batches of one optimiser step, of all processes together."""
        return self.batch // self.micro_batch
