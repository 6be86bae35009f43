"""The choice among the trials, and the reason in words."""

from collections.abc import Sequence

from retainstream.engine.learning.trials import Chosen, Trial

TOLERANCE = 0.001
"""The share of the lowest loss that a smaller model may lose. A standard error would take far too small a model where churners are few."""


def preferred(trials: Sequence[Trial]) -> Trial:
    """The smallest model whose loss exceeds the lowest loss by at most `TOLERANCE`."""
    most = min(trial.loss for trial in trials) * (1 + TOLERANCE)
    return min((trial for trial in trials if trial.loss <= most), key=lambda trial: (trial.work, trial.loss))


def why(trials: Sequence[Trial], chosen: Chosen) -> str:
    """The chosen model, the losses of the other kinds of model, and the reason for the choice."""
    kinds = {
        "trees alone": [trial for trial in trials if trial.settings.linear is None],
        "the linear stage alone": [trial for trial in trials if trial.settings.linear is not None and not trial.rounds],
        "a linear stage followed by trees": [trial for trial in trials if trial.settings.linear is not None and trial.rounds],
    }
    reached = [f"{kind} {min(trial.loss for trial in tried):.5f}" for kind, tried in kinds.items() if tried]
    loss = f"Log loss on rows it was not fitted to: {chosen.loss:.5f}. Best by kind: {', '.join(reached)}."
    return f"Chosen: {_named(chosen)}. {loss} {_decided(trials, chosen)}"


def _named(chosen: Chosen) -> str:
    members = [_described(trial) for trial in chosen.trials]
    return members[0] if len(members) == 1 else f"the mean of {len(members)} models: {'; '.join(members)}"


def _decided(trials: Sequence[Trial], chosen: Chosen) -> str:
    best = min(trials, key=lambda trial: trial.loss)
    if len(chosen.trials) > 1:
        return f"The lowest loss of a single model is {best.loss:.5f}; the mean errs less, because the errors of its members differ."
    if chosen.best is best:
        return "It has the lowest loss."
    return f"The lowest loss is {best.loss:.5f}; the chosen model is the smallest within {TOLERANCE:.1%} of it."


def _described(trial: Trial) -> str:
    trees = f"{trial.rounds:,} round{'s' * (trial.rounds != 1)} of trees of depth {trial.settings.depth}"
    if trial.settings.linear is None:
        return trees
    linear = f"a linear stage of {trial.terms} column{'s' * (trial.terms != 1)} in log-odds (ridge penalty {trial.settings.linear:g})"
    return f"{linear}, followed by {trees}" if trial.rounds else f"{linear} alone"
