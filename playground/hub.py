"""Hub: models in the layout of `huggingface_hub`'s PyTorchModelHubMixin, from and to folders and repositories.

    from playground.hub import Autoencoder
    model = Autoencoder.from_pretrained("user/name")  # or a folder, such as pretrained/undercomplete-digits
    reconstructions = model(images)  # (B, c, h, w) in [0, 1]
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, PyTorchModelHubMixin, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    RepositoryNotFoundError,
)
from torch import Tensor, nn

from playground import incoming, packing
from playground.checkpoint import Checkpoint
from playground.events import Trouble
from playground.experiment import Experiment
from playground.library import WEIGHTS

REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
NETWORK: Any = HfHubHTTPError.__bases__[0]  # the error of the client that asks the hub, which differs by its version
PATIENCE = 10.0  # seconds that the hub may take to answer


class Autoencoder(nn.Module, PyTorchModelHubMixin, library_name="pytorch", tags=["autoencoder"]):
    """A network of the playground on its own, in evaluation mode once it is loaded.

    experiment: as `Experiment.to_dict` gives it; shape: (c, h, w) of its images. `model` is the network, `state` all
    that is known of it. Files are read as strictly as uploads are: Trouble for what is no model of the playground, and
    never a pickle.
    """

    def __init__(self, experiment: dict[str, Any], shape: Sequence[int]):
        super().__init__()
        made, (c, h, w) = Experiment.from_json(json.dumps(experiment)), shape
        self.model = made.build((c, h, w))
        self.state = Checkpoint(made, 0, (c, h, w), {}, {})
        self.name = ""  # on the card, instead of the folder's

    @classmethod
    def of(cls, state: Checkpoint) -> Autoencoder:
        """The network of a checkpoint."""
        made = cls(state.experiment.to_dict(), list(state.shape))
        made.model, made.state = state.model(), replace(state, tensors=_rest(state))
        return made.eval()

    def forward(self, images: Tensor) -> Tensor:
        """What the network is given, images (B, c, h, w) in [0, 1], to what it makes of them."""
        return self.model(images)

    def encode(self, images: Tensor) -> Tensor:
        """Images (B, c, h, w) to codes (B, k)."""
        return self.model.encode(images)

    def decode(self, code: Tensor) -> Tensor:
        """Codes (B, k) to images (B, c, h, w)."""
        return self.model.decode(code)

    def checkpoint(self) -> Checkpoint:
        """The network as it is now, with what is known of it."""
        weights = {f"model.{key}": tensor.detach().cpu() for key, tensor in self.model.state_dict().items()}
        return replace(self.state, tensors={**weights, **self.state.tensors})

    def push_to_hub(self, repo_id: str, **settings: Any) -> str:
        """As the mixin's, with the repository's name on the card."""
        self.name = repo_id
        return super().push_to_hub(repo_id, **settings)

    def _save_pretrained(self, save_directory: Path) -> None:
        """What `save_pretrained` writes: weights with the experiment in their header, config and card."""
        for name, content in packing.files(self.checkpoint(), self.name or save_directory.name).items():
            if name != packing.CARD or not (save_directory / name).exists():
                (save_directory / name).write_bytes(content)

    @classmethod
    def _from_pretrained(cls, *, model_id: str, revision: str | None = None, cache_dir: str | Path | None = None,
                         force_download: bool = False, local_files_only: bool = False,
                         token: str | bool | None = None, **model_kwargs: Any) -> Autoencoder:
        """What `from_pretrained` reads: the weights' header decides, whatever config.json says."""
        if os.path.isdir(model_id):
            path = Path(model_id) / WEIGHTS
            if not path.is_file():
                raise Trouble(f"There is no {WEIGHTS} in {path.parent.name}.")
        else:
            path = Path(_api(token).hf_hub_download(
                model_id, WEIGHTS, revision=revision, cache_dir=cache_dir, force_download=force_download,
                local_files_only=local_files_only,
            ))  # fmt: skip
        return cls.of(read_file(path, path.parent.name))


def _rest(state: Checkpoint) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in state.tensors.items() if not key.startswith("model.")}


def read_file(path: Path, name: str = "") -> Checkpoint:
    """A model's file, checked as uploads are: its size before a byte is read."""
    if problem := incoming.too_large(path.stat().st_size, name or path.name):
        raise Trouble(problem)
    return incoming.read(path.read_bytes(), name or path.name)


# Repositories -------------------------------------------------------------------------------------------------------


def checked(repository: str) -> str:
    """The name of a repository; Trouble for anything else, addresses and paths among it."""
    if not REPOSITORY.fullmatch(name := repository.strip()) or ".." in name or "--" in name:
        raise Trouble("A repository is named user/name, in letters, digits, points, dashes and underscores; "
                      "addresses and paths are not taken.")
    return name


def pull(repository: str, token: str | bool | None = None) -> Checkpoint:
    """The model in a repository of the hub: its model.safetensors and no other file, its size asked first.

    token: the hub's, None for the one that this machine is logged in with, False for nobody's. Trouble, in one
    sentence, where there is no network, no such repository or no model in it.
    """
    name, api = checked(repository), _api(token)
    url = hf_hub_url(name, WEIGHTS, endpoint=api.endpoint)
    with _plainly(name), tempfile.TemporaryDirectory() as folder:
        size = api.get_hf_file_metadata(url=url, timeout=PATIENCE).size
        if size is None or (problem := incoming.too_large(size, name)):
            raise Trouble(problem if size else f"{name} does not tell how large its model is.")
        path = api.hf_hub_download(name, WEIGHTS, local_dir=folder)
        return incoming.named(read_file(Path(path), name), name)


def push(state: Checkpoint, repository: str, private: bool = False) -> str:
    """Put a model into a repository of the hub, made if there is none, as who is logged in; returns its address."""
    name, api = checked(repository), _api(None)
    with _plainly(name), tempfile.TemporaryDirectory() as folder:
        target = packing.write(packing.files(state, name), Path(folder) / "model")
        made = api.create_repo(name, private=private, exist_ok=True)
        api.upload_folder(repo_id=made.repo_id, folder_path=target, commit_message="Push model of the playground")
        return str(made)


def _api(token: str | bool | None) -> HfApi:
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token)


@contextmanager
def _plainly(name: str) -> Iterator[None]:
    """Whatever the hub or the network answers as Trouble, in one sentence."""
    try:
        yield
    except Trouble:
        raise
    except LocalTokenNotFoundError:
        raise Trouble("The hub does not know who you are: log in with `hf auth login`, or set HF_TOKEN.") from None
    except GatedRepoError:
        raise Trouble(f"{name} is given out on request only: ask for it on the hub's own page.") from None
    except RepositoryNotFoundError:
        raise Trouble(f"There is no repository called {name} on the hub, or it is private.") from None
    except LocalEntryNotFoundError:
        raise Trouble(_unreachable(name)) from None
    except EntryNotFoundError:
        raise Trouble(f"{name} holds no {WEIGHTS}, and no other file is read.") from None
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", 0)
        if status in (401, 403):
            raise Trouble(f"The hub does not let you do this with {name}: log in with `hf auth login`, or set "
                          "HF_TOKEN to a token that may.") from None
        raise Trouble(f"The hub answered {status or 'nothing that can be used'}; try again later.") from None
    except HFValidationError:
        raise Trouble(f"The hub does not take {name} for the name of a repository.") from None
    except OSError as error:
        if error.errno and not isinstance(error, ConnectionError):
            raise  # of this machine's own disk
        raise Trouble(_unreachable(name)) from None
    except NETWORK:
        raise Trouble(_unreachable(name)) from None


def _unreachable(name: str) -> str:
    return f"The hub cannot be reached, so {name} was not touched: without a network, bring or take the file itself."
