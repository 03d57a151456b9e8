"""Projection onto what an autoencoder can express: least squares in closed form, and the known pixels alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import masks
from playground.experiment import Experiment
from playground.probes import filling
from playground.trainer import Session, train
from tests.plugins import experiment, resident


def run(steps):
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def project(model, x, known, **bounds):
    return run(filling.project(model, x, known, **bounds))


def known_error(out, x, known) -> torch.Tensor:
    return ((out - x) * known).square().flatten(1).sum(1)


def drawn(kind: str, count: int, side: int = 16) -> torch.Tensor:
    """What is known, (count, 1, side, side), otherwise for each."""
    return torch.from_numpy(np.stack([~masks.draw(kind, side, side, seed)[None] for seed in range(count)]))


@pytest.fixture(scope="module", params=["undercomplete", "sparse", "contractive"])
def trained(request):
    """A model of each kind of code units that has learnt something, and images held out from it."""
    one = experiment(request.param, epochs=12)
    one = replace(one, architecture=replace(one.architecture, code=12, width=64))
    session = Session(one, resident(one.data), "CPU")
    events = train(session)
    for _ in range(session.steps):
        events.send(None)
    events.close()
    return session.model.eval(), resident(one.data).held_out[:60].float() / 255


class TestClosedForm:
    @settings(deadline=None, max_examples=25)
    @given(code=st.integers(1, 8), seed=st.integers(0, 999), kind=st.sampled_from(masks.KINDS), tied=st.booleans())
    def test_a_linear_autoencoder_is_fitted_by_least_squares(self, code, seed, kind, tied):
        plain = Experiment()
        architecture = replace(plain.architecture, code=code, depth=1, activation="linear", output="linear", tied=tied)
        one = replace(plain, architecture=architecture, training=replace(plain.training, seed=seed))
        model = one.build((1, 16, 16)).double().eval()
        x = torch.rand(3, 1, 16, 16, dtype=torch.double, generator=torch.Generator().manual_seed(seed))
        known = drawn(kind, 3)
        out = project(model, x, known).detach().numpy().reshape(3, -1)
        with torch.no_grad():
            bias = model.decode(torch.zeros(1, code, dtype=torch.double)).numpy().ravel()
            weights = model.decode(torch.eye(code, dtype=torch.double)).numpy().reshape(code, -1).T - bias[:, None]
        for image, mask, ours in zip(x.numpy().reshape(3, -1), known.numpy().reshape(3, -1), out):
            best = np.linalg.lstsq(weights[mask], (image - bias)[mask])[0]
            assert np.allclose(ours, np.clip(weights @ best + bias, 0, 1), atol=1e-6)

    def test_the_jacobian_is_autograds(self):
        model = experiment("sparse").build((1, 16, 16))
        z = torch.randn(1, 8)
        back, forth, out = filling._jacobian(model.decode, z)
        jacobian = torch.autograd.functional.jacobian(model.decode, z).reshape(256, 8)
        p, r = torch.randn(1, 8), torch.randn(1, 1, 16, 16)
        assert torch.allclose(forth(p).ravel(), jacobian @ p[0], atol=1e-6)
        assert torch.allclose(back(r)[0], r.ravel() @ jacobian, atol=1e-6)
        assert torch.equal(out, model.decode(z).detach())


@pytest.mark.slow
class TestLearnt:
    @pytest.mark.parametrize("kind", masks.KINDS)
    def test_fits_known_pixels_no_worse_than_the_plain_reconstruction(self, trained, kind):
        """The plain one sees the whole image, what is hidden included."""
        model, x = trained
        known = drawn(kind, len(x))
        ours = known_error(project(model, x, known), x, known)
        with torch.no_grad():
            plain = known_error(model(x).clamp(0, 1), x, known)
        assert (ours <= plain * 1.001 + 1e-6).all()

    def test_more_steps_never_fit_worse(self, trained):
        model, x = trained
        known = drawn("box", len(x))
        errors = [known_error(project(model, x, known, steps=steps), x, known) for steps in (0, 1, 2, 4)]
        assert all((later <= earlier + 1e-5).all() for earlier, later in zip(errors, errors[1:]))
        assert errors[-1].mean() < 0.95 * errors[0].mean()

    def test_what_is_hidden_plays_no_part(self, trained):
        model, x = trained
        known = drawn("half", len(x))
        other = torch.where(known, x, torch.rand(x.shape))
        assert torch.equal(project(model, x, known), project(model, other, known))

    def test_each_image_is_fitted_by_itself(self, trained):
        model, x = trained
        known = drawn("box", 6)
        together = project(model, x[:6], known)
        beside_others = project(model, torch.cat([x[:3], torch.rand(x[3:6].shape)]), known)
        assert torch.allclose(together[:3], beside_others[:3], atol=1e-4)
        alone = torch.cat([project(model, x[i : i + 1], known[i : i + 1]) for i in range(6)])
        apart = (together - alone).abs().flatten(1).amax(1)
        assert apart.median() < 0.01  # one row is rounded otherwise than six: that may decide between steps
        fits = [known_error(filled, x[:6], known) for filled in (together, alone)]
        assert torch.allclose(*fits, rtol=0.05, atol=1e-5)

    def test_the_hole_is_filled_better_than_by_grey_and_by_its_rims_mean(self, trained):
        model, x = trained
        known = drawn("box", len(x))
        ours = known_error(project(model, x, known), x, ~known).mean()
        mean = (x * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True)
        assert ours < 0.8 * min(known_error(torch.full_like(x, 0.5), x, ~known).mean(),
                                known_error(mean.expand_as(x), x, ~known).mean())

    def test_nothing_known_gives_an_image_all_the_same(self, trained):
        model, x = trained
        out = project(model, x[:2], torch.zeros(2, 1, 16, 16, dtype=torch.bool))
        assert torch.isfinite(out).all() and out.std() > 0.05 and torch.equal(out[0], out[1])

    def test_codes_stay_where_the_units_can_reach(self, trained):
        model, x = trained
        codes, decode = [], model.decode
        model.decode = lambda code: codes.append(code.detach()) or decode(code)
        project(model, x, drawn("half", len(x)))
        del model.decode
        low, high = filling.BOUNDS.get(type(model.encoder.blocks[-1].activation), (-torch.inf, torch.inf))
        assert len(codes) > 10 and all(((low <= code) & (code <= high)).all() for code in codes)


def test_weights_that_are_no_numbers_give_an_image_no_worse_than_broken():
    model = experiment().build((1, 16, 16))
    with torch.no_grad():
        model.decoder.blocks[0].linear.weight[0, 0] = torch.nan
    out = project(model, torch.rand(1, 1, 16, 16), drawn("box", 1))
    assert out.shape == (1, 1, 16, 16)  # and no error: what is broken shows as such
