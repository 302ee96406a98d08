"""How many words, signals and steps an audit spends: fixed numbers, so that audits can be compared."""

from dataclasses import dataclass, replace

from jscc_sim.codecs import Codec

BLOCKS = 32
# Fewer words than these say nothing, however long they are.
FEWEST_WORDS = 8
# Words of up to so many symbols, decoded at the usual speed, cost the same; of longer ones there are fewer.
USUAL_SYMBOLS = 16
# Of slow codecs so many times fewer signals are tried: they are slower than their ``cost`` says on few words at a time.
THRIFT = 4
# A decoder that makes so many numbers of each symbol is slow, whatever its ``cost``.
HEAVY = 256


@dataclass(frozen=True)
class Effort:
    """Words to search with, to choose by and in each block to measure by; and how many signals are tried.

    Of every family of shapes up to ``each`` signals, ``starts`` and ``steps`` of ascents, ``evaluations`` of ``cma``.
    Of a policy that draws its signals each word meets so many ``draws``, and ``finer`` where its parameter is refined.
    """

    search: int
    choose: int
    block: int
    each: int
    starts: int
    steps: int
    evaluations: int
    draws: int
    finer: int

    def facing(self, codec: Codec, work: float) -> "Effort":
        """This effort where words are long or decoding is slow: by the codec's ``cost``, or by its decoder's `work`."""
        load = max(1.0, max(codec.k, codec.n) * codec.cost**2 / USUAL_SYMBOLS)
        words = replace(
            self,
            search=max(FEWEST_WORDS, round(self.search / load)),
            choose=max(4 * FEWEST_WORDS, round(self.choose / load)),
            block=max(FEWEST_WORDS, round(self.block / load)),
        )
        if codec.cost == 1 and work < HEAVY:
            return words
        less = {
            name: max(1, getattr(self, name) // THRIFT) for name in ("each", "starts", "evaluations", "draws", "finer")
        }
        return replace(words, **less)


def strongest(jam_power: float) -> float:
    """The power of the strongest pulses searched: a thousand times the jammer, or the signal if that is larger."""
    return 1000.0 * max(jam_power, 1.0)


FULL = Effort(search=2**11, choose=2**14, block=2**12, each=64, starts=8, steps=40, evaluations=2400, draws=4, finer=8)
QUICK = Effort(search=2**8, choose=2**13, block=2**10, each=32, starts=4, steps=20, evaluations=640, draws=4, finer=16)
