"""The one door to ONNX Runtime: opens a model on a device and runs one step of it without copying."""

import logging
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import onnxruntime

from riskd.core.arrays import Floats32
from riskd.errors import ModelError

Device = Literal["cpu", "cuda"]
Provider = Device | Literal["auto"]
NAMES = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
WAY_OUT = 'install its libraries or set provider = "cpu"'

log = logging.getLogger(__name__)


class Session:
    """One model on one device. Runs are deterministic: one thread each, so callers may run several at once."""

    provider: Device

    def __init__(self, model: bytes, provider: Provider) -> None:
        """Open ``model``; raises ModelError where it is no usable model or ``cuda`` is wanted and not there."""
        if provider == "auto":
            self._session, self.provider = opened_anywhere(model)
        else:
            self._session, self.provider = opened(model, provider), provider

    @property
    def inputs(self) -> dict[str, tuple[str, list[str | int]]]:
        """Name -> (element type, shape) of what the model takes."""
        return {value.name: (value.type, value.shape) for value in self._session.get_inputs()}

    @property
    def outputs(self) -> dict[str, tuple[str, list[str | int]]]:
        """Name -> (element type, shape) of what the model gives."""
        return {value.name: (value.type, value.shape) for value in self._session.get_outputs()}

    def run(self, taken: Mapping[str, Floats32], given: Mapping[str, Floats32]) -> None:
        """Run once from ``taken`` into ``given``: both contiguous float32, by input and output name.

        Raises ModelError with the runtime's own first line where the run fails.
        """
        binding = self._session.io_binding()
        for name, array in taken.items():
            binding.bind_input(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        for name, array in given.items():
            binding.bind_output(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        try:
            self._session.run_with_iobinding(binding)
        except Exception as error:  # the runtime's exceptions share no public base
            raise ModelError(f"ONNX Runtime ({self.provider}) failed: {first_line(error)}") from error


def opened(model: bytes, provider: str) -> Any:
    """A runtime session whose first provider is the wanted one, never another in its place."""
    name = NAMES[provider]
    if name not in onnxruntime.get_available_providers():
        offered = ", ".join(onnxruntime.get_available_providers())
        raise ModelError(f'provider "{provider}" is not there (ONNX Runtime offers {offered}); {WAY_OUT}')
    if provider == "cuda" and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(model, options, providers=[name])
    except Exception as error:  # the runtime's exceptions share no public base
        raise ModelError(f"ONNX Runtime cannot open the model: {first_line(error)}") from error
    if session.get_providers()[0] != name:
        found = session.get_providers()[0]
        raise ModelError(f'provider "{provider}" did not load (ONNX Runtime took {found} instead); {WAY_OUT}')
    return session


def opened_anywhere(model: bytes) -> tuple[Any, Device]:
    """On the graphics card if there is one, else on the processor, which is logged."""
    try:
        return opened(model, "cuda"), "cuda"
    except ModelError as error:
        log.warning("forecasting on the processor: %s", error)
        return opened(model, "cpu"), "cpu"


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
