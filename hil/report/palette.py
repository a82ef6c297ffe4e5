"""Colours of the report: told apart by colour-blind readers and on a grey print, always with words.

Hues follow Okabe and Ito, "Color Universal Design" (2008), darkened for white paper.
"""

INK = "#16263a"
MUTED = "#5d6b7a"
BLUE = "#0b62a8"
AMBER = "#d07a00"
GREEN = "#0a8060"
PURPLE = "#7a4b9c"
RED = "#c3262f"
SKY = "#3a9bd1"
ROSE = "#b8557f"
GREY = "#7d8894"

MODE_COLOURS = {
    "BOOT": GREY,
    "SAFE": RED,
    "IDLE": "#9db4c9",
    "COMPUTE": BLUE,
    "DOWNLINK": GREEN,
}
CONTACT_COLOURS = {"OGS": GREEN, "RELAY": PURPLE}
CYCLE = (BLUE, AMBER, GREEN, PURPLE, ROSE, SKY, RED, GREY)


def cycle(index: int) -> str:
    """Return the colour for the n-th of a list of names."""
    return CYCLE[index % len(CYCLE)]
