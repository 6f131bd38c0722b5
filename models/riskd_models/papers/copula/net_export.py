"""Writes the networks that no artefact of the daemon holds as ONNX graphs, so that they run without torch."""

import io
import logging
import warnings
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from riskd_models.papers.copula.diffusion import Denoiser
from riskd_models.papers.copula.transformer import TransformerVar
from riskd_models.papers.copula.vae import Autoencoder

OPSET = 18
OUTPUTS: Mapping[str, Sequence[str]] = {
    "transformer-var": ("quantiles", "last"),  # of a window's every step; the newest is the forecast
    "vae-decoder": ("mean", "spread"),
    "denoiser": ("v",),
}


def example_of(network: nn.Module, rows: int, seed: int) -> tuple[str, dict[str, Tensor]]:
    """The graph's name, and random inputs by name for ``rows`` of it; raises TypeError for a network of another kind."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random)

    if isinstance(network, TransformerVar):
        return "transformer-var", {"window": normal(rows, len(network.place), network.embedding.in_features)}
    if isinstance(network, Autoencoder):
        return "vae-decoder", {"z": normal(rows, network.latent)}
    if isinstance(network, Denoiser):
        context = network.context[0]
        features = normal(rows, context.in_features) if isinstance(context, nn.Linear) else normal(rows, 1)
        return "denoiser", {"x": normal(rows, network.assets), "time": 50 * normal(rows).abs(), "features": features}
    raise TypeError(f"{type(network).__name__} is no network of this paper")


def onnx_bytes(network: nn.Module) -> bytes:
    """The network in eval mode as one ONNX file, for any number of rows."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of operators that no network here has
    name, example = example_of(network.eval(), 2, 0)
    rows = torch.export.Dim("rows")
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        program = torch.onnx.export(
            network,
            tuple(example.values()),
            input_names=list(example),
            output_names=list(OUTPUTS[name]),
            dynamic_shapes=tuple({0: rows} for _ in example),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise TypeError(f"{name}: the exporter gave no graph")
    file.write(program.model_proto.SerializeToString(deterministic=True))
    return file.getvalue()
