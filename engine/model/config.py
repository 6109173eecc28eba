"""Geometry of one transformer, frozen. One class serves every size: ember, 1.3B, 14B and the tiny ones of the tests."""

from __future__ import annotations

from dataclasses import dataclass

LATENT_STRIDE = 8  # pixels per latent pixel, Wan2.1 VAE and TAEHV family
FRAMES_PER_LATENT = 4  # frames per latent frame, the first latent frame of a stream being 1


@dataclass(frozen=True)
class ModelConfig:
    """Widths as in a Wan `config.json`, stream lengths in latent frames. Defaults: Wan2.1 T2V 1.3B, Reward Forcing."""

    dim: int = 1536
    ffn_dim: int = 8960
    num_heads: int = 12
    num_layers: int = 30
    freq_dim: int = 256
    text_dim: int = 4096
    text_len: int = 512
    in_dim: int = 16
    out_dim: int = 16
    patch_size: tuple[int, int, int] = (1, 2, 2)
    eps: float = 1e-6
    window_frames: int = 9  # latent frames attended to, sink and current chunk included
    sink_frames: int = 3
    chunk_frames: int = 3
    timestep_shift: float = 5.0
    vace_layers: tuple[int, ...] = ()  # layers that get a hint, each from a VACE block of its own; none = no VACE
    vace_in_dim: int = 96  # channels of the context

    def __post_init__(self) -> None:
        if self.dim % self.num_heads or (self.dim // self.num_heads) % 2:
            raise ValueError(f"dim {self.dim} must split into {self.num_heads} heads of even width")
        if self.head_dim < 6:
            raise ValueError(f"head width {self.head_dim} is below 6: three rotary axes need a pair each")
        if min(self.dim, self.ffn_dim, self.num_layers, self.text_len, self.text_dim, self.in_dim, self.out_dim) < 1:
            raise ValueError("every width, the number of layers and text_len must be at least 1")
        if tuple(self.patch_size)[0] != 1:
            raise ValueError(f"patch_size {self.patch_size}: the temporal patch must be 1")
        if self.freq_dim % 2:
            raise ValueError(f"freq_dim {self.freq_dim} must be even")
        self._check_vace()
        self._check_stream()

    def _check_vace(self) -> None:
        layers = tuple(self.vace_layers)
        is_rising = layers == tuple(sorted(set(layers)))
        if not is_rising or any(not 0 <= layer < self.num_layers for layer in layers):
            raise ValueError(f"vace_layers {list(layers)} must rise and lie within 0 to {self.num_layers - 1}")
        if self.vace_in_dim < 1:
            raise ValueError(f"vace_in_dim {self.vace_in_dim} must be at least 1")

    def _check_stream(self) -> None:
        if self.sink_frames < 1:
            raise ValueError("sink_frames must be at least 1: a stream without a sink has no anchor")
        if self.window_frames % self.sink_frames or self.window_frames < 2 * self.sink_frames:
            raise ValueError(
                f"window_frames {self.window_frames} must be a multiple, 2 at least, of sink_frames {self.sink_frames}:"
                " frames leave the window in groups of sink length"
            )
        self.check_chunk(self.chunk_frames)

    def check_chunk(self, chunk_frames: int) -> None:
        """Raise ValueError unless chunks of this many latent frames keep the groups of sink length whole."""
        fits = 1 <= chunk_frames <= self.window_frames - self.sink_frames
        if not fits or (self.sink_frames % chunk_frames and chunk_frames % self.sink_frames):
            raise ValueError(
                f"chunk_frames {chunk_frames} must divide sink_frames {self.sink_frames} or be a multiple of it, "
                f"and leave room in a window of {self.window_frames}"
            )

    @property
    def head_dim(self) -> int:
        """Channels per attention head."""
        return self.dim // self.num_heads

    def tokens_per_frame(self, latent_height: int, latent_width: int) -> int:
        """Tokens of one latent frame. Raises ValueError when the patch does not divide the latent."""
        _, patch_height, patch_width = self.patch_size
        if latent_height % patch_height or latent_width % patch_width or min(latent_height, latent_width) < 1:
            raise ValueError(
                f"a latent of {latent_width}x{latent_height} cannot be cut into patches of {patch_width}x{patch_height}"
            )
        return (latent_height // patch_height) * (latent_width // patch_width)


WAN_1_3B = ModelConfig()
WAN_1_3B_VACE = ModelConfig(vace_layers=tuple(range(0, 30, 2)))
WAN_14B = ModelConfig(dim=5120, ffn_dim=13824, num_heads=40, num_layers=40)
EMBER = ModelConfig(dim=256, ffn_dim=1024, num_heads=4, num_layers=6, text_dim=96, text_len=16)
