"""The sections of How it works: their texts, figures and controls."""

from collections.abc import Sequence
from dataclasses import dataclass

from bnlab.specs.choices import ACTIVATIONS, PLACEMENTS
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.how_it_works.figure import (
    Chart,
    Control,
    Figure,
    choice,
    draw,
    number,
    preset,
    slider,
    steps,
)

EPSILON: float = RunSpec.model_fields["epsilon"].default
MOMENTUM: float = RunSpec.model_fields["momentum"].default
_SHOWN_ACTIVATIONS = {name: ACTIVATIONS[name].title for name in ("relu", "leaky_relu", "sigmoid", "tanh", "linear")}


@dataclass(frozen=True)
class RunsLink:
    """A link to the Layers page with the recorded runs of a preset."""

    label: str
    preset: str


@dataclass(frozen=True)
class Section:
    """A section of the page, at ``how_it_works#{anchor}``.

    `question` is shown in the contents; `parts` are Markdown, figures and links.
    """

    anchor: str
    title: str
    question: str
    parts: Sequence[str | Figure | RunsLink]
    source: str


_STATISTICS = Section(
    "statistics",
    "The statistics of a batch",
    "What does BN do to a batch?",
    (
        r"""
A Dense unit gives one number $x_i$ for each of the $m$ examples in the batch. BN computes their mean $\mu$ and their
variance $\sigma^2$ and makes the numbers comparable:

$$
\begin{aligned}
\mu &= \tfrac1m \sum_i x_i \qquad \sigma^2 = \tfrac1m \sum_i (x_i-\mu)^2 \\
\hat x_i &= \frac{x_i-\mu}{\sqrt{\sigma^2+\varepsilon}}
\end{aligned}
$$

$\mu$ and $\sigma^2$ are not learned: they are computed from each batch.
""",
        Figure(
            "statistics",
            "What do the mean and the variance do to a batch?",
            (
                slider("size", "Examples in the batch", 6, 1, 32),
                slider("mean", "Middle of the values", 3, -4, 4, 0.5),
                steps("spread", "Spread of the values", 0.3, (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0)),
                slider("moved", "Move example 1 by", 0, -6, 6, 0.5),
                steps("epsilon", "epsilon ε (Keras 0.001, PyTorch 1e-5)", EPSILON, (1e-7, 1e-5, 1e-3, 1e-2, 0.1, 1.0)),
                draw("batch", "New batch", 4),
            ),
            (Chart("batch", height=360),),
            "Six values with mean 3 and standard deviation 0.3 become values with mean 0 and standard deviation 1.",
        ),
        """
**Try it.** Move example 1 alone: *all* outputs move, because all share one mean and one variance. Make the spread
small: BN magnifies it back to 1, until the variance is no larger than epsilon. Set the batch to 1 example: nothing is
left of it.
""",
    ),
    "Ioffe & Szegedy 2015, algorithm 1. The variance divides by $m$, in Keras as in the paper. "
    "Epsilon is inside the square root, so it also keeps BN from dividing by zero.",
)

_GAMMA_BETA = Section(
    "gamma_beta",
    "Gamma and beta",
    "Why normalize, and then scale and shift again?",
    (
        r"""
With mean 0 and variance 1 alone, the next layer could receive nothing else: of a sigmoid, for example, only the nearly
linear middle would be used. So each unit has two parameters that are *learned*, the scale $\gamma$ and the shift
$\beta$. They start at 1 and 0.

$$
y_i = \gamma\,\hat x_i + \beta
$$

With $\gamma = \sqrt{\sigma^2+\varepsilon}$ and $\beta = \mu$ the input comes back: $y = x$. So a layer with BN can do
whatever it could do without. What changes is how it is learned: the mean and the spread of a unit are now one parameter
each, instead of the result of all weights before it.
""",
        Figure(
            "gamma_beta",
            "Which gamma and beta give the input back?",
            (
                slider("gamma", "gamma γ", 1, -2, 3, 0.1),
                slider("beta", "beta β", 0, -4, 4, 0.5),
                preset("identity", "γ = √(σ² + ε), β = μ", {"gamma": 1.5, "beta": 2}),
            ),
            (Chart("identity", height=360),),
            "With gamma = √(σ² + ε) and beta = μ the output is the input.",
        ),
        """
What networks really learn is on Layers: there gamma and beta of every unit are drawn over the training.
""",
        RunsLink("Gamma and beta of trained networks", "gamma_beta"),
    ),
    "Ioffe & Szegedy 2015, section 3.",
)

_MODES = Section(
    "modes",
    "Training and inference",
    "Why do the same numbers come out differently?",
    (
        r"""
- **Training mode** (`training=True`, in `fit`): the batch's own $\mu$ and $\sigma^2$. What comes out for one example
  depends on the examples that are in its batch. That is noise; it also regularizes a little.
- **Inference mode** (`training=False`, in `evaluate` and `predict`): `moving_mean` and `moving_variance`, two stored
  numbers for each feature. The same example gives the same output, alone or in any batch.
""",
        Figure(
            "modes",
            "What comes out for the same example in 30 different batches?",
            (
                slider("value", "The example's value", 4, -4, 8, 0.5),
                steps("modes-size", "Batch size", 8, (1, 2, 4, 8, 16, 32, 64, 128, 256)),
            ),
            (Chart("modes"),),
            "In training mode the same example comes out differently in each batch; in inference mode always the same.",
        ),
        """
- Small batches make the noise large: their mean and variance vary most. In a batch of 2 one comes out near +1, the
  other near −1, whatever their distance; in a batch of 1 the output is beta, whatever the example was.
- Small batches also make `moving_variance` too small: a batch of $m$ has on average $(m-1)/m$ of the variance that its
  examples are drawn from, and Keras averages that.
- The training loss and accuracy that `fit` prints were measured in training mode while the weights changed; the
  validation values in inference mode. The two are not the same measure.
- `training` is not `trainable`. A frozen BN layer (`trainable = False`) keeps gamma and beta *and* runs in inference
  mode.
""",
    ),
    "Ioffe & Szegedy 2015, algorithm 2; Ioffe 2017 on small batches; Keras's BatchNormalization.",
)

_MOMENTUM = Section(
    "momentum",
    "Momentum",
    "Where do the moving statistics come from?",
    (
        r"""
At every training step BN moves its stored statistics a little towards the batch's:

$$
\begin{aligned}
\text{moving\_mean} \leftarrow{} & \text{momentum}\cdot\text{moving\_mean} \\
& + (1-\text{momentum})\cdot\mu
\end{aligned}
$$

`moving_variance` follows in the same way. They start at 0 and 1, and after $n$ steps those initial values still weigh
$\text{momentum}^n$. So early validation can look bad although the network is learning well.
""",
        Figure(
            "momentum",
            "",
            (
                steps("momentum", "momentum (Keras)", MOMENTUM, (0.0, 0.5, 0.9, 0.95, 0.99, 0.999)),
                slider("steps", "Training steps shown", 600, 20, 1000, 20),
                number("images", "Training images", 60_000, 1, 100_000_000),
                number("batch-size", "Batch size", 32, 1, 1_000_000),
            ),
            (
                Chart("moving", "How do the moving statistics fill up?"),
                Chart("weight", "How long does the initial value last?"),
            ),
            "With momentum 0.99 less than 1 % of the initial value is left after 459 steps, 0.24 epochs of 60,000 "
            "images in batches of 32.",
            is_wide=True,
        ),
        """
- With few images or large batches an epoch has few steps: with 1,000 images in batches of 100 it takes 46 epochs until
  the moving statistics have forgotten where they started.
- A low momentum forgets the start quickly, but changes with every batch.
- **PyTorch's momentum is 1 − Keras's**: it is the weight of the *new* value. Keras's 0.99 is PyTorch's 0.01, and
  PyTorch's default 0.1 is Keras's 0.9.
- This momentum has nothing to do with the optimizer's.
""",
    ),
    "Keras's BatchNormalization, which averages the batches' variances as they are; Ioffe & Szegedy 2015 first "
    "multiply them by m / (m − 1).",
)

_NORMALIZERS = Section(
    "normalizers",
    "Other normalizers",
    "Which numbers share a mean?",
    (
        """
Other layers normalize with the same equation. They differ in which numbers are averaged: BN averages over the examples
of the batch, so that an output depends on the other examples; the others average within one example, in training and in
inference alike.
""",
        Figure(
            "normalizers",
            "Which outputs depend on example 1?",
            (
                choice(
                    "normalizer",
                    "Normalization",
                    "batch",
                    {"batch": "Batch", "layer": "Layer", "group": "Group", "rms": "RMS"},
                ),
                steps("groups", "Groups, for group normalization", 2, (1, 2, 4, 8)),
                slider("shift", "Add to example 1", 0, -4, 4, 0.5),
            ),
            (),
            "Batch normalization averages each feature over the examples; layer, group and RMS normalization average "
            "over the features of one example.",
            is_wide=True,
        ),
        """
- Adding the same number to all features of example 1 leaves layer and group normalization as they were: it is in the
  mean. RMS normalization subtracts no mean and notices it.
- With one value per set nothing is left: batch normalization of one example, or groups of one feature, give 0.
- All of them have gamma and beta per feature, except RMS normalization, which has no beta.
""",
    ),
    "Ba et al. 2016 (layer), Wu & He 2018 (group), Zhang & Sennrich 2019 (RMS).",
)

_PLACEMENT = Section(
    "placement",
    "Placement",
    "Before the activation, or after it?",
    (
        """
**Before** the activation, BN decides which part of the activation is used: at the start about half of each
unit's values are on either side of 0, where ReLU bends and sigmoid is steep. **After** the activation, BN decides what
the next layer receives: mean 0 and variance 1. Ioffe and Szegedy put it before; which is better is a matter of
measurement, and the Compare page measures it.
""",
        Figure(
            "placement",
            "What does a layer's output look like, step by step?",
            (
                choice(
                    "placement",
                    "Batch normalization",
                    "before_activation",
                    {name: PLACEMENTS[name].title for name in PLACEMENTS},
                ),
                choice("activation", "Activation", "relu", _SHOWN_ACTIVATIONS),
                steps("weights", "Size of the weights (1 = He normal)", 1.0, (0.01, 0.1, 0.3, 1.0, 3.0, 10.0)),
            ),
            (Chart("stages", height=440),),
            "Without BN the size of the weights goes through to the next layer. BN takes it away.",
        ),
        """
Without BN the size of the weights goes through to the next layer. BN takes it away, as long as the variance of what
comes in is well above epsilon. (A random Dense layer of 30 units and 60 inputs between 0 and 1, for 200 examples.)
""",
        Figure(
            "bias",
            "Does a bias before BN change anything?",
            (
                slider("bias", "Bias", 2, -3, 3, 0.1),
                choice("bias-activation", "Activation", "relu", _SHOWN_ACTIVATIONS),
            ),
            (Chart("bias", height=340),),
            "Directly before BN a bias changes nothing; with an activation in between it matters.",
        ),
        r"""
Directly before BN: no. The mean moves by the same $b$ and is subtracted, $(x+b)-(\mu+b)=x-\mu$. That is why Approach 2
sets `use_bias=False` and loses nothing: beta replaces the bias. With an activation in between, the bias matters.

#### What if there is no activation at all?

In inference mode BN is $a\,x + b$ with fixed $a$ and $b$. So a network of Dense and BN layers *without* activations is
one single linear layer, however deep: Dense → BN → Dense → BN → Dense and the one Dense layer multiplied together from
it differ by rounding only. That is the notebook's Approach 1 as it is printed: a linear classifier (the text says "BN
after the activation", but the code has no activation). It can still learn MNIST to about 92 %.
""",
    ),
    "Ioffe & Szegedy 2015, section 3.2. Measured with Keras 3.15: 0.919 on MNIST's test images.",
)

_SCALE = Section(
    "scale",
    "The scale of the inputs",
    "Can BN replace scaling the data?",
    (
        r"""
Multiply a feature by $c$: its mean and its standard deviation are multiplied by $c$ too, and BN divides $c$ out again,

$$
\frac{c\,x-c\,\mu}{\sqrt{c^2\sigma^2+\varepsilon}}\approx\frac{x-\mu}{\sigma}
$$

as long as $c^2\sigma^2$ is far above $\varepsilon$. So BN as the first layer replaces scaling the data, but only for
features that are not tiny.
""",
        Figure(
            "scale",
            "",
            (
                steps(
                    "factor",
                    "Pixels (0 to 255) times",
                    1.0,
                    (1e-6, 1e-5, 1e-4, 1e-3, 1 / 255, 1e-2, 1e-1, 1.0),
                    {1 / 255: "1/255", 1.0: "1 (raw)"},
                ),
                steps("rate", "Learning rate", 0.01, (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)),
            ),
            (Chart("spread", "Which scales does BN undo?"), Chart("descent", "Does training survive it?")),
            "On raw pixels gradient descent at rate 0.01 diverges without BN and converges with BN on the input.",
            is_wide=True,
        ),
        r"""
**Try it.** Raw pixels with learning rate 0.01: without BN the loss diverges; with BN on the input it goes down as if
the pixels had been scaled. Pixels × 0.000001 at the same rate: hardly anything is learned either way, because epsilon
is larger than the variance.

Conversely, epsilon must not be too small. A pixel that is the same in every training image has variance 0 and
comes out as beta in training. But its moving variance falls towards 0, and at inference its distance from the mean is
multiplied by $1/\sqrt{\sigma^2_\text{moving}+\varepsilon}$: by up to 32 with Keras's $\varepsilon=0.001$, by up to
10,000 with $10^{-8}$. An image that differs there then outweighs all others: trained on 500 images of MNIST, where
207 pixels never vary, a network ends with a validation loss of 0.66 with the first epsilon and of 31 with the second.
""",
    ),
    "computed here, one linear unit on 8 pixels of 256 images, gradient descent on all of them; epsilon 0.001. "
    "TensorFlow issue 33027 reports features that were too small for BN. The two validation losses were measured after "
    "20 epochs in batches of 4.",
)

_FOLDING = Section(
    "folding",
    "Folding",
    "Does BN make predictions slower?",
    (
        r"""
In inference mode BN only multiplies and adds fixed numbers, and a Dense layer can do that by itself. After training,
both can be made one layer: no more parameters, no more time than without BN. Keras does not do it by itself: until
somebody folds it, `predict` runs every BN layer. With $s = \gamma / \sqrt{\sigma^2+\varepsilon}$:

- Dense → BN, where BN is before the activation, folds into the Dense layer *before* it, column by column, one for each
  unit: $\;W' = W\,\mathrm{diag}(s),\; b' = (b-\mu)\,s+\beta$
- BN → Dense, where BN is on the input or after an activation, folds into the *next* Dense layer, row by row, one for
  each input: $\;W' = \mathrm{diag}(s)\,W,\; b' = b + (\beta-\mu\,s)\,W$
""",
        Figure(
            "folding",
            "Do both ways give the same output?",
            (
                choice("order", "Order", "previous", {"previous": "Dense → BN", "next": "BN → Dense"}),
                draw("numbers", "New numbers"),
            ),
            (Chart("folding", height=340),),
            "Two layers and one folded layer give the same output, up to rounding.",
        ),
    ),
    "Jacob et al. 2018, section 3.2; kernels as Keras stores them, inputs × units, so the output is x W + b.",
)

SECTIONS: tuple[Section, ...] = (
    _STATISTICS,
    _GAMMA_BETA,
    _MODES,
    _MOMENTUM,
    _NORMALIZERS,
    _PLACEMENT,
    _SCALE,
    _FOLDING,
)
FIGURES: tuple[Figure, ...] = tuple(part for section in SECTIONS for part in section.parts if isinstance(part, Figure))
CONTROLS: dict[str, Control] = {c.parameter: c for figure in FIGURES for c in figure.controls if c.sets is None}
"""The controls with a value, by their parameters in the address."""
