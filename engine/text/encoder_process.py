"""UMT5 in a process of its own, at low priority: encoding never takes processor time or memory from the chunk loop.

It starts with the first prompt that is not kept, and ends when nothing is asked for a while or the asker is gone.
`python -m engine.text.encoder_process FILE TOKENIZER TEXT_LEN IDLE_S` answers lines of JSON on stdin with a line of
JSON and the rows as float32.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

IDLE_S = 120.0
NICENESS = 10
NUMBER_BYTES = 4


class EncoderProcess:
    """Text -> (text_len, width) float32 on the CPU, encoded elsewhere. Used by one thread."""

    def __init__(self, weights_file: Path, tokenizer: Path, text_len: int, width: int, idle_s: float = IDLE_S) -> None:
        """`width` is that of the file's rows; `idle_s` is how long the process waits for another text."""
        self._words = [str(weights_file), str(tokenizer), str(text_len), str(idle_s)]
        self._shape = (text_len, width)
        self._process: subprocess.Popen[bytes] | None = None
        self._end_last: Callable[[], object] = int  # ends the process there was; nothing yet

    @property
    def process_id(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def encode(self, text: str) -> Tensor:
        """Embed a prompt, starting the process if it is not there. Raises RuntimeError with a sentence."""
        for _ in range(2):  # it may end of idleness between being looked at and being asked
            process = self._running()
            try:
                return self._ask(process, text)
            except OSError:
                self._end_last()
        raise RuntimeError(f"the text encoder's process ends before it answers (exit code {process.returncode})")

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process_id is None:
            command = [sys.executable, "-m", "engine.text.encoder_process", *self._words]
            self._end_last()
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._end_last = weakref.finalize(self, _end, self._process)
        return self._process

    def _ask(self, process: subprocess.Popen[bytes], text: str) -> Tensor:
        process.stdin.write(json.dumps(text).encode() + b"\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise BrokenPipeError
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        rows = torch.zeros(self._shape)
        content = process.stdout.read(answer["rows"] * self._shape[1] * NUMBER_BYTES)
        rows[: answer["rows"]] = torch.frombuffer(bytearray(content), dtype=torch.float32).reshape(-1, self._shape[1])
        return rows


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, whatever it does."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):  # what was not written yet
            pipe.close()
    process.wait()


def main(words: list[str]) -> int:
    """Load the encoder and answer until stdin closes or nothing comes for the idle time; return the exit code."""
    weights_file, tokenizer, text_len, idle_s = words
    os.nice(NICENESS)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    from engine.loading import choose_dtype
    from engine.text.umt5 import load_umt5
    from engine.weight_files import CheckpointError

    cpu = torch.device("cpu")
    try:
        encoder = load_umt5(Path(weights_file), Path(tokenizer), int(text_len), cpu, choose_dtype("auto", cpu))
    except CheckpointError as error:
        sys.stdin.readline()
        _answer(answers, {"error": str(error)})
        return 1
    questions = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    while select.select([questions], [], [], float(idle_s))[0]:
        line = questions.readline()
        if not line:
            break
        text = json.loads(line)
        count = len(encoder.token_ids(text))
        _answer(answers, {"rows": count}, encoder.encode(text)[:count].numpy().tobytes())
    return 0


def _answer(file: BinaryIO, answer: dict[str, object], content: bytes = b"") -> None:
    file.write(json.dumps(answer).encode() + b"\n" + content)
    file.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
