"""Codes in a plane: the code itself when it has two entries, else the plane of its two principal directions."""

from __future__ import annotations

import torch
from torch import Tensor

REFIT_EVERY = 4  # looks between two fits of a wide code's plane: between them the codes move in the old one
SMALL = 64
FARTHEST = 1e30  # where codes are drawn that are beyond it: nothing that is made of such places overflows float32


def bounded(codes: Tensor) -> Tensor:
    """Codes that can be drawn: what is no number lies at 0, what is too far at ±1e30."""
    return codes.nan_to_num(0.0, FARTHEST, -FARTHEST).clamp(-FARTHEST, FARTHEST)


class PrincipalPlane:
    """Projects codes onto their principal plane, turned so that it does not spin from one look to the next."""

    def __init__(self):
        self._basis: Tensor | None = None
        self._looks = 0

    def project(self, codes: Tensor) -> tuple[Tensor, tuple[float, ...]]:
        """Codes (m, k) to places (m, 2), and the share of the variance along both axes; no shares when k is 1 or 2, or
        when codes are no numbers.

        The basis is rotated onto the previous one (orthogonal Procrustes): where codes barely move, places barely move.
        Places and shares are finite whatever the codes are.
        """
        codes = bounded(codes)
        if codes.shape[1] == 1:
            return torch.cat([codes, torch.zeros_like(codes)], 1), ()
        if codes.shape[1] == 2:
            return codes, ()
        centred = codes - codes.mean(0)
        reach = centred.abs().max().clamp_min(1e-30)
        centred = centred / reach  # so that no square over- or underflows
        if self._basis is None or codes.shape[1] <= SMALL or self._looks % REFIT_EVERY == 0:
            self._basis = self._fit(centred)
        self._looks += 1
        places = centred @ self._basis
        total = centred.square().sum().clamp_min(1e-12)
        shares = (places.square().sum(0) / total).tolist()
        return places * reach, tuple(shares)

    def _fit(self, centred: Tensor) -> Tensor:
        k = centred.shape[1]
        if k <= SMALL:
            basis = _principal_pair(centred)
        else:  # one step of subspace iteration from the last plane, or from the widest entries, is enough to follow
            start = self._basis if self._basis is not None else torch.eye(k)[:, centred.var(0).topk(2).indices.cpu()]
            basis = start.to(centred)
            for _ in range(3 if self._basis is not None else 8):
                basis = torch.linalg.qr(centred.T @ (centred @ basis)).Q
            basis = basis @ _principal_pair(centred @ basis)
        if self._basis is not None:
            u, _, vt = torch.linalg.svd(basis.T @ self._basis)
            basis = basis @ u @ vt
        return basis


def _principal_pair(centred: Tensor) -> Tensor:
    """The two principal directions of centred rows (m, k), (k, 2); two axes where the rows say nothing.

    Scaled and in double precision on the CPU: codes that have collapsed differ by 1e-20 or by nothing at all.
    """
    k, reach = centred.shape[1], centred.abs().max()
    axes = torch.eye(k)[:, :2].to(centred)
    if not reach > 0 or not reach.isfinite():
        return axes
    rows = (centred / reach).cpu().double()
    try:
        return torch.linalg.eigh(rows.T @ rows).eigenvectors[:, -2:].flip(1).to(centred)
    except torch.linalg.LinAlgError:
        return axes
