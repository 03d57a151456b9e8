"""Skeleton: the parts of an exported program that are alike for all experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.batches import SAMPLE
from playground.experiment import Experiment
from playground.trainer import HELD_OUT_NOISE

if TYPE_CHECKING:
    from playground.exporting.cells import Forms
    from playground.model import Autoencoder


def parts(experiment: Experiment, forms: Forms, model: Autoencoder) -> dict[str, str]:
    """Name of a cell -> its code, but for what is gathered from plug-ins."""
    return {
        "settings": _settings(experiment),
        "data": _data(experiment),
        "network": f"architecture = {type(experiment.architecture).__name__}()",
        "objective": _objective(experiment, forms),
        "training": _training(experiment, forms, len(model.sides()) > 1),
        "curves": _curves(experiment),
        "pictures": _answers(forms, _points() if experiment.data.shape == (1, 1, 2) else _pictures(forms)),
    }


def _settings(experiment: Experiment) -> str:
    training = experiment.training
    decay = f"DECAY = {training.decay!r}  # weight decay\n" if training.decay else ""
    return f'''
SEED = {training.seed}  # the same seed gives the same run
EPOCHS = {training.epochs}  # passes over the data
BATCH = {training.batch}  # images per step
RATE = {training.rate!r}  # size of each step
{decay}device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
'''


def _data(experiment: Experiment) -> str:
    return f'''
data = {type(experiment.data).__name__}()
images = data.load()
everything = torch.from_numpy(images.images)
train, held_out = everything[images.train], everything[images.held_out]
print(f"{{len(train):,}} images to train on, {{len(held_out):,}} held out, each {{tuple(train.shape[1:])}}")
'''


def _objective(experiment: Experiment, forms: Forms) -> str:
    lines = []
    if experiment.task.varied:
        lines.append(f"variant = {type(experiment.variant).__name__}()")
    if forms.asks_task:
        lines.append(f"task = {type(experiment.task).__name__}()")
    if forms.has_targets:
        lines += [
            "answers = torch.from_numpy(task.targets(images))  # what is to be learnt of each image",
            "train_answers, held_out_answers = answers[images.train], answers[images.held_out]",
        ]
    lines += ["torch.manual_seed(SEED)", f"model = {forms.model}.to(device)", "print(model)"]
    return "\n".join(lines)


def _training(experiment: Experiment, forms: Forms, many: bool) -> str:
    training = experiment.training
    optimiser = "optimisers[side]" if many else "optimiser"
    made = ("optimisers = {side: torch.optim.Adam(weights, lr=RATE) for side, weights in model.sides().items()}" if many
            else "optimiser = torch.optim.Adam(model.parameters(), lr=RATE)")
    uses_rng = forms.sees
    seeded = f"    rng.manual_seed(mix(SEED, {HELD_OUT_NOISE}, {HELD_OUT_NOISE}))\n" if uses_rng else ""
    told = ", with the same random draws every time" if uses_rng else ""
    target = _target(forms, "held_out", f":{SAMPLE}") if "target" in forms.error else ""
    learnt = _target(forms, "train", "rows") if "target" in forms.losses else ""
    decay = '''
            terms["decay"] = DECAY / 2 * sum(w.square().sum() for w in model.parameters() if w.ndim > 1)''' \
        if training.decay else ""
    schedule = ""
    if training.schedule == "cosine":
        groups = "[g for one in optimisers.values() for g in one.param_groups]" if many else "optimiser.param_groups"
        schedule = f'''
        for group in {groups}:
            group["lr"] = RATE * (1 + math.cos(math.pi * step / (EPOCHS * per_epoch))) / 2'''
    return f'''
{made}
rng = torch.Generator(device)


@torch.no_grad()
def held_out_loss() -> float:
    """Of the first {SAMPLE} held-out images{told}."""
    x = to_unit(held_out[:{SAMPLE}]).to(device)
{_indented(target, 4)}{seeded}    seen = {forms.see}
    code = model.encode(seen)
    return {forms.error}.mean().item()


size = min(BATCH, len(train))
per_epoch = len(train) // size  # steps; the few images left over wait for another epoch
curve, held_out_curve = [], [held_out_loss()]
for epoch in range(EPOCHS):
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(mix(SEED, epoch, 1)))
    for i in range(per_epoch):
        rows, step = order[i * size : (i + 1) * size], epoch * per_epoch + i
        x = to_unit(train[rows]).to(device)
{_indented(learnt, 8)}        rng.manual_seed(mix(SEED, step))  # for whatever is drawn at random in this step{schedule}
        losses = {{}}
        for side, terms in {forms.losses}:{decay}
            means = {{name: term.mean() for name, term in terms.items()}}
            {optimiser}.zero_grad()
            sum(means.values()).backward()
            {optimiser}.step()
            losses |= {{name: mean.item() for name, mean in means.items()}}
        curve.append(losses)
    held_out_curve.append(held_out_loss())
    last = ", ".join(f"{{name}} {{value:.5g}}" for name, value in losses.items())
    print(f"epoch {{epoch + 1}}: {{last}}; held out {{held_out_curve[-1]:.5g}}")
'''


def _target(forms: Forms, part: str, rows: str) -> str:
    return f"target = {part}_answers[{rows}].to(device)\n" if forms.has_targets else "target = x\n"


def _indented(line: str, spaces: int) -> str:
    return " " * spaces + line if line else ""


def _curves(experiment: Experiment) -> str:
    unit = experiment.task.curve_unit(experiment.training.loss)
    return f'''
figure, axis = plt.subplots(figsize=(7, 4))
for name in curve[0]:
    axis.plot([(i + 1) / per_epoch for i in range(len(curve))], [losses[name] for losses in curve], label=name, lw=1)
axis.plot(range(len(held_out_curve)), held_out_curve, "k--", label="held out")
axis.set(xlabel="epoch", ylabel="{unit}", yscale="log")
axis.legend()
plt.show()
'''


def _answers(forms: Forms, drawn: str) -> str:
    target = _target(forms, "held_out", ":8") if forms.has_truth else ""
    seeded = f"rng.manual_seed(mix(SEED, {HELD_OUT_NOISE}, {HELD_OUT_NOISE}))\n" if forms.sees else ""
    return f'''
count = COUNT
x = to_unit(held_out[:count]).to(device)
{target.replace(":8", ":count")}{seeded}with torch.no_grad():
    seen = {forms.see}
    code = model.encode(seen)
    output = {forms.output}
{drawn.strip()}
'''.replace("COUNT", "500" if "scatter" in drawn else "8")


def _pictures(forms: Forms) -> str:
    rows = ['"held-out image": x']
    if forms.sees:
        rows.append(f'"what the network is given": {forms.picture}')
    rows.append(f'"what it gives": {_shown(forms, "output")}')
    if forms.has_truth:
        rows.append(f'"what is right": {_shown(forms, "task.truth(target)")}')
    return f'''
pictures = {{
    {(","+chr(10)+"    ").join(rows)},
}}
figure, axes = plt.subplots(len(pictures), count, figsize=(count, 1.2 * len(pictures)), squeeze=False)
for line, (name, row) in zip(axes, pictures.items()):
    line[0].set_title(name, loc="left", fontsize=8)
    for axis, picture in zip(line, row.cpu().numpy()):
        axis.imshow(picture.transpose(1, 2, 0), cmap="gray", vmin=0, vmax=1)
    for axis in line:
        axis.axis("off")
plt.show()
'''


def _shown(forms: Forms, what: str) -> str:
    return f"task.shown({what}, x)" if forms.with_shown else what


def _points() -> str:
    return '''
figure, axis = plt.subplots(figsize=(5, 5))
for name, points in {"held-out points": x, "what the network is given": seen, "what it gives": output}.items():
    axis.scatter(*points.flatten(1).cpu().numpy().T, s=4, label=name)
axis.set(xlabel="x", ylabel="y", aspect="equal")
axis.legend()
plt.show()
'''
