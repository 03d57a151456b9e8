"""Networks give back exactly the size they were given, for every size, depth and way of shrinking and growing."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from playground.architectures import architectures
from playground.layers import ACTIVATIONS
from playground.model import Autoencoder

sides = st.integers(8, 256)


@settings(max_examples=60, deadline=None)
@given(height=sides, width=sides, depth=st.integers(1, 6), channels=st.sampled_from([1, 3]),
       down=st.sampled_from(["stride", "pooling"]), up=st.sampled_from(["transposed", "resize"]))
def test_convolutional_networks_give_back_the_size(height, width, depth, channels, down, up):
    made = architectures["convolutional"](code=3, depth=depth, width=1, down=down, up=up)
    shape = (channels, height, width)
    encoder, decoder = made.build(shape, "linear")
    x = torch.rand(1, *shape)
    code = encoder(x)
    assert code.shape == (1, 3)
    assert decoder(code).shape == x.shape
    for block, out in zip(encoder, _outputs(encoder, x)):
        assert tuple(out.shape[1:]) == block.shape


@settings(max_examples=30, deadline=None)
@given(height=sides, width=sides, depth=st.integers(1, 6), tied=st.booleans(), code=st.sampled_from([1, 5, 1024]))
def test_dense_networks_give_back_the_size(height, width, depth, tied, code):
    made = architectures["dense"](code=code, depth=depth, width=8, tied=tied)
    with torch.device("meta"):  # shapes only: 1,024 x 65,536 weights need not be made
        encoder, decoder = made.build((1, height, width), "sigmoid")
        x = torch.empty(2, 1, height, width)
        assert encoder(x).shape == (2, code)
        assert decoder(encoder(x)).shape == x.shape


def _outputs(blocks, x):
    for block in blocks:
        x = block(x)
        yield x


def test_tied_weights_are_shared_and_halve_the_parameters():
    shape = (1, 10, 10)
    free = architectures["dense"](code=7, depth=3, width=32)
    tied = architectures["dense"](code=7, depth=3, width=32, tied=True)
    count = lambda made: sum(p.numel() for p in nn.ModuleList(made.build(shape, "linear")).parameters())  # noqa: E731
    weights = 100 * 32 + 32 * 16 + 16 * 7
    assert count(free) - count(tied) == weights
    encoder, decoder = tied.build(shape, "linear")
    code = torch.randn(4, 7)
    by_hand = code @ encoder[2].linear.weight + decoder[0].linear.bias
    assert torch.allclose(decoder[0].linear(code), by_hand)
    decoder(encoder(torch.rand(4, *shape))).sum().backward()
    assert all(block.linear.weight.grad is not None for block in encoder)


@pytest.mark.parametrize("name", sorted(architectures))
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_codes_activation_is_the_variants(name, activation):
    encoder, _ = architectures[name]().build((1, 16, 16), activation)
    assert type(encoder[-1].activation) is ACTIVATIONS[activation]


def test_the_decoder_mirrors_the_encoder():
    encoder, decoder = architectures["dense"](code=5, depth=4, width=64).build((1, 8, 8), "linear")
    widths = [block.shape for block in encoder]
    assert widths == [(64,), (32,), (16,), (5,)]
    assert [block.shape for block in decoder] == [(16,), (32,), (64,), (1, 8, 8)]


def test_cross_entropy_always_has_a_sigmoid_output():
    encoder, decoder = architectures["dense"]().build((1, 8, 8), "linear")
    x = torch.rand(3, 1, 8, 8)
    out = Autoencoder(encoder, decoder, output="linear", loss="bce")(x)
    assert ((out > 0) & (out < 1)).all()
    free = Autoencoder(encoder, decoder, output="linear", loss="mse")(x)
    assert torch.allclose(torch.sigmoid(free), out)


# U-Net ---------------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(height=sides, width=sides, depth=st.integers(1, 6), channels=st.sampled_from([1, 3]), skips=st.booleans(),
       extra=st.integers(0, 1))
def test_u_nets_give_back_any_size(height, width, depth, channels, skips, extra):
    made = architectures["unet"](code=3, depth=depth, width=1, skips=skips)
    encoder, decoder = made.build((channels, 16, 16), "relu", extra)  # one network takes every size
    x = torch.rand(1, channels + extra, height, width)
    assert decoder(encoder(x)).shape == (1, channels, height, width)


@settings(max_examples=25, deadline=None)
@given(height=sides, width=sides, depth=st.integers(1, 6), skips=st.booleans(), extra=st.integers(0, 1))
def test_the_plan_of_a_u_net_is_what_its_blocks_give(height, width, depth, skips, extra):
    made = architectures["unet"](code=5, depth=depth, width=2, skips=skips)
    encoder, decoder = made.build((1, height, width), "relu", extra)
    seen = []
    for block in (*encoder.blocks, *decoder.blocks):
        block.register_forward_hook(lambda block, given, out: seen.append((block.shape, tuple(out.shape[1:]))))
    decoder(encoder(torch.rand(1, 1 + extra, height, width)))
    assert len(seen) == len(encoder) + len(decoder) == 2 * depth + 2
    assert all(told == real for told, real in seen)
    halvings = [max(1, -(-height // 2**level)) for level in range(depth + 1)]
    assert [block.shape[1] for block in encoder.blocks] == halvings


def test_skips_carry_what_the_middle_cannot():
    """Without skips everything passes the middle maps; with them an image does so even where the middle is cut."""
    torch.manual_seed(0)
    x, outputs = torch.rand(2, 1, 16, 16), {}
    for skips in (True, False):
        encoder, decoder = architectures["unet"](code=4, width=4, skips=skips).build((1, 16, 16), "relu")
        *levels, middle = encoder(x)
        out = decoder((*levels, torch.zeros_like(middle)))
        outputs[skips] = (out[0] - out[1]).abs().max()
        kinds = [block.kind for block in decoder.blocks]
        assert all(("skip" in kind) == skips for kind in kinds[:-1])
    assert outputs[True] > 1e-3 and outputs[False] == 0


@settings(max_examples=20, deadline=None)
@given(height=st.integers(2, 12), width=st.integers(2, 12), channels=st.sampled_from([1, 3]), depth=st.integers(1, 4),
       name=st.sampled_from(["dense", "convolutional"]), tied=st.booleans())
def test_channels_beside_the_images_own_are_seen_and_not_given_back(height, width, channels, depth, name, tied):
    settings = {"activation": "tanh", **({"tied": tied} if name == "dense" else {})}
    shape = (channels, height, width)
    encoder, decoder = architectures[name](code=3, depth=depth, width=8, **settings).build(shape, "linear", extra=1)
    x = torch.rand(2, channels + 1, height, width, requires_grad=True)
    code = encoder(x)
    assert decoder(code).shape == (2, *shape)
    code.square().sum().backward()
    assert x.grad[:, -1].abs().sum() > 0


def test_tied_weights_leave_the_extra_channel_out():
    """The decoder's last weights are the encoder's first for the image's own pixels, transposed."""
    encoder, decoder = architectures["dense"](code=5, depth=2, width=16, tied=True).build((1, 6, 7), "linear", extra=1)
    hidden, last = torch.randn(3, 16), decoder[-1].linear
    weight = encoder[0].linear.weight
    assert weight.shape == (16, 84) and last.bias.shape == (42,)
    assert torch.allclose(last(hidden), hidden @ weight[:, :42] + last.bias, atol=1e-6)
    own = nn.ModuleList([encoder, decoder])
    assert sum(p.numel() for p in own.parameters()) == 16 * 84 + 16 + 16 * 5 + 5 + 16 + 42


def test_a_u_nets_short_cut_halves_as_strides_would():
    """Sizes at which torch's own strided 1x1 convolution ends the process on its way back."""
    from playground.layers.unet import Residual

    torch.manual_seed(0)
    block, x = Residual(8, 16, "relu", 2), torch.rand(16, 8, 64, 64).contiguous(memory_format=torch.channels_last)
    strided = torch.nn.functional.conv2d(x, block.short.weight, block.short.bias, 2)
    inner = block.second(torch.relu(block.first(x)))
    assert torch.allclose(block(x), strided + inner, atol=1e-6)
    for _ in range(3):
        block(x.requires_grad_()).sum().backward()
    assert torch.isfinite(x.grad).all()
