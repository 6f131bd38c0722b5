"""A Bayesian search for the network's numbers, stored so that it can be stopped, taken up again and repeated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import Trial, TrialState

from riskd_models.papers.heatmap.net import BASE, TUNED, Numbers
from riskd_models.papers.heatmap.plan import CRISES, Plan, encoder_of, pictures_for, some_of, split_at
from riskd_models.papers.heatmap.training import Budget, Lesson, lesson_of, train
from riskd_models.papers.work import Told

SEED, NAME = 20241106, "heatmap"
POOLS: Mapping[str, tuple[int, int]] = {"2x2": (2, 0), "3x3": (3, 1)}  # window and padding; the stride is 2 for both


def search(plan: Plan, folder: Path, device: str, told: Told) -> list[dict[str, Any]]:
    """Every trial in order: kernel, pool, learning rate, weight decay, dropout, and the validation RMSE that it reached.

    On what had come true before 2008. The untuned and the paper's tuned numbers are the first two trials, so that what is found
    is no worse on the validation than either. Trial k has a sampler seeded by k: where the search was stopped does not matter.
    """
    split = split_at(pictures_for(plan), CRISES["2008"][0], plan.vectors)
    encoder = encoder_of(split)
    learnt, judged = (lesson_of(some_of(part, plan.trial_images), encoder) for part in (split.learnt, split.judged))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    study = study_in(JournalStorage(JournalFileBackend(str(folder / "search.journal"))))
    while (done := len(finished(study))) < plan.trials:
        told("search", done / plan.trials)
        study.sampler = optuna.samplers.TPESampler(seed=SEED + done, n_startup_trials=4)
        if done < 2:
            study.enqueue_trial(asked((BASE, TUNED)[done]))
        study.optimize(lambda trial: error_of(trial, learnt, judged, plan, device), n_trials=1)
    told("search", 1.0)
    return [{**trial.params, "rmse": trial.value} for trial in finished(study)[: plan.trials]]


def study_in(storage: JournalStorage) -> optuna.Study:
    """The study that was begun, or a new one; to look for one that is there writes nothing."""
    if NAME in optuna.get_all_study_names(storage):
        return optuna.load_study(study_name=NAME, storage=storage)
    return optuna.create_study(study_name=NAME, storage=storage, direction="minimize")


def finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """The trials that came to an end; one that was interrupted is made again."""
    return study.get_trials(states=(TrialState.COMPLETE,))


def asked(numbers: Numbers) -> dict[str, Any]:
    """Numbers as the search names them."""
    (pool,) = (name for name, (size, _) in POOLS.items() if size == numbers.pool)
    rest = {"learning_rate": numbers.learning_rate, "weight_decay": numbers.weight_decay, "dropout": numbers.dropout}
    return {"kernel": numbers.kernel, "pool": pool, **rest}


def error_of(trial: Trial, learnt: Lesson, judged: Lesson, plan: Plan, device: str) -> float:
    """The least validation RMSE over the epochs of one trial."""
    pool, padding = POOLS[trial.suggest_categorical("pool", list(POOLS))]
    numbers = Numbers(
        kernel=trial.suggest_categorical("kernel", [3, 5]),
        pool=pool,
        stride=2,
        pool_padding=padding,
        learning_rate=trial.suggest_float("learning_rate", 1e-4, 3e-3, log=True),
        weight_decay=trial.suggest_float("weight_decay", 1e-6, 1e-2, log=True),
        dropout=trial.suggest_float("dropout", 0.1, 0.6),
    )
    return min(train(learnt, judged, numbers, Budget(plan.trial_epochs, plan.batch), device).errors)
