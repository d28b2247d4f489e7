"""The registry of detectors: each is a module here and a model in the manifest."""

from typing import Final

from agent.inference.vision.detector import Detector
from agent.inference.vision.detectors.centerface import CenterFace
from agent.inference.vision.detectors.yunet import YuNet

DETECTORS: Final[dict[str, type[Detector]]] = {kind.recipe: kind for kind in (CenterFace, YuNet)}
# Finds faces wherever a missed one would be shown.
THOROUGH: Final = CenterFace.recipe
