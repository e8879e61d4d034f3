"""The text beside an exported run: what each file is, and how to use the model."""

from bnlab.runs.run import Run
from bnlab.spec.keras_code import evaluation_code, scaling_code

_FILES = """\
spec.json           what was trained: every setting, as bnlab reads it
history.csv         one row an epoch: loss and accuracy averaged over its steps, val_loss and val_accuracy after it
metrics.csv         one row a step: loss and accuracy of its batch, in training mode
validation.csv      one row a moment (step 0, some in the first epoch, each epoch's end): val_loss and val_accuracy
                    in inference mode; seconds is the time spent in training steps until then
layers.csv          the same moments: norms of each hidden kernel and of its gradient, and the percentiles
                    (p5 to p95) of what enters the layer's activation, on 128 training images
*.parquet           the same tables for pandas.read_parquet
events.out.*        for TensorBoard: tensorboard --logdir .   (in this folder or the one above it)
train.py            plain Keras code that trains the same network on the same images
"""
_MODEL = """\
model.keras         the network with its weights after step {step:,}, for keras.models.load_model
"""
_NO_MODEL = """
There is no model.keras: this run had no saved weights when it was exported.
"""
_USE = """
Pixels (0 to 255) must enter the model as they did in training, {scaled}: no layer of it scales them.
This is how the validation images are measured, in this folder:

{code}
The model is compiled with the run's optimizer, but without what an optimizer remembers of earlier steps.
"""


def readme_text(run: Run, saved_step: int | None) -> str:
    """The README of one exported run; `saved_step` is the step its `model.keras` was saved after, None without one."""
    head = (
        f"{run.label}\nbnlab's run {run.digest}: {run.state.value}, {run.step:,} of {run.total_steps:,} steps, "
        f"{run.seconds:.1f} s in steps\n" + (f"{run.error}\n\n" if run.error else "\n")
    )
    if saved_step is None:
        return head + _FILES + _NO_MODEL
    code = "".join(f"    {line}".rstrip() + "\n" for line in evaluation_code(run.spec).splitlines())
    return head + _FILES + _MODEL.format(step=saved_step) + _USE.format(scaled=scaling_code(run.spec, "x"), code=code)
