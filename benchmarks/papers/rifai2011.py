"""Rifai et al. (ICML 2011): contractive codes move least and classify best.

One layer of 1,000 sigmoid units with tied weights, pre-trained in five ways; then a softmax on top and everything
trained on by Adam, the epoch chosen by 10,000 training images held back. The plain autoencoder is the contractive one
with λ = 0. The norm is the mean of ‖J‖_F over the test set; the paper's own unit is not known, so ratios are compared.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.papers.lab import Lab, Outcome, Row
from benchmarks.papers.pictures import filters, stacked
from benchmarks.papers.vincent2010 import first_layer
from playground.batches import to_unit
from playground.jacobian import code_and_norm
from playground.trainer import Session

TITLE = "Rifai et al. 2011: contraction beside noise and weight decay"
SETTING = "MNIST, one layer of 1,000 sigmoid units, tied weights, cross-entropy; then a classifier, fine-tuned. Test " \
          "error in percent and mean Jacobian norm, the norm as a multiple of the contractive autoencoder's."
NETWORK = "data=mnist&architecture.depth=1&architecture.code=1000&architecture.tied=true&training.loss=bce" \
          "&training.rate=0.01&training.schedule=cosine&training.batch=100"
WAYS = {  # name -> query, published error in percent, published norm in 1e-4
    "CAE": ("variant=contractive&variant.weight=7", 1.14, 0.73),
    "DAE-g": ("variant=denoising&variant.units=sigmoid&variant.level=0.5", 1.18, 0.86),
    "DAE-b": ("variant=denoising&variant.units=sigmoid&variant.kind=masking&variant.level=0.3", 1.57, 7.87),
    "AE+wd": ("variant=contractive&variant.weight=0&training.decay=0.003", 1.68, 5.00),
    "AE": ("variant=contractive&variant.weight=0", 1.78, 17.5),
}
TUNING = 5e-4  # the learning rate that fine-tuning begins with
HELD_BACK = 6  # one in so many training images chooses the epoch


def run(lab: Lab) -> Outcome:
    size = "data.count=6000&training.epochs=10" if lab.quick else "training.epochs=8"
    errors, norms, pictures = {}, {}, []
    for name, (query, _, _) in WAYS.items():
        session = lab.fit(name, f"{NETWORK}&{query}&{size}")
        norms[name] = mean_norm(session)
        errors[name] = classified(session, 8 if lab.quick else 16, lab)
        pictures.append(filters(first_layer(session)[:24], 28, 24, 1))
    rows = []
    for name, (_, error, norm) in WAYS.items():
        rows.append(Row(f"{name}: test error", f"{error} %", f"{errors[name]:.2f} %"))
        rows.append(Row(f"{name}: norm / CAE's", f"{norm / 0.73:.1f}", f"{norms[name] / norms['CAE']:.1f}"))
    ratio = norms["AE"] / norms["CAE"]
    published = [{name: way[i] for name, way in WAYS.items()} for i in (1, 2)]
    for what, of, found in (("test errors", published[0], errors), ("norms", published[1], norms)):
        words = " < ".join(sorted(found, key=found.__getitem__))
        rows.append(Row(f"order of the {what}", " < ".join(sorted(of, key=of.__getitem__)), words, "the same",
                        sorted(found, key=found.__getitem__) == sorted(of, key=of.__getitem__)))
    rows.append(Row("AE's norm / CAE's", "24", f"{ratio:.1f}", "at least 10", ratio >= 10))
    note = "Quick: 6,000 training images, 10 epochs, 8 of fine-tuning." if lab.quick else ""
    return Outcome(rows, stacked(*pictures, gap=6), f"First filters of {', '.join(WAYS)}, a row each.", note)


def mean_norm(session: Session) -> float:
    """The mean of ‖J_x(h)‖_F over the held-out images."""
    rng = torch.Generator(device=session.resident.device)
    chunks = (to_unit(chunk) for chunk in session.resident.held_out.split(1000))
    with torch.no_grad():
        norms = [code_and_norm(session.model.encoder, x, "closed", rng)[1].detach().sqrt() for x in chunks]
    return float(torch.cat(norms).mean())


def classified(session: Session, epochs: int, lab: Lab) -> float:
    """Test error in percent of a softmax on the code, fine-tuned end to end, at the epoch best on images held back.

    The learning rate falls along half a cosine.
    """
    source, device = session.resident.source, session.resident.device
    x, y = session.resident.train, torch.from_numpy(source.labels[source.train]).to(device)
    test, truth = session.resident.held_out, torch.from_numpy(session.resident.held_out_labels).to(device)
    cut = len(x) // HELD_BACK
    torch.manual_seed(0)
    network = nn.Sequential(copy.deepcopy(session.model.encoder), nn.Linear(1000, 10)).to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=TUNING)
    best, at_best, rng = float("inf"), float("nan"), torch.Generator().manual_seed(0)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for epoch in range(epochs):
        for batch in (torch.randperm(len(x) - cut, generator=rng) + cut).split(100):
            batch = batch.to(device)
            optimiser.zero_grad()
            F.cross_entropy(network(to_unit(x[batch])), y[batch]).backward()
            optimiser.step()
        falling.step()
        if (error := wrong(network, x[:cut], y[:cut])) < best:
            best, at_best = error, wrong(network, test, truth)
        lab.progress.waiting(f"fine-tuning, {best:.2f} % wrong of those held back", (epoch + 1) / epochs)
    lab.progress.end()
    return at_best


@torch.no_grad()
def wrong(network: nn.Module, x: Tensor, y: Tensor) -> float:
    """Percent of images x (m, c, h, w) whose class is not y (m,)."""
    right = sum(int((network(to_unit(some)).argmax(1) == of).sum()) for some, of in zip(x.split(1000), y.split(1000)))
    return 100 * (1 - right / len(x))
