"""Which class sends by which kind. Extras are loaded by those that need them."""

from __future__ import annotations

from vj.sharing.kinds import KIND_OF, why_not
from vj.sharing.senders.ndi import NdiSender
from vj.sharing.senders.sender import Opening, Sender, SenderError
from vj.sharing.senders.spout import SpoutSender
from vj.sharing.senders.syphon import SyphonSender
from vj.sharing.senders.virtual_camera import CameraSender

CLASSES = {"ndi": NdiSender, "spout": SpoutSender, "syphon": SyphonSender, "camera": CameraSender}


def open_sender(word: str, opening: Opening) -> Sender:
    """Open one of a kind. May take seconds. Raises SenderError."""
    if reason := why_not(KIND_OF[word]):
        raise SenderError(reason)
    return CLASSES[word](opening)
