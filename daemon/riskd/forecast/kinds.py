"""What a folder holds, by the kind that its card tells."""

from pathlib import Path

from riskd.errors import ModelError
from riskd.forecast.allotter_card import KIND as ALLOTTER
from riskd.forecast.artefact import CARD, kind_of, load_artefact
from riskd.forecast.dependence import Diffusion, VaeCopula
from riskd.forecast.dependence_card import KIND as DEPENDENCE
from riskd.forecast.dependence_card import load_dependence
from riskd.forecast.heatmap import HeatmapForecaster
from riskd.forecast.heatmap_card import KIND as HEATMAP
from riskd.forecast.heatmap_card import load_heatmap
from riskd.forecast.onnx_lstm import OnnxLstm
from riskd.forecast.quantiles import KIND as QUANTILES
from riskd.forecast.session import Provider
from riskd.forecast.window import WindowForecaster
from riskd.forecast.window_card import WINDOW, load_window

Trained = OnnxLstm | WindowForecaster | HeatmapForecaster


def forecaster_at(folder: Path, provider: Provider = "cpu", threads: int = 1) -> Trained:
    """The forecaster in ``folder``; raises ModelError where that holds none."""
    kind = kind_of(folder)
    if kind == ALLOTTER:
        raise ModelError(f"{folder}: an allocation network forecasts no returns; name it under [[allocators]]")
    if kind in (DEPENDENCE, QUANTILES):
        raise ModelError(
            f'{folder}: kind "{kind}" forecasts no assets by themselves; name it in [[rivals]], or another model here'
        )
    if kind == HEATMAP:
        return HeatmapForecaster(load_heatmap(folder), provider, threads=threads)
    if kind == WINDOW:
        return WindowForecaster(load_window(folder), provider, threads=threads)
    return OnnxLstm(load_artefact(folder), provider, threads=threads)


def dependence_at(folder: Path, provider: Provider = "cpu") -> VaeCopula | Diffusion:
    """The scenario model in ``folder``; raises ModelError where that holds none."""
    if not folder.is_dir():
        raise ModelError(
            f"{folder}: no such folder; name a network's or train one (python -m riskd_models train-challenger --help)"
        )
    kind = kind_of(folder)
    if kind != DEPENDENCE:
        said = f'kind "{kind}"' if kind else "no kind that draws joint scores"
        raise ModelError(
            f'{folder / CARD}: says {said}; name the folder of a network of kind "{DEPENDENCE}", or a model by its name'
        )
    artefact = load_dependence(folder)
    return Diffusion(artefact, provider) if artefact.card.system == "diffusion" else VaeCopula(artefact, provider)
