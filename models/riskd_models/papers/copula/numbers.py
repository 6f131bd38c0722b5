"""Every number of this paper's run, for the small preset and for the full one."""

from dataclasses import dataclass

from riskd_models.papers.preset import Preset


@dataclass(frozen=True, slots=True)
class Numbers:
    """Sizes of networks and of what is drawn; the networks are the same in both presets, the small one takes fewer steps."""

    margin_steps: int  # of the LSTM, TCN and GRU margins
    margin_rate: float  # of learning; fewer steps want larger ones
    autoencoder_steps: int
    transformer_steps: int
    diffusion_steps: int
    paths: int  # equally likely outcomes a session, of a copula
    diffused: int  # the same of the diffusion, each of which costs DRAW_STEPS network calls
    subsets: int  # of assets, for each count
    counts: tuple[int, ...]  # of assets
    seeds: int  # of the diffusion, whose spread is its instability
    window: int = 60  # sessions that every network reads
    validation: float = 0.2  # the newest share of the known sessions, which is judged on only
    batch: int = 128
    seed: int = 20250508


SMALL = Numbers(
    margin_steps=120,
    margin_rate=1e-2,
    autoencoder_steps=200,
    transformer_steps=80,
    diffusion_steps=300,
    paths=1000,
    diffused=250,
    subsets=2,
    counts=(3, 15),
    seeds=2,
)
FULL = Numbers(
    margin_steps=800,
    margin_rate=2e-3,
    autoencoder_steps=1000,
    transformer_steps=400,
    diffusion_steps=2500,
    paths=5000,
    diffused=1000,
    subsets=20,
    counts=(3, 5, 7, 10, 15),
    seeds=5,
)


def numbers_of(preset: Preset) -> Numbers:
    """The preset's numbers."""
    return preset.of(SMALL, FULL)
