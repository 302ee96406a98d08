"""Images over the air: fidelity over the SNR."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

Points = Sequence[tuple[float, float]]


def fidelity_curves(
    psnr: Mapping[str, Points],
    ssim: Mapping[str, Points],
    trained_at: Sequence[float] = (),
    beside: Mapping[str, Points] | None = None,
    title: str = "",
) -> Figure:
    """PSNR and SSIM over the SNR of the channel, a line per codec; a grey band or line is where they were trained.

    PSNR of what they are compared with stands ``beside``, in broken lines.
    """
    figure = Figure(figsize=(11.5, 5.2), layout="constrained")
    both = figure.subplots(1, 2)
    for axes, curves, name in zip(both, (psnr, ssim), ("PSNR (dB)", "SSIM"), strict=True):
        for label, points in curves.items():
            axes.plot(*zip(*points, strict=True), "o-", ms=4, label=label)
        for label, points in (beside or {}).items() if name.startswith("PSNR") else ():
            axes.plot(*zip(*points, strict=True), "--", lw=1.2, label=label)
        if trained_at:
            axes.axvspan(min(trained_at), max(trained_at), color="0.85", lw=2, zorder=0, label="SNR of training")
        axes.set(xlabel="SNR = P/N per real use (dB)", ylabel=name)
        axes.grid(alpha=0.3)
    figure.suptitle(title)
    figure.legend(*both[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def learning_curve(found: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """The mean square error in training over the epochs, a line per codec."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for label, epochs in found.items():
        marker = "." if len(epochs) == 1 else ""  # no line has one point
        axes.plot([epoch["number"] for epoch in epochs], [epoch["mse"] for epoch in epochs], marker=marker, label=label)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.set(xlabel="epoch", ylabel="mean-square error per value, in training", yscale="log")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    return figure
