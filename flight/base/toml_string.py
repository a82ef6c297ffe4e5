"""Text as a TOML basic string (TOML 1.0, "String"). Pure."""

from __future__ import annotations

import json


def quoted(text: str) -> str:
    """`text` in quotes. JSON escapes the same but DEL; what is not ASCII stands as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
