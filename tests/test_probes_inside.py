"""Questions about a network's inside, each against an oracle: autograd, finite differences, numpy, scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from playground.probes import inside, narrowing, restoring, sensitivity
from tests.plugins import experiment, resident

ARCHITECTURES = ("dense", "convolutional")


def model_of(kind="undercomplete", architecture="dense", data="digits", **changes):
    """A small experiment, its images and its network in float64, so that finite differences are sharp."""
    made = experiment(kind, architecture, data)
    made = replace(made, architecture=replace(made.architecture, **changes))
    images = resident(made.data)
    return made, images, made.build(images.shape).double()


def sample(images, count):
    return images.sample()[:count].double()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_activations_are_what_the_layers_give(architecture):
    _, images, model = model_of(architecture=architecture)
    x = sample(images, 1)
    output, layers = inside.activations(model, x)
    by_hand, value = [], x
    for block in (*model.encoder.blocks, *model.decoder.blocks):
        value = block(value)
        by_hand.append(value[0].detach().numpy())
    assert [one.shape for one in layers] == [tuple(one.shape) for one in by_hand]
    for ours, theirs in zip(layers, by_hand):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(output, torch.sigmoid(value)[0].detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", ["upscale", "denoise"])
def test_a_residual_networks_maps_are_there_and_its_answer_is_as_large_as_the_image(kind):
    made = experiment(kind, "residual")
    images = resident(made.data)
    model = made.build(images.shape)
    output, layers = inside.activations(model, images.sample()[:1])
    assert output.shape == images.shape
    assert [one.shape for one in layers] == [tuple(b.shape) for b in (*model.encoder.blocks, *model.decoder.blocks)]


def test_a_u_nets_maps_are_there_although_it_has_no_code():
    made = experiment("inpaint", "unet")
    images = resident(made.data)
    model = made.build(images.shape)
    _, layers = inside.activations(model, images.sample()[:1])
    assert [one.shape for one in layers] == [tuple(b.shape) for b in (*model.encoder.blocks, *model.decoder.blocks)]
    assert inside.filters(model, images.shape).shape == (4, 1, 3, 3)


def test_filters_answer_to_their_own_picture():
    """What a unit gives for an image is the image times its filter, plus its bias."""
    _, images, model = model_of()
    x, layer = sample(images, 1), model.encoder.blocks[0].linear
    z = layer(x.flatten(1))[0].detach().numpy()
    filters = inside.filters(model, images.shape)
    assert filters.shape == (32, *images.shape)
    np.testing.assert_allclose((filters * x[0].numpy()).sum((1, 2, 3)) + layer.bias.detach().numpy(), z, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_columns_of_the_decoder(architecture):
    _, images, model = model_of(architecture=architecture, output="linear")
    k, code = 8, np.random.default_rng(0).normal(size=8)
    found = np.concatenate([inside.slopes(model, code, start, start + 4) for start in (0, 4)])
    here = torch.from_numpy(code)
    truth = torch.autograd.functional.jacobian(lambda s: model.decode(s[None])[0], here)
    np.testing.assert_allclose(found, truth.movedim(-1, 0).numpy(), atol=1e-5)
    zero = model.decode(torch.zeros(1, k, dtype=torch.float64))
    for entry, column in enumerate(inside.columns(model, 0, k)):
        unit = torch.zeros(1, k, dtype=torch.float64)
        unit[0, entry] = 1
        np.testing.assert_allclose(column, (model.decode(unit) - zero)[0].detach().numpy(), atol=1e-5)


def test_the_strongest_images_are_those_of_a_full_sort():
    codes = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
    assert (inside.strongest(codes, 7) == (-codes).argsort(0)[:7].T).all()
    assert inside.strongest(codes[:3], 7).shape == (5, 3)


def test_active_is_a_share():
    codes = np.array([[0.0, 0.2, -0.2, 0.05], [1, 1, 1, 1]])
    assert inside.active(codes, 0.1).tolist() == [0.5, 1.0]


def test_small_maps_stay_and_large_ones_become_means():
    maps = np.random.default_rng(0).random((3, 96, 64)).astype(np.float32)
    small = inside.shrunk(maps, 48)
    assert small.shape == (3, 48, 32)
    np.testing.assert_allclose(small, maps.reshape(3, 48, 2, 32, 2).mean((2, 4)), rtol=1e-5)
    assert inside.shrunk(small, 48) is small


# Jacobian -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["digits", "plane"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_rows_of_the_jacobian_are_autograds_and_finite_differences(architecture, data):
    if (architecture, data) == ("convolutional", "plane"):
        pytest.skip("a point has nothing to slide over")
    _, images, model = model_of("contractive", architecture, data)
    x = sample(images, 1)
    rows = np.concatenate([sensitivity.rows(model, x, start, stop) for start, stop in ((0, 3), (3, 8))])
    truth = torch.autograd.functional.jacobian(lambda one: model.encode(one)[0], x)[:, 0]
    np.testing.assert_allclose(rows, truth.numpy(), atol=1e-6)
    step = torch.zeros_like(x)
    step[0, 0, -1, -1] = 1e-5
    moved = (model.encode(x + step) - model.encode(x - step))[0].detach().numpy() / 2e-5
    np.testing.assert_allclose(rows[:, 0, -1, -1], moved, atol=1e-5)


def test_the_spectrum_is_that_of_j_and_its_ends_move_the_code_most_and_least():
    jacobian = np.random.default_rng(0).normal(size=(6, 20))
    found = sensitivity.spectrum(jacobian)
    np.testing.assert_allclose(np.sum(found.values**2), np.sum(jacobian**2))
    np.testing.assert_allclose(np.linalg.norm(jacobian @ found.most), found.values[0])
    np.testing.assert_allclose(np.linalg.norm(jacobian @ found.least), found.values[-1])
    assert found.still == 14 and np.isclose(np.linalg.norm(found.least), 1)
    eigenvalues = np.linalg.eigvalsh(jacobian @ jacobian.T)[::-1]
    np.testing.assert_allclose(found.values**2, eigenvalues, rtol=1e-8)
    assert sensitivity.spectrum(jacobian.T).still == 0


def test_displacement_of_a_linear_encoder_is_its_jacobians():
    """Where E is linear, noise σε moves the code by exactly σ‖Jε‖; and a rescaled code is not stiller."""
    _, images, model = model_of(depth=1)
    x = sample(images, 64)
    found = sensitivity.displacement(model, x, (0.0, 0.1, 0.2))
    noise = torch.empty_like(x).normal_(generator=torch.Generator().manual_seed(0))
    layer = model.encoder.blocks[0].linear
    codes = model.encode(x)
    spread = (codes - codes.mean(0)).square().sum(1).mean().sqrt()
    truth = (noise.flatten(1) @ layer.weight.T).norm(dim=1).mean() / spread
    np.testing.assert_allclose(found, np.array([0, 0.1, 0.2]) * float(truth.detach()), rtol=1e-6, atol=1e-12)
    with torch.no_grad():
        layer.weight.mul_(0.01)
        layer.bias.mul_(0.01)
    np.testing.assert_allclose(sensitivity.displacement(model, x, (0.0, 0.1, 0.2)), found, rtol=1e-6, atol=1e-12)


# Denoising ----------------------------------------------------------------------------------------------------------


def test_restored_pictures_and_their_psnr():
    _, images, model = model_of("denoising")
    x, levels = sample(images, 1), (0.0, 0.1, 0.5)
    found = restoring.restored(model, x, "gaussian", levels)
    assert found.noisy.shape == (3, *images.shape) and found.before[0] == 100
    for i, level in enumerate(levels):
        if level:
            assert found.before[i] == pytest.approx(-20 * np.log10(level), abs=0.6)  # 256 draws
        truth = model(torch.from_numpy(found.noisy[i : i + 1]).double()).detach().numpy()[0]
        np.testing.assert_allclose(found.clean[i], truth, atol=1e-5)
        assert found.after[i] == pytest.approx(-10 * np.log10(np.mean((truth - x[0].numpy()) ** 2)), abs=1e-3)
    grown = (found.noisy[2] - x[0].numpy()) / (found.noisy[1] - x[0].numpy())
    np.testing.assert_allclose(grown, 5, rtol=1e-3)  # the same draws at every level


def test_psnr_of_many_images_at_every_level():
    _, images, model = model_of("denoising")
    x = sample(images, 200)
    before, after = restoring.levels_psnr(model, x, "gaussian", (0.1, 0.3))
    np.testing.assert_allclose(before, -20 * np.log10([0.1, 0.3]), atol=0.05)
    noisy = restoring.spoilt(x, "gaussian", 0.3, 0)
    assert after[1] == pytest.approx(-10 * np.log10(float((model(noisy) - x).square().mean().detach())), abs=1e-4)


def test_the_field_and_what_follows_it():
    made, images, model = model_of("denoising", data="plane")
    points = restoring.lattice(5)
    assert points.shape == (25, 2) and points.min() == 0 and points.max() == 1
    points = points.astype(np.float64)
    arrows = restoring.field(model, points, torch.device("cpu"))
    truth = model(torch.from_numpy(points).view(-1, 1, 1, 2)).detach().numpy().reshape(-1, 2) - points
    np.testing.assert_allclose(arrows, truth, atol=1e-6)
    path = restoring.flow(model, points, 4, 0.25, torch.device("cpu"))
    assert path.shape == (5, 25, 2)
    np.testing.assert_allclose(path[1] - path[0], 0.25 * arrows, atol=1e-6)
    last = path[-2] + 0.25 * restoring.field(model, path[-2].astype(np.float64), torch.device("cpu"))
    np.testing.assert_allclose(path[-1], last, atol=1e-6)


def test_arrows_of_codes_lead_from_the_noisy_to_the_restored():
    _, images, model = model_of("denoising")
    x = sample(images, 10)
    start, end = restoring.code_arrows(model, x, "masking", 0.4)
    noisy = restoring.spoilt(x, "masking", 0.4, 0)
    np.testing.assert_allclose(start, model.encode(noisy).detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(end, model.encode(model(noisy)).detach().numpy(), atol=1e-5)


# Code size ----------------------------------------------------------------------------------------------------------


def test_pca_errors_are_those_of_reconstructing_by_scikit_learn():
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(0)
    train, held_out = rng.random((120, 30)).astype(np.float32), rng.random((40, 30)).astype(np.float32)
    found = narrowing.pca_errors(train, held_out)
    assert len(found) == 31 and (np.diff(found) <= 1e-6).all() and found[-1] == pytest.approx(0, abs=1e-5)
    for k in (1, 5, 20):
        fit = PCA(k, svd_solver="full").fit(train)
        back = fit.inverse_transform(fit.transform(held_out))
        assert found[k] == pytest.approx(np.square(back - held_out).sum(1).mean(), rel=1e-4)


def test_squared_errors_are_the_training_loss():
    made, images, _ = model_of()
    model = made.build(images.shape)
    x = images.sample()
    ours = narrowing.squared_errors(model, images, 0, len(x))
    truth = model.reconstruction_error(model.encode(x), x)
    np.testing.assert_allclose(ours, truth.detach().numpy(), rtol=1e-4)
