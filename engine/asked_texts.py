"""The texts of one source that come by command: of prompt pads, LoRA slots and reference pads, by the command's name.

Belongs to the chunk loop's thread.
"""

from __future__ import annotations

from engine.chunk_source import ChunkSource
from engine.messages import Command, Done
from engine.parameter import Value
from engine.params import ChunkParams
from engine.text_slots import TextSlots


class AskedTexts:
    """What every pad and slot is to play, and what is still on its way."""

    def __init__(self, source: ChunkSource) -> None:
        defaults = ChunkParams()
        self._source = source
        self._prompts = TextSlots(
            source.prompts, defaults.prompt_texts, name="prompt pad", number_key="pad", text_key="text"
        )
        self._loras = TextSlots(source.loras, defaults.lora_files, name="LoRA slot", number_key="slot", text_key="file")
        self._references = TextSlots(
            source.references, defaults.reference_files, name="reference pad", number_key="slot", text_key="file"
        )
        self._slots = {"prompt/text": self._prompts, "lora/file": self._loras, "reference/file": self._references}

    def values(self) -> dict[str, Value]:
        """Every text by the address of its parameter."""
        of_addresses = (
            ("/vj/prompt/{}/text", self._prompts),
            ("/vj/lora/{}/file", self._loras),
            ("/vj/vace/ref/{}/file", self._references),
        )
        return {
            address.format(number): text
            for address, slots in of_addresses
            for number, text in enumerate(slots.texts, start=1)
        }

    @property
    def is_waiting(self) -> bool:
        """Whether any text is not playable yet."""
        return any(slots.waiting for slots in self._slots.values())

    def knows(self, command: Command) -> bool:
        """Whether a command is for one of these."""
        return command.name in self._slots

    def prepare(self, command: Command) -> None:
        """Begin with a command's text before its time has come; nothing for a command of others."""
        if slots := self._slots.get(command.name):
            slots.prepare(command)

    def change(self, command: Command) -> list[Done]:
        """Obey a command that it `knows`; return what can be answered now."""
        return self._slots[command.name].change(command)

    def answers(self) -> list[Done]:
        """Return the answers that have become due, each once."""
        return [answer for slots in self._slots.values() for answer in slots.answers()]

    def facts(self) -> dict[str, object]:
        """What `GeneratorStatus` says of them, by field."""
        loras, references = self._source.loras, self._source.references
        return {
            "prompts_waiting": self._prompts.waiting,
            "loras": tuple(map(loras.note, self._loras.texts)),
            "lora_failures": tuple(map(loras.failure, self._loras.texts)),
            "references": tuple(map(references.note, self._references.texts)),
            "reference_failures": tuple(map(references.failure, self._references.texts)),
        }
