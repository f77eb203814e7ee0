"""The numbers of the migrations that there are."""

from pathlib import Path
from typing import Final

VERSIONS: Final = Path(__file__).parent / "versions"
NEWEST: Final = max(int(path.stem.split("_")[1]) for path in VERSIONS.glob("catalog_*.py"))
