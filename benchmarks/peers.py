"""Peers: the same training by hand, by pythae and by Lightning, each as a function that trains and is timed."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BATCH, RATE, WIDTH, CODE = 128, 1e-3, 512, 16


def find_peers() -> None:
    """Let the peers' packages be found in the folder that PLAYGROUND_PEERS names, after everything else."""
    if folder := os.environ.get("PLAYGROUND_PEERS"):
        sys.path.append(folder)


def network(pixels: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Encoder and decoder, 784-512-16 for 28×28 pixels."""
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, WIDTH), nn.ReLU(), nn.Linear(WIDTH, CODE))
    decoder = nn.Sequential(nn.Linear(CODE, WIDTH), nn.ReLU(), nn.Linear(WIDTH, pixels), nn.Sigmoid())
    return encoder, decoder


class Bare:
    """The loop anybody would write: images as floats on the device, batches by indexing, nothing logged or saved."""

    def __init__(self, images: Tensor, device: torch.device):
        self.images, self.device = images.flatten(1).to(device), device
        self.model = nn.Sequential(*network(self.images.shape[1])).to(device)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=RATE, fused=device.type != "mps")
        self._batches: Iterator[Tensor] = iter(())

    def _epoch(self) -> Iterator[Tensor]:
        order = torch.randperm(len(self.images)).to(self.device)
        return iter(order[: len(order) // BATCH * BATCH].split(BATCH))

    def __call__(self, seconds: float) -> float:
        """Images a second over about so many seconds."""
        started, steps = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            for _ in range(50):
                self._step()
            self._wait()
            steps += 50
        return steps * BATCH / (time.perf_counter() - started)

    def _step(self) -> None:
        chosen = next(self._batches, None)
        if chosen is None:
            self._batches = self._epoch()
            chosen = next(self._batches)
        x = self.images[chosen]
        loss = F.mse_loss(self.model(x), x)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


class Pythae:
    """One epoch of pythae's trainer, with its own log and its own saving at the end."""

    def __init__(self, images: Tensor, fused: bool = False):
        from pythae.data.datasets import BaseDataset
        from pythae.models import AE, AEConfig
        from pythae.models.base.base_utils import ModelOutput
        from pythae.models.nn import BaseDecoder, BaseEncoder

        encoder, decoder = network(images[0].numel())

        class Encoder(BaseEncoder):
            def __init__(self):
                super().__init__()
                self.layers = encoder

            def forward(self, x):
                return ModelOutput(embedding=self.layers(x))

        class Decoder(BaseDecoder):
            def __init__(self):
                super().__init__()
                self.layers = decoder

            def forward(self, code):
                return ModelOutput(reconstruction=self.layers(code))

        shape = tuple(images.shape[1:])
        self.model = AE(AEConfig(input_dim=shape, latent_dim=CODE), Encoder(), Decoder())
        self.data = BaseDataset(images, torch.zeros(len(images)))
        self.optimiser = {"fused": True} if fused else None

    def __call__(self, seconds: float) -> float:
        from pythae.trainers import BaseTrainer, BaseTrainerConfig

        with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere, \
                redirect_stderr(nowhere), redirect_stdout(nowhere):
            config = BaseTrainerConfig(
                output_dir=folder, num_epochs=1, per_device_train_batch_size=BATCH, learning_rate=RATE, no_cuda=True,
                optimizer_params=self.optimiser,
            )
            trainer = BaseTrainer(model=self.model, train_dataset=self.data, training_config=config)
            started = time.perf_counter()
            trainer.train()
            return len(self.data) / (time.perf_counter() - started)


class Lightning:
    """One epoch of Lightning's trainer, first batch to last, with its default logger and checkpoint."""

    def __init__(self, images: Tensor, device: torch.device, fused: bool = False):
        import lightning

        encoder, decoder = network(images[0].numel())

        class Module(lightning.LightningModule):
            def __init__(self):
                super().__init__()
                self.layers = nn.Sequential(encoder, decoder)

            def training_step(self, batch):
                x = batch[0].flatten(1)
                loss = F.mse_loss(self.layers(x), x)
                self.log("reconstruction", loss)
                return loss

            def configure_optimizers(self):
                return torch.optim.Adam(self.parameters(), lr=RATE, fused=True if fused else None)

        class Clock(lightning.Callback):
            seconds = 0.0

            def on_train_epoch_start(self, trainer, module):
                self.seconds = -time.perf_counter()

            def on_train_epoch_end(self, trainer, module):
                self.seconds += time.perf_counter()

        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        self.module, self.clock, self.device, self.count = Module(), Clock(), device, len(images)
        self.loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images), BATCH, shuffle=True)

    def __call__(self, seconds: float) -> float:
        import lightning

        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer = lightning.Trainer(
                max_epochs=1, default_root_dir=folder, callbacks=[self.clock], enable_progress_bar=False,
                enable_model_summary=False, accelerator="cuda" if self.device.type == "cuda" else "cpu", devices=1,
            )
            trainer.fit(self.module, self.loader)
        return self.count / self.clock.seconds
