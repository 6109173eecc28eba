"""What one stream carries of what guides it from chunk to chunk."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from engine.vae.latents import EncoderState


@dataclass
class MaskedStream:
    """One of the two streams a control video is split into by its mask.

    While only mid grey has been seen there is no encoder state: `BlankLatents` knows what it is encoded to.
    """

    encoder: EncoderState | None = None
    blank: int = 0  # latent frames of mid grey in a row, up to now; all there were when `encoder` is None


@dataclass
class VaceState:
    """Emptied by a hard cut and while nothing guides; references are not in it: they are held across cuts."""

    inactive: MaskedStream = field(default_factory=MaskedStream)  # what stays
    reactive: MaskedStream = field(default_factory=MaskedStream)  # what is painted
    control: str = ""  # name of the control that was made last
    carried: object | None = None  # what its maker wants back

    def copy(self) -> VaceState:
        """The same, to go back to: what either of them changes later the other does not see."""
        inactive, reactive = dataclasses.replace(self.inactive), dataclasses.replace(self.reactive)
        return VaceState(inactive, reactive, self.control, self.carried)

    def forget(self) -> None:
        """Begin anew with the next frames that guide."""
        self.inactive, self.reactive = MaskedStream(), MaskedStream()
        self.control, self.carried = "", None
