"""Sparse autoencoder: there may be many neurons, but few may be active at a time."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from playground.knobs import knob
from playground.losses import kl_sparsity
from playground.model import Autoencoder
from playground.variants import Losses, Variant, variants

RHO_HAT = "rho_hat"  # its name in the model's memory


@variants.register("sparse")
@dataclass(frozen=True)
class Sparse(Variant):
    """L + β Σ_l KL(ρ‖ρ̂_l), where ρ̂_l is neuron l's mean activation over the data (Ng, CS294A notes, 2011).

    Beside it, L + β‖h‖₁ of rectified codes, which can be exactly zero, and the k-sparse autoencoder (Makhzani & Frey,
    ICLR 2014), whose linear code keeps its k largest entries and needs no penalty.
    """

    rank = 3
    price = r"\beta"
    motto = "Many neurons, few active at a time."

    kind: str = knob("kl", "What keeps neurons silent: a mean activation that is wanted, a price on all activity, or "
                     "only the largest count.", choices=("kl", "l1", "top-k"), label="Sparsity")
    rho: float = knob(0.05, "Average activation wanted. Lower: fewer neurons light up for each image.", low=0.001,
                      high=0.5, stops=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5), label="Target", symbol="ρ",
                      live=True, when=("kind", ("kl",)))
    beta: float = knob(1.0, "How much sparsity counts. Higher: sparser, blurrier.", low=0.0, high=100.0,
                       stops=(0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0), label="Weight", symbol="β", live=True,
                       when=("kind", ("kl", "l1")))
    active: int = knob(4, "How many neurons stay active for each image. Fewer: sparser, blurrier.", low=1, high=1024,
                       stops=(1, 2, 4, 8, 16, 32, 64, 128), label="Active", when=("kind", ("top-k",)))
    window: int = knob(1000, "Images that ρ̂ is the mean of. Where a batch is smaller, earlier batches count too, with "
                       "fading weight; else the batch alone.", low=1, high=100_000, unit="images", label="ρ̂ over",
                       stops=(1, 100, 300, 1000, 3000, 10_000), live=True, rare=True, when=("kind", ("kl",)))

    @property
    def code_activation(self) -> str:
        return {"kl": "sigmoid", "l1": "relu"}.get(self.kind, f"top-{self.active}")

    @property
    def penalties(self) -> dict[str, tuple[str, str]]:
        if self.kind == "kl":
            return {"sparsity": (r"\beta\sum_l \mathrm{KL}(\rho \,\|\, {\hat{\rho}}_l)", "sparsity penalty")}
        if self.kind == "l1":
            return {"sparsity": (r"\beta\,{\left\| h \right\|}_1", "sparsity penalty")}
        return {}

    @property
    def slope_in_code(self) -> str:
        return {"kl": r"\frac{\beta}{m}\left(\frac{1 - \rho}{1 - \hat{\rho}} - \frac{\rho}{\hat{\rho}}\right)",
                "l1": r"\frac{\beta}{m}\,\mathrm{sign}(h)"}.get(self.kind, "")

    @property
    def reconstruction_words(self) -> str:
        return f"error from the {self.active} largest of h" if self.kind == "top-k" else super().reconstruction_words

    def losses(self, model: Autoencoder, x: Tensor, rng: Generator) -> Losses:
        code = model.encode(x)
        terms = {"reconstruction": model.reconstruction_error(code, x)}
        if self.kind == "kl":
            rho_hat = self.mean_activation(code, model.memory.get(RHO_HAT))
            terms["sparsity"] = self.beta * kl_sparsity(rho_hat, self.rho).sum()
        elif self.kind == "l1":
            terms["sparsity"] = self.beta * code.abs().sum(1)
        yield "autoencoder", terms
        if self.kind == "kl":
            model.memory[RHO_HAT] = rho_hat.detach()

    def mean_activation(self, code: Tensor, before: Tensor | None) -> Tensor:
        """ρ̂ (k,) over the last images, of codes (B, k) and of ρ̂ as it was before them, None at the first batch.

        Its value is the running mean, its gradient that of the batch's mean: so the penalty's gradient is the
        lecture's ∂Ω/∂ρ̂_l, taken at ρ̂ over the data, times an unbiased estimate of ∂ρ̂_l/∂W.
        """
        of_batch, share = code.mean(0), len(code) / self.window
        if before is None or share >= 1:
            return of_batch
        return of_batch + (1 - share) * (before - of_batch).detach()
