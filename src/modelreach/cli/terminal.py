"""What is shown on a terminal."""

from modelreach.visible import visible as visible
