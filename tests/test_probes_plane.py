"""The live plane of the codes, against scikit-learn's PCA and for codes that have nothing to show."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from playground.probes.plane import PrincipalPlane


@pytest.mark.parametrize("k", [3, 20, 64, 200])
def test_it_is_the_principal_plane(k):
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(300, k)) * np.r_[9.0, 5.0, np.full(k - 2, 0.5)] + 3
    places, spread = PrincipalPlane().project(torch.from_numpy(codes).float())
    pca = PCA(2).fit(codes)
    np.testing.assert_allclose(spread, pca.explained_variance_ratio_, rtol=1e-3)
    np.testing.assert_allclose(abs(places.numpy()), abs(pca.transform(codes)), atol=2e-2)


def test_it_does_not_spin_between_two_looks():
    rng, plane = np.random.default_rng(0), PrincipalPlane()
    codes = torch.from_numpy(rng.normal(size=(300, 10)) * np.r_[3.0, 2.9, np.full(8, 0.1)]).float()
    before, _ = plane.project(codes)
    after, _ = plane.project(codes * -1.0 + 2 * codes + 0.001 * torch.randn(300, 10))
    assert (after - before).norm() < 0.05 * before.norm()


@pytest.mark.parametrize("codes", [
    torch.zeros(50, 8), torch.full((50, 8), 0.5), torch.rand(50, 8) * 1e-25, torch.full((50, 8), torch.nan),
    torch.full((50, 8), torch.inf), torch.rand(50, 8) * torch.tensor([1e-7, 1e-27, 0, 0, 1e-16, 1e-21, 0, 1e-23]),
    torch.zeros(50, 200), torch.full((50, 200), torch.nan), torch.zeros(50, 1), torch.zeros(1, 5),
])
def test_collapsed_or_broken_codes_raise_nothing(codes):
    plane = PrincipalPlane()
    for _ in range(2):
        places, spread = plane.project(codes)
        assert places.shape == (len(codes), 2) and np.isfinite(spread).all()  # browsers read no NaN
    recovered, _ = plane.project(torch.rand(50, codes.shape[1]))
    assert recovered.shape == (50, 2)
