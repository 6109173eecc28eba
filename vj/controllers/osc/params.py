"""What is set about OSC while a show runs, declared once.

Not answered over OSC itself: nobody in the network may redirect what the instrument tells.
"""

from __future__ import annotations

from engine.parameter import Parameter

OUT_ADDRESS = "/vj/osc/out"
OSC_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        OUT_ADDRESS,
        "text",
        "",
        "Who is told changes and state over OSC: [HOST:]PORT, several apart by spaces. Not settable over OSC.",
        clock="frame",
    ),
)
