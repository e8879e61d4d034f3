"""From where on a choice is likely to spoil a run: what `advice` measures specs by."""

HELD_AT_THE_END, HELD_AFTER_ONE_EPOCH = 0.05, 0.2  # of the moving statistics' initial values
SMALL_BATCH = 8
LARGE_EPSILON = 0.1  # of the input's variance

PIXEL_VARIANCE = {"mnist": 4373.40}
"""The mean over the pixels of each raw pixel's variance (0 to 255), in all training images; 0.0673 for pixels / 255."""
CHANNEL_VARIANCE = {"mnist": 6174.91}
"""The variance of all raw pixels together, which is what BN by channel sees."""

# The thresholds below were found by training with bnlab on MNIST: 2,000 examples for 3 epochs in batches of 32
# (sigmoids: 10,000), 300 · 100 units, seed 0, unless said otherwise; percentages are validation accuracies.

DIVERGING_RATES = {"sgd": 0.003, "sgd_momentum": 0.0003, "nesterov": 0.0003}
"""From which learning rate on raw pixels are likely to end in failure where no BN evens out their scale.

SGD: ReLU reaches 72 % at 0.001, 49 % at 0.003 and 11 % (chance) at 0.01; Leaky ReLU diverges at 0.003, linear
layers at 0.001; ten layers of 100 only at 0.1. Momentum 0.9 makes steps ten times as long: 38 and 57 % at 0.0003, at
most 20 % at 0.001. Adam and RMSprop, whose steps do not grow with the gradient, still learn at 0.01 (65 and 59 %).
"""
BOUNDED_ACTIVATIONS = ("sigmoid", "tanh")
"""They saturate on raw pixels and learn slowly (64 and 79 % at 0.01), but do not blow up."""

LARGE_WEIGHTS = 5
"""From how many times He normal's stddev on weights are too large.

At 0.3 (6 times, for 784 inputs) tanh falls from 80 to 53 %, BN before the activation from 84 to 47 %, five ReLU layers
of 100 from 70 to 56 %, and at 0.5 these diverge.
"""

DEEP_SIGMOIDS = 4
"""From how many sigmoid layers on without BN: four stay at chance with SGD at 0.01, 0.1 and even 1 (three reach 48 %
at 0.1 and 81 % at 1). Adam still trains them, but eight only to 38 %; ten tanh layers reach 89 % as one does."""
