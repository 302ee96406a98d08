"""The Monte Carlo simulator: sweeps over cases that stop by a rule fixed beforehand."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jscc_sim import tally
from jscc_sim.blocks import block_seed, run_unordered
from jscc_sim.case import Case, Label, without_address
from jscc_sim.estimators import Estimator, Experiment, Plain
from jscc_sim.metrics import METRICS, Metric, metrics_for
from jscc_sim.store import Block, Store
from jscc_sim.tally import Tally

PILOT_BLOCKS = tally.FEWEST_BLOCKS
MOST_BLOCKS = 1000
TOO_MANY_BLOCKS = 10_000_000
# How titles say the labels that tell one link from another.
SAID = {
    "attack": "{} attack",
    "k_factor": "K factor {:g}",
    "profile": "TDL-{}",
    "delay_spread": "delay spread {:g} s",
    "speed": "{:g} m/s",
    "pilots": "{} pilots",
    "modulation": "{}",
    "shared": "shared {}",
    "estimator": "{} estimator",
}
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Budget:
    """How long to measure: until ``words``, or until the 95 % interval's half-width is ``rel_error`` times the mean.

    By default 1 % for means (0.5 % for learned players) and 10 % for counted errors. Errors may never come, so a case
    that counts them stops in any event after ``max_words`` (by default 1,000 blocks). The case's first metric decides,
    the others share its words. An estimator that weighs errors measures their rate as a mean, which gives up only if
    ``max_words`` is given.
    """

    words: int | None = None
    rel_error: float | None = None
    max_words: int | None = None

    def __post_init__(self) -> None:
        if self.words is not None and not self.words >= 1:
            raise ValueError(f"words must be at least 1, got {self.words}")
        if self.rel_error is not None and not 0 < self.rel_error < 1:
            raise ValueError(f"rel_error must lie between 0 and 1, got {self.rel_error}")
        if self.max_words is not None and not self.max_words >= 1:
            raise ValueError(f"max_words must be at least 1, got {self.max_words}")

    def target(self, metric: Metric, margin: float = 0.0) -> float:
        """The relative half-width asked of ``metric``; half of a ``margin`` within which it is to agree."""
        return self.rel_error or (0.1 if metric.counted else margin / 2 or 0.01)


@dataclass(frozen=True)
class Row:
    """One measured point: the mean with its 95 % interval, and the exact value or bounds that it cannot leave.

    ``p_value`` is that of their agreement: two-sided for the exact value, within the ``margin`` that learned players
    are granted, one-sided for the ``bound`` from below and the ``ceiling`` from above. ``complete`` is false where an
    error rate gave up, at the most words, before its interval was as narrow as asked. Labels name the estimator unless
    it is the plain one; one that a wrong noise would not disturb has no ``p_value``.
    """

    labels: Mapping[str, Label]
    metric: str
    mean: float
    low: float
    high: float
    words: int
    exact: float | None
    bound: float | None
    p_value: float | None
    complete: bool
    seed: int
    key: str
    ceiling: float | None = None
    margin: float = 0.0

    @property
    def title(self) -> str:
        """What was measured, in words."""
        said = self.labels
        if not {"source", "channel"} <= said.keys():
            return "a link of one's own"  # made in Python, with labels of its own
        title = f"{said['source']} over {said['channel']}"
        if said.get("policy") is not None:
            title += f": policy {'/'.join(Path(str(said['policy'])).parts[-2:])}, SJR {said['sjr_db']:g} dB"
        if said.get("flips") is not None:
            erased = f" and {said['erasures']} erasures" if said.get("erasures") else ""
            title += f": up to {said['flips']} flips{erased}, {'informed' if said['informed'] else 'blind'}"
        title += ", without channel knowledge" if said.get("csi") is False else ""
        return title + "".join(
            f", {how.format(said[name])}" for name, how in SAID.items() if said.get(name) is not None
        )


@dataclass(frozen=True, eq=False)
class _Trial:
    """A case at a seed with what an estimator makes of it; plain Monte Carlo leaves key and labels as they are."""

    case: Case
    seed: int
    estimator: Estimator
    key: str
    experiment: Experiment

    @property
    def name(self) -> str:
        """What a store calls it."""
        return f"{self.key}-{self.seed}"

    @property
    def is_plain(self) -> bool:
        """Whether it is measured by plain Monte Carlo."""
        return isinstance(self.estimator, Plain)

    @property
    def labels(self) -> Mapping[str, Label]:
        """The case's, and the estimator's name."""
        return self.case.labels if self.is_plain else {**self.case.labels, "estimator": self.estimator.name}

    def record(self) -> dict[str, object]:
        """What a store says of it."""
        record = self.case.record(self.seed)
        if self.is_plain:
            return record
        found = {"estimator": repr(self.estimator), "heaviest": self.experiment.heaviest}
        return record | {"labels": dict(self.labels), "words_per_block": self.experiment.words} | found


def _trial(case: Case, seed: int, estimator: Estimator, metrics: Sequence[Metric] | None = None) -> _Trial:
    """The case as the estimator measures it, its pilot having a seed of its own. ValueError if an assumption fails."""
    described = without_address(f"{case.key} {estimator!r}").encode()
    plain = isinstance(estimator, Plain)
    key = case.key if plain else hashlib.blake2b(described, digest_size=12).hexdigest()
    pilot = block_seed(case_seed(seed, f"{key} pilot"), 0)
    asked = tuple(metrics or metrics_for(case.link.source))
    return _Trial(case, seed, estimator, key, estimator.prepare(case.link, asked, case.words_per_block, pilot))


def case_seed(seed: int, key: str) -> int:
    """The seed of a case: 64 bits of a digest of the run's seed and the case's key."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {key}".encode(), digest_size=8).digest())


def sweep(
    cases: Iterable[Case],
    budget: Budget | None = None,
    *,
    metrics: Sequence[Metric] | None = None,
    estimator: Estimator | None = None,
    store: Store | None = None,
    seed: int = 0,
    executor: Executor | None = None,
    progress: Progress = lambda done, planned: None,
) -> Iterator[Row]:
    """Measure every case and yield its rows, one per metric, by default of those of its source, as they are done.

    The rows are the same bit for bit whatever the executor, the order of the cases, and how often a run with a store
    was killed and resumed. ``progress`` hears the words done and the words planned so far for the case at hand. An
    ``estimator`` other than plain Monte Carlo is a ValueError for a case that is not as it assumes.
    """
    budget = budget or Budget()
    for case in cases:
        trial = _trial(case, seed, estimator or Plain(), metrics)
        blocks = _measure(trial, budget, store, executor, progress)
        measured = trial.experiment.metrics
        rows = [_row(trial, metric, [block[metric.name] for block in blocks], budget) for metric in measured]
        for row in rows:
            row = replace(row, complete=rows[0].complete)  # the first metric decided for all
            if store:
                store.report(trial.name, asdict(row))
            yield row


def rows_of(store: Store) -> Iterator[Row]:
    """The rows that a store knows, case by case; of a case that never ended, what its blocks say so far."""
    for name, record in store.cases.items():
        try:
            rows = [Row(**row) for row in store.rows.get(name, {}).values()]  # type: ignore[arg-type]
        except TypeError as error:
            raise ValueError(f"{store.path}: a row of case {name} is damaged: {error}") from None
        yield from rows or _unfinished(record, name, list(_prefix(store.blocks(name))))


def _unfinished(record: Mapping[str, object], name: str, blocks: Sequence[Block]) -> Iterator[Row]:
    of_all = [name for name in (blocks[0] if blocks else {}) if all(name in block for block in blocks)]
    for metric, tallies in ((name, [block[name] for block in blocks]) for name in of_all):
        if len(tallies) >= 2:
            known = METRICS.get(metric)
            estimate = _estimated_so_far(record, known, tallies)
            shown = known.shown if known else float
            low, high = sorted((shown(max(0.0, estimate.low)), shown(estimate.high)))
            yield Row(
                labels=record["labels"],  # type: ignore[arg-type]
                metric=metric,
                mean=shown(estimate.mean),
                low=low,
                high=high,
                words=estimate.words,
                exact=None,
                bound=None,
                p_value=None,
                complete=False,
                seed=int(str(record["seed"])),
                key=name.partition("-")[0],
            )


def _estimated_so_far(record: Mapping[str, object], known: Metric | None, tallies: Sequence[Tally]) -> tally.Estimate:
    """Of a store's blocks; only plain ones count errors."""
    if "estimator" not in record:
        return tally.proportion(tallies) if known and known.binary else tally.mean(tallies)
    heaviest = record["heaviest"]
    return tally.mean(tallies, heaviest=None if heaviest is None else float(str(heaviest))).widened()


def _measure(
    trial: _Trial, budget: Budget, store: Store | None, executor: Executor | None, progress: Progress
) -> list[Block]:
    """All blocks that the budget asks for, in order."""
    name, own = trial.name, case_seed(trial.seed, trial.key)
    link, metrics, words = trial.experiment.sender, trial.experiment.metrics, trial.experiment.words
    if store:
        store.begin(name, trial.record())
    known = store.blocks(name) if store else {}
    done = {index: block for index, block in known.items() if all(metric.name in block for metric in metrics)}
    while True:
        ready = list(_prefix(done))
        tallies = [block[metrics[0].name] for block in ready]
        planned = _plan(metrics[0], tallies, budget, words, trial.case.margin)
        if not all(metric.binary for metric in metrics):
            planned = max(planned, PILOT_BLOCKS)
        if planned <= len(ready):
            return ready[:planned]
        if planned > TOO_MANY_BLOCKS:
            raise ValueError(
                f"that would take {planned * words:.2g} words a point: ask for fewer, or a larger rel_error"
            )
        missing = [index for index in range(planned) if index not in done]
        for index, block in run_unordered(link, metrics, words, own, missing, executor=executor):
            done[index] = block
            if store:
                store.append(name, index, block)
            progress(len(done) * words, planned * words)


def _prefix(done: Mapping[int, Block]) -> Iterator[Block]:
    """The blocks 0, 1, 2, … up to the first gap."""
    index = 0
    while index in done:
        yield done[index]
        index += 1


def _plan(metric: Metric, tallies: Sequence[Tally], budget: Budget, words: int, margin: float) -> int:
    """How many blocks the case needs: final if there are that many tallies already, a next step otherwise.

    A mean is decided once, from its pilot. An error rate stops at the first block that completes its count of errors;
    until then its number of blocks doubles.
    """
    if budget.words:
        return -(-budget.words // words)
    most = -(-budget.max_words // words) if budget.max_words else MOST_BLOCKS
    if metric.counted:
        return _first_complete(tallies, tally.errors_for(budget.target(metric)), most)
    if len(tallies) < PILOT_BLOCKS:
        return PILOT_BLOCKS
    wanted = tally.blocks_for(tallies[:PILOT_BLOCKS], budget.target(metric, margin))
    return min(wanted, most) if metric.errors and budget.max_words else wanted


def _first_complete(tallies: Sequence[Tally], errors: float, most: int) -> int:
    seen = 0.0
    for index, block in enumerate(tallies[:most]):
        seen += block.total
        if seen >= errors:
            return index + 1
    return min(most, max(1, 2 * len(tallies)))


def _row(trial: _Trial, metric: Metric, tallies: Sequence[Tally], budget: Budget) -> Row:
    case, estimate = trial.case, _estimate(trial, metric, tallies, budget)
    low, high = sorted((metric.shown(max(0.0, estimate.low)), metric.shown(estimate.high)))  # no score is negative
    wide = metric.errors and (high - low) / 2 > budget.target(metric) * estimate.mean
    # Stein's interval of weighed errors is as narrow as asked unless it was cut short or has too few of them.
    wide = wide and (metric.counted or bool(budget.max_words) or estimate.events < tally.FEWEST_EVENTS)
    exact, bound, ceiling = (known.get(metric.name) for known in (case.exact, case.bounds, case.ceilings))
    p_values = [
        None if exact is None else estimate.p_value(exact, case.margin),
        None if bound is None else estimate.p_below(bound),
        None if ceiling is None else estimate.p_above(ceiling),
    ]
    p_value = min((found for found in p_values if found is not None), default=None)
    return Row(
        labels=trial.labels,
        metric=metric.name,
        mean=metric.shown(estimate.mean),
        low=low,
        high=high,
        words=estimate.words,
        exact=None if exact is None else metric.shown(exact),
        bound=None if bound is None else metric.shown(bound),
        p_value=p_value if trial.estimator.judges else None,
        complete=bool(budget.words) or not wide,
        seed=trial.seed,
        key=trial.key,
        ceiling=None if ceiling is None else metric.shown(ceiling),
        margin=case.margin,
    )


def _estimate(trial: _Trial, metric: Metric, tallies: Sequence[Tally], budget: Budget) -> tally.Estimate:
    """The mean with its interval: by the count of errors, by the blocks, or by the pilot that decided their number."""
    if metric.binary:
        return tally.proportion(tallies)
    pilot = None if metric.counted or budget.words else PILOT_BLOCKS
    estimate = tally.mean(tallies, pilot, trial.experiment.heaviest)
    return estimate if trial.is_plain else estimate.widened()
