"""A peer's answer to a problem, found in another process, and judged by the certificate that judges riskd."""

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riskd.core.allocation.answer import Multipliers
from riskd.core.allocation.certificate import certify
from riskd.core.allocation.problem import Problem

VIOLATION, GAP = 1e-6, 1e-5  # a peer within these is exact
PATIENCE = 4  # wall seconds for a processor second, beside other programs
SETTLING = 120  # wall seconds to import and to read
WORKER = Path(__file__).with_name("worker.py")
ONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Outcome:
    """``seconds`` of the processor, where ``over`` only a lower bound; ``gap`` is relative to the bound riskd certified."""

    peer: str
    seconds: float = np.nan
    over: bool = False
    value: float = np.nan
    cvar: float = np.nan
    violation: float = np.nan
    gap: float = np.nan
    said: str = ""

    @property
    def exact(self) -> bool:
        """Whether it found the optimum and kept the limits."""
        return self.violation <= VIOLATION and self.gap <= GAP


def race(peer: str, folder: Path, problem: Problem, proof: Multipliers, target: float, limit: int, memory: float) -> Outcome:
    """Run ``peer`` on the problem packed in ``folder`` for at most ``limit`` processor seconds and ``memory`` bytes."""
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    command = [sys.executable, str(WORKER), peer, str(folder), str(limit), repr(target)]

    def confined() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))

    worker = subprocess.Popen(
        command, env=os.environ | ONE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=confined
    )  # fmt: skip
    try:
        worker.wait(timeout=limit * PATIENCE + SETTLING)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
    if not answer.exists():
        killed = worker.returncode in (-24, -9)  # SIGXCPU, SIGKILL
        return Outcome(peer, float(limit), killed, said="" if killed else f"died with {worker.returncode}")
    return judged(peer, json.loads(answer.read_text()), problem, proof)


def judged(peer: str, answer: dict, problem: Problem, proof: Multipliers) -> Outcome:
    """Value, CVaR and violation on the full sample, and the gap to the bound that ``proof`` gives."""
    if "weights" not in answer:
        return Outcome(peer, said=answer["said"])
    found = certify(problem, np.array(answer["weights"]), proof)
    return Outcome(peer, answer["seconds"], False, found.value, float(found.cvars[0]), found.violation, found.gap)
