"""How far images are apart in what a network makes of them, stage by stage, as LPIPS is before people weigh it."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from jscc_sim.image_metrics.extractor import Extractor
from jscc_sim.image_metrics.planes import Images, planes


@torch.no_grad()
def perceptual_distance(originals: Images, reconstructions: Images, extractor: Extractor) -> float:
    """The mean over pairs of images, 0 if they are equal, at most 4 for each of the extractor's stages.

    Features of each place are scaled to unit length over the channels; squared differences are summed over channels,
    averaged over places and summed over stages (Zhang, Isola, Efros, Shechtman and Wang, arXiv 1801.03924, without the
    weights that LPIPS learned from people's judgements). ValueError if the extractor has no stages to look at.
    """
    if not extractor.stages:
        raise ValueError(f"{extractor.name} shows nothing of its stages: take another extractor")
    if len(originals) != len(reconstructions) or not len(originals):
        raise ValueError(f"{len(originals)} originals cannot be compared with {len(reconstructions)} reconstructions")
    seen: list[Tensor] = []
    stages = map(extractor.network.get_submodule, extractor.stages)
    hooks = [stage.register_forward_hook(lambda _stage, _x, features: seen.append(features)) for stage in stages]
    total = 0.0
    try:
        for start in range(0, len(originals), extractor.batch):
            pair = [planes(images[start : start + extractor.batch]) for images in (originals, reconstructions)]
            seen.clear()
            extractor(torch.cat(pair))
            for features in seen:
                wanted, got = normalize(features, dim=1).chunk(2)
                total += float((wanted - got).square().sum(1).mean((1, 2)).sum())
    finally:
        for hook in hooks:
            hook.remove()
    return total / len(originals)
