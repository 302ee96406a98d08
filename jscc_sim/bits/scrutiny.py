"""What else there is to know of a trained codec: its error under attack, its amortisation gap, what a probe reads."""

from collections.abc import Iterable, Sequence

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from channels import BitFlip, Channel, MemorylessChannel
from jscc_sim.bits.distortion import TOGETHER, distortion, words
from jscc_sim.bits.infomax import Infomax
from jscc_sim.bits.receivers import bayes_receiver, kernel_receiver
from jscc_sim.codec_training import flat
from jscc_sim.codecs import BinaryCodec
from jscc_sim.data.parts import Part
from jscc_sim.seeds import seeded

# Of a word's symbols, the budgets of the adversary.
SHARES = (0.05, 0.1)
# Steps of the classifier that tells symbols' total correlation, and images in each.
TAUGHT, BATCH = 2_000, 500
# Images that a linear probe learns from, and that the net is compared with other receivers on.
PROBED, COMPARED = 10_000, 2_000


def attacked(
    codec: BinaryCodec,
    behind: MemorylessChannel,
    images: Tensor,
    attacks: Sequence[str] = ("random", "steepest", "greedy"),
    budgets: Sequence[int] | None = None,
) -> dict[str, float]:
    """Squared errors of images ``(count, k)`` by attack and budget of flips, as in ``steepest-5``, behind nature.

    By default budgets are 5 and 10 % of a word's symbols. The adversary sees what nature did, and raises the codec's
    loss.
    """
    given = [round(share * codec.n) for share in SHARES] if budgets is None else budgets
    channels = {f"{name}-{flips}": BitFlip(behind, flips, attack=name) for name in attacks for flips in given}
    return {name: distortion(codec, channel, images, draws=1, squared=True).mean for name, channel in channels.items()}


@torch.no_grad()
def amortisation(codec: BinaryCodec, channel: Channel, known: Tensor, unseen: Tensor) -> dict[str, float]:
    """Squared errors of the net, the exact Bayes receiver and the additive kernel, which know the words of ``known``.

    Both are given for images of ``known``, where the Bayes receiver is the best there is and the rest is the net's
    amortisation gap, and for ``unseen`` ones.
    """
    law, sent = channel.nominal, words(codec, known)
    found: dict[str, float] = {}
    for name, images in (("known", known[:COMPARED]), ("unseen", unseen[:COMPARED])):
        with seeded(0):
            y = channel(codec.encode(images))
        estimates = {
            "net": codec.decode(y, law),
            "bayes": bayes_receiver(y, sent, known, law),
            "kernel": kernel_receiver(y, sent, known, law),
        }
        errors = {receiver: (images - estimate).square().sum(-1).mean() for receiver, estimate in estimates.items()}
        found |= {f"{receiver}_{name}": float(error) for receiver, error in errors.items()}
    return found


@torch.no_grad()
def risks(codec: BinaryCodec, channels: Iterable[MemorylessChannel], known: Tensor) -> list[float]:
    """The least squared error of any receiver of ``known`` images over each channel: that of the Bayes receiver."""
    sent, images = words(codec, known), known[:COMPARED]
    found = []
    for channel in channels:
        with seeded(0):
            y = channel(sent[:COMPARED])
        found.append(float((images - bayes_receiver(y, sent, known, channel)).square().sum(-1).mean()))
    return found


def information(codec: BinaryCodec, known: Tensor, unseen: Tensor) -> dict[str, float]:
    """The `Terms` of the information of ``unseen`` images' words in nats, of both encoders, sampled and argmax.

    A classifier of its own learns from the words of ``known`` images, as long for all codecs: longer ones find more.
    """
    with torch.no_grad():
        learned, told = (
            torch.cat([codec.probability(part) for part in images.split(TOGETHER)]) for images in (known, unseen)
        )
    found: dict[str, float] = {}
    for name, sent in (("sampled", lambda chances: chances), ("argmax", torch.round)):
        with seeded(0):
            infomax = Infomax(codec.n)
            for _ in range(TAUGHT):
                infomax(sent(learned[torch.randint(len(learned), (BATCH,))]))
            terms = infomax.eval()(sent(told))
        found |= {f"{term}_{name}": float(value) for term, value in terms._asdict().items()}
    return found


def probed(codec: BinaryCodec, train: Part, test: Part) -> float:
    """The accuracy of logistic regression on words, learned from some training images; ValueError without labels."""
    if train.labels is None or test.labels is None:
        raise ValueError("a linear probe learns from labels, and these images have none")
    seen, unseen = (words(codec, flat(part, PROBED)).numpy() for part in (train, test))
    probe = LogisticRegression(max_iter=1000).fit(seen, train.labels[:PROBED])
    return float(probe.score(unseen, test.labels[:PROBED]))
