"""What a spare has done before it is told a model."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from engine.spare_import import import_engine

done = []
import_engine(lambda: done.append(True)).join()
before = set(sys.modules)
from engine.chunk_source import SourceChoice, load_source

load_source(SourceChoice("ember", (64, 48), "cpu", threads=1)).close()
print(done, len([name for name in set(sys.modules) - before if name.startswith("torch")]))
"""


def test_a_spare_has_imported_all_that_loading_a_model_takes():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("[True]")
    assert int(done.stdout.split()[-1]) < 20, done.stdout
