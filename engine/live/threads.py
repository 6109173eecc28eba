"""How the processor's threads wait for work. Read by torch when it is loaded. Imports no torch."""

from __future__ import annotations

# OpenMP's threads otherwise spin for a fifth of a second after every piece of work: on two cores that are shared with
# a window the same model has been seen to take fifty times as long
PASSIVE_THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
